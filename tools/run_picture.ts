/**
 * Draws docs/run.svg, a sequence diagram of a run, from a recording of one:
 * `deno run -A tools/run_picture.ts`, with `--record` to make the recording anew.
 *
 * @module
 */
import { Markup, markup } from "../report/markup.ts";
import { type Party, RECORDED_CASE, recordRun, type Said } from "./run_recording.ts";

const RECORDING = new URL("../fixtures/reports/run_recording.json", import.meta.url);
const PICTURE = new URL("../docs/run.svg", import.meta.url);

/** A recording as it is kept. */
interface Recording {
  /** The day on which it was made. */
  readonly day: string;
  /** The case that was run. */
  readonly case: string;
  readonly said: readonly Said[];
}

const WIDTH = 960;
const TOP = 96;
const ROW = 30;
const CALL_WIDTH = 216;
/** The lines of those who say something, and what they are called. */
const COLUMNS = {
  outputs: { x: 90, name: "outputs", where: "report/" },
  controller: { x: 330, name: "controller", where: "runner/" },
  server: { x: 600, name: "agent, server", where: "agent/" },
  client: { x: 840, name: "agent, client", where: "agent/" },
} as const;

const STYLE = new Markup(`text { font: 13px sans-serif; fill: #1b1f24 }
.title { font-weight: bold; font-size: 14px }
.small { font-size: 12px; fill: #57606a }
.call { font: 12px monospace }
.life { stroke: #afb8c1; stroke-width: 1.5; stroke-dasharray: 4 4 }
.box { fill: #f6f8fa; stroke: #8c959f }
.syscall { fill: #fff8c5; stroke: #9a6700 }
.arrow { stroke: #0969da; stroke-width: 1.5; fill: none }
.event { stroke: #1a7f37; stroke-width: 1.5; fill: none }
.tip { fill: #0969da }
.eventtip { fill: #1a7f37 }
.back { fill: #ffffff; fill-opacity: 0.9 }`);

function xOf(party: Party): number {
  if (party === "kernel") throw new Error("calls are drawn on the line of who makes them");
  return COLUMNS[party].x;
}

function textAt(x: number, y: number, text: string, style = ""): Markup {
  return markup`<text x="${x}" y="${y}" class="${style}" text-anchor="middle">${text}</text>\n`;
}

/** A system call, on the line of the agent that makes it. */
function callBox({ from, text }: Said, y: number): Markup {
  const x = xOf(from);
  return markup`<rect class="syscall" x="${x - CALL_WIDTH / 2}" y="${y - 14}" \
width="${CALL_WIDTH}" height="20" rx="4"/>
${textAt(x, y, text, "call")}`;
}

/** A message, from one line to another, under its text. */
function arrow({ from, to, text }: Said, y: number): Markup {
  const [start, end] = [xOf(from), xOf(to)];
  const side = Math.sign(end - start);
  const kind = to === "outputs" ? "event" : "arrow";
  const tip = to === "outputs" ? "eventtip" : "tip";
  // What is for the client passes the server's line: its text lies between the last two.
  const middle = Math.abs(end - start) > 400
    ? (xOf("server") + xOf("client")) / 2
    : (start + end) / 2;
  return markup`<line class="${kind}" x1="${start}" y1="${y}" x2="${end - side * 8}" y2="${y}"/>
<path class="${tip}" d="M${end} ${y}l${-side * 9} -4v8z"/>
${textAt(middle, y - 5, text)}`;
}

/** A text without what is the same in all: the case's id is in the title. */
function shortened({ text, ...rest }: Said): Said {
  return {
    ...rest,
    text: text.replace(` of ${RECORDED_CASE}`, "").replace(` ${RECORDED_CASE}`, ""),
  };
}

/** The picture of a recording. */
export function runPicture(recording: Recording): string {
  const said = recording.said.map(shortened);
  const bottom = TOP + said.length * ROW + 12;
  const heads = Object.values(COLUMNS).map(({ x, name, where }) =>
    markup`<line class="life" x1="${x}" y1="${TOP - 16}" x2="${x}" y2="${bottom}"/>
<rect class="box" x="${x - 70}" y="40" width="140" height="42" rx="6"/>
${textAt(x, 58, name, "title")}${textAt(x, 75, where, "small")}`
  );
  const rows = said.map((each, i) => {
    const y = TOP + i * ROW + 18;
    return each.to === "kernel" ? callBox(each, y) : arrow(each, y);
  });
  const title = `A run of ${recording.case} on ${recording.day}, over AF_UNIX in place of AF_VSOCK`;
  const spoken = said.map(({ from, to, text }) => `${from} to ${to}: ${text}`).join("; ");
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 16}" \
role="img" aria-labelledby="title text">
<title id="title">${title}</title>
<desc id="text">${spoken}</desc>
<style>${STYLE}</style>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="20" y="24" class="small">${title}</text>
${heads}${rows}</svg>
`.text;
}

async function picture(): Promise<string> {
  return runPicture(JSON.parse(await Deno.readTextFile(RECORDING)));
}

/** Whether docs/run.svg is the picture of the recording that is kept. */
export async function runPictureIsFresh(): Promise<boolean> {
  return await Deno.readTextFile(PICTURE) === await picture();
}

/** What each party said, in order, without the numbers that differ from run to run. */
export function sayings(said: readonly Said[]): Readonly<Record<string, readonly string[]>> {
  const text = ({ from, to, text }: Said) => `${from} -> ${to}: ${text.replace(/\(\d+/, "(fd")}`;
  const byParty = Map.groupBy(said.map((each) => [each.from, text(each)] as const), ([by]) => by);
  return Object.fromEntries(
    [...byParty].map(([by, all]) => [by, all.map(([, each]) => each).sort()]),
  );
}

/** What was said in the recording that is kept. */
export async function keptSayings(): Promise<ReturnType<typeof sayings>> {
  return sayings((JSON.parse(await Deno.readTextFile(RECORDING)) as Recording).said);
}

if (import.meta.main) {
  if (Deno.args.includes("--record")) {
    const day = new Date().toISOString().slice(0, 10);
    const recording: Recording = { day, case: RECORDED_CASE, said: await recordRun() };
    await Deno.writeTextFile(RECORDING, `${JSON.stringify(recording, null, 2)}\n`);
  }
  await Deno.writeTextFile(PICTURE, await picture());
  Deno.exit(0);
}
