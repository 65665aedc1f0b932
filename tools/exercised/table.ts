/**
 * The table of docs/exercised.md: how often each function that a case names was entered while it ran.
 *
 * @module
 */
import type { Topology } from "../../core/plan.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { functionsOf, type Machine, type Measured } from "./measure.ts";

const FILE = new URL("../../docs/exercised.md", import.meta.url);
const BEGIN = "<!-- Written by tools/exercised.ts: begin -->";
const END = "<!-- Written by tools/exercised.ts: end -->";

/** The kernels on which is counted, in the order of the table's columns. */
export const KERNELS: readonly Machine["name"][] = ["loopback", "host", "guest"];

/**
 * What came of one function of a case on one kernel: hits, or why there are none. A case that was
 * skipped was not run; a function without a symbol is in no loaded module, or part of another one.
 */
export type Cell = number | "not run" | "no symbol" | "";

/** One function of one case. */
export interface Row {
  readonly id: string;
  readonly function: string;
  readonly cells: Readonly<Record<Machine["name"], Cell>>;
  /** Where the host and the guest are others than the columns say: those of the topology, and which. */
  readonly elsewhere: string;
}

/** What the table must have a row for: every function that a case names. */
export function wantedRows(): readonly Pick<Row, "id" | "function">[] {
  return CATALOGUE.flatMap((definition) =>
    functionsOf(definition).map((name) => ({ id: definition.id, function: name }))
  );
}

/** The cells of one function of a case that was just measured; none where it was skipped. */
function measuredCells(id: string, name: string, { machines, verdicts }: Measured) {
  const wasRun = verdicts.get(id)?.some(({ outcome }) => outcome !== "skip");
  const cells = machines.map((machine): [Machine["name"], Cell] => {
    if (!wasRun) return [machine.name, "not run"];
    const counted = machine.counts.get(id)?.[name] ?? 0;
    return [machine.name, machine.functions.has(name) ? counted : "no symbol"];
  });
  return { wasRun, cells: Object.fromEntries(cells) };
}

/** The topologies that the columns are of. */
const USUAL: readonly Topology[] = ["loopback", "guest-host"];

/** The rows of a table in which what was measured takes the place of what was known. */
export function withMeasured(known: readonly Row[], measured: Measured): Row[] {
  const { topology, machines, verdicts } = measured;
  const isUsual = USUAL.includes(topology);
  const cells: Row["cells"] = { loopback: "", host: "", guest: "" };
  return wantedRows().map((wanted): Row => {
    const { id, function: name } = wanted;
    const old = known.find((row) => row.id === id && row.function === name) ??
      { ...wanted, cells, elsewhere: "" };
    if (!verdicts.has(id)) return old;
    const { wasRun, cells: fresh } = measuredCells(id, name, measured);
    // What could be counted elsewhere only is not forgotten where it cannot.
    const isKept = !wasRun && topology !== "loopback" && (!isUsual || old.elsewhere !== "");
    if (isKept) return old;
    const where = `${topology}, ${machines[0]?.kernel}`;
    const elsewhere = isUsual ? topology === "loopback" ? old.elsewhere : "" : where;
    return { ...wanted, cells: { ...old.cells, ...fresh }, elsewhere };
  });
}

/** Why a row does not show what it must; undefined where it does. */
export function complaintOf(row: Row): string | undefined {
  const what = `${row.id}: ${row.function}()`;
  const { loopback, host, guest } = row.cells;
  if (loopback === 0) return `${what} is not entered on loopback`;
  if ([host, guest].includes(0) && !isEntered([host, guest])) {
    return `${what} is entered neither on the host nor in the guest`;
  }
  if (isEntered([loopback, host, guest])) return undefined;
  return [loopback, host, guest].includes("no symbol")
    ? `${what} has no symbol wherever it was to be counted: name a function that has`
    : `${what} was counted nowhere`;
}

function isEntered(cells: readonly Cell[]): boolean {
  return cells.some((cell) => typeof cell === "number" && cell > 0);
}

/** The table's columns of hits: the kernel's place, and its release where that is known. */
type Columns = Readonly<Partial<Record<Machine["name"], string>>>;

/** The rows as Markdown. */
function tableText(rows: readonly Row[], releases: Columns): string {
  const titles = KERNELS.map((name) => `${name} ${releases[name] ?? ""}`.trim());
  const lines = [
    ["case", "function", ...titles, "host and guest of"],
    ["---", "---", ...KERNELS.map(() => "--:"), "---"],
    ...rows.map((row) => [
      `\`${row.id}\``,
      `\`${row.function}\``,
      ...KERNELS.map((name) => `${row.cells[name]}`),
      row.elsewhere,
    ]),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** The rows that the text of a table has. */
export function rowsIn(text: string): Row[] {
  const lines = text.matchAll(/^\| `([^`]+)` \| `([^`]+)` \|(.*)\|$/gm);
  return [...lines].map(([, id = "", name = "", rest = ""]) => {
    const texts = rest.split("|").map((cell) => cell.trim());
    const cellOf = (text = ""): Cell => /^\d+$/.test(text) ? Number(text) : text as Cell;
    const cells = Object.fromEntries(KERNELS.map((name, i) => [name, cellOf(texts[i])]));
    const elsewhere = texts[KERNELS.length] ?? "";
    return { id, function: name, cells: cells as Row["cells"], elsewhere };
  });
}

/** The kernels whose hits the text of a table has. */
export function releasesIn(text: string): Columns {
  const [, titles = ""] = /^\| case +\| function +\|(.*)\|$/m.exec(text) ?? [];
  const columns = titles.split("|").map((title) => /^ (\w+) (\S+) $/.exec(title) ?? []);
  return Object.fromEntries(columns.flatMap(([, name, release]) => name ? [[name, release]] : []));
}

/** The text of a file with these rows as its table, which were counted on these kernels. */
export function withRows(text: string, rows: readonly Row[], releases: Columns): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new Error(`Cannot find the place of the table in ${FILE.pathname}: ${BEGIN} ... ${END}`);
  }
  const table = `${BEGIN}\n\n<!-- deno-fmt-ignore -->\n${tableText(rows, releases)}\n`;
  return text.slice(0, begin) + table + text.slice(end);
}

/** What is wrong with a table: rows that are missing or stale, and what they do not show. */
export function complaintsAbout(rows: readonly Row[]): string[] {
  const name = (row: Pick<Row, "id" | "function">) => `${row.id}: ${row.function}()`;
  const wanted = new Set(wantedRows().map(name));
  const there = new Set(rows.map(name));
  return [
    ...[...wanted].filter((row) => !there.has(row)).map((row) => `${row} has no row`),
    ...[...there].filter((row) => !wanted.has(row)).map((row) => `${row} is named by no case`),
    ...rows.flatMap((row) => wanted.has(name(row)) ? complaintOf(row) ?? [] : []),
  ];
}

/** The text of docs/exercised.md. */
export function exercisedText(): Promise<string> {
  return Deno.readTextFile(FILE);
}

/** Puts what was measured into docs/exercised.md, and gives what is wrong with the table then. */
export async function record(measured: Measured): Promise<string[]> {
  const text = await exercisedText();
  const rows = withMeasured(rowsIn(text), measured);
  const isUsual = USUAL.includes(measured.topology);
  const releases = measured.machines.map(({ name, kernel }) => [name, kernel]);
  const known = { ...releasesIn(text), ...isUsual ? Object.fromEntries(releases) : {} };
  await Deno.writeTextFile(FILE, withRows(text, rows, known));
  return complaintsAbout(rows);
}
