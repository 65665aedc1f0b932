/**
 * Draws docs/multi_device.svg from the report of a run: the host, the guest, its devices with their
 * CIDs, and what each case proved.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import { Markup, markup } from "../report/markup.ts";
import type { RunReport } from "../report/model.ts";
import { parseReport } from "../report/schema.ts";

const REPORT = new URL("../fixtures/reports/multi_device.json", import.meta.url);
const PICTURE = new URL("../docs/multi_device.svg", import.meta.url);

const WIDTH = 960;
const MARGIN = 24;
const BOX = 300;
const TOP = 48;
const ROW = 64;
/** Where the list of cases begins below the machines, and the height of a line of it. */
const GAP = 56;
const LINE = 22;

const STYLE = new Markup(`text { font: 14px sans-serif; fill: #1b1f24 }
.title { font-weight: bold }
.small { font-size: 12px; fill: #57606a }
.box { fill: #f6f8fa; stroke: #8c959f }
.device { fill: #ddf4ff; stroke: #0969da }
.default { stroke-width: 3 }
.wire { stroke: #0969da; stroke-width: 2 }
.pass { fill: #1a7f37 }
.other { fill: #cf222e }`);

function textAt(x: number, y: number, text: string, style = "", anchor = "start"): Markup {
  return markup`<text x="${x}" y="${y}" class="${style}" text-anchor="${anchor}">${text}</text>\n`;
}

function machine(x: number, height: number, end: EndFacts, what: string): Markup {
  return markup`<rect class="box" x="${x}" y="${TOP}" width="${BOX}" height="${height}" rx="6"/>
${textAt(x + 12, TOP + 22, what, "title")}${
    textAt(x + 12, TOP + 42, `Linux ${end.kernel}`, "small")
  }`;
}

/** A device of the guest, its wire, and the host's CID at the other end of it. */
function device(cid: number, i: number, guestX: number): Markup {
  const y = TOP + 60 + i * ROW;
  const middle = y + 20;
  const style = i === 0 ? "device default" : "device";
  const role = i === 0 ? "default: unbound sockets" : `sockets bound to CID ${cid}`;
  return markup`<line class="wire" x1="${MARGIN + BOX - 20}" y1="${middle}" x2="${
    guestX + 20
  }" y2="${middle}"/>
<rect class="device" x="${MARGIN + BOX - 110}" y="${y}" width="98" height="40" rx="4"/>
${textAt(MARGIN + BOX - 61, middle + 5, "vhost-vsock", "", "middle")}<rect class="${style}" x="${
    guestX + 12
  }" y="${y}" width="98" height="40" rx="4"/>
${textAt(guestX + 61, middle + 5, `CID ${cid}`, "title", "middle")}${
    textAt(guestX + 122, middle + 5, role, "small")
  }`;
}

/** The outcome of a case in a run, over both directions: where it was not skipped. */
function outcomeOf(report: RunReport, id: string): string {
  const outcomes = report.cases.filter((each) => each.id === id)
    .map(({ verdict }) => verdict?.outcome ?? "not run");
  return outcomes.find((outcome) => outcome !== "skip") ?? "skip";
}

function caseLine(report: RunReport, id: string, i: number, top: number): Markup {
  const y = top + i * LINE;
  const outcome = outcomeOf(report, id);
  const { title = "" } = report.cases.find((each) => each.id === id) ?? {};
  const style = outcome === "pass" ? "pass" : "other";
  return markup`${textAt(MARGIN, y, outcome, style)}${textAt(MARGIN + 48, y, title)}`;
}

/** The picture of a run. */
export function multiDevicePicture(report: RunReport): string {
  const [host, guest] = report.ends;
  const cids = guest?.localCids ?? [];
  if (host === undefined || guest === undefined || cids.length < 2) {
    throw new Error("the report is not that of a guest with several devices");
  }
  const ids = [...new Set(report.cases.map(({ id }) => id))]
    .filter((id) => outcomeOf(report, id) !== "skip");
  const height = 76 + cids.length * ROW;
  const top = TOP + height + GAP;
  const guestX = WIDTH - MARGIN - BOX;
  const when = report.startedAt.slice(0, 10);
  // Where the report was written to says nothing about the run.
  const command = report.argv.filter((_, i, all) => ![all[i], all[i - 1]].includes("--report"))
    .join(" ");
  const bottom = top + ids.length * LINE;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom}" role="img" aria-label="A host, a guest with ${cids.length} vsock devices, and what the cases proved">
<style>${STYLE}</style>
<rect width="100%" height="100%" fill="#ffffff"/>
${textAt(MARGIN, 28, `A run of ${when}: vsock-conformance ${command}`, "small")}${
    machine(MARGIN, height, host, `host, CID ${host.localCid ?? "unknown"}`)
  }${machine(guestX, height, guest, "guest")}${cids.map((cid, i) => device(cid, i, guestX))}${
    textAt(MARGIN, top - LINE - 8, "What the cases proved", "title")
  }${ids.map((id, i) => caseLine(report, id, i, top))}</svg>
`.text;
}

async function picture(): Promise<string> {
  return multiDevicePicture(parseReport(await Deno.readTextFile(REPORT), REPORT.pathname));
}

/** Whether docs/multi_device.svg is the picture of the report that is kept. */
export async function pictureIsFresh(): Promise<boolean> {
  return await Deno.readTextFile(PICTURE) === await picture();
}

if (import.meta.main) await Deno.writeTextFile(PICTURE, await picture());
