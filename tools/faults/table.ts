/**
 * The table of docs/faults.md: which cases notice each fault of fixtures/kernel/faults.
 *
 * @module
 */
import type { Topology } from "../../core/plan.ts";
import { type Fault, readFaults } from "../../lab/kernel/faults.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";

const FILE = new URL("../../docs/faults.md", import.meta.url);
const BEGIN = "<!-- Written by tools/faults.ts: begin -->";
const END = "<!-- Written by tools/faults.ts: end -->";

/** Where faults are hunted, in the order of the table's columns. */
export const PLACES = ["loopback", "guest-host"] as const satisfies readonly Topology[];

/** One of them. */
export type Place = typeof PLACES[number];

/** The ids of the cases that noticed; undefined where nothing was run. */
export type Cell = readonly string[] | undefined;

/** One fault. */
export interface Row {
  readonly name: string;
  readonly cells: Readonly<Record<Place, Cell>>;
}

const NOT_RUN = "";
const NOT_CAUGHT = "not caught";
const NOWHERE: Row["cells"] = { loopback: undefined, "guest-host": undefined };

function cellText(cell: Cell): string {
  if (cell === undefined) return NOT_RUN;
  return cell.length === 0 ? NOT_CAUGHT : cell.map((id) => `\`${id}\``).join(", ");
}

function cellOf(text: string): Cell {
  if (text === NOT_RUN) return undefined;
  return [...text.matchAll(/`([^`]+)`/g)].map(([, id = ""]) => id);
}

/** The rows that the text of a table has. */
export function rowsIn(text: string): Row[] {
  return [...text.matchAll(/^\| `([\w-]+)` \|(.*)\|$/gm)].map(([, name = "", rest = ""]) => {
    const texts = rest.split("|").map((cell) => cell.trim()).slice(-PLACES.length);
    const cells = PLACES.map((place, i) => [place, cellOf(texts[i] ?? "")]);
    return { name, cells: Object.fromEntries(cells) };
  });
}

/** How many faults were caught somewhere, and of how many it is known. */
function summary(rows: readonly Row[]): string {
  const tried = rows.filter(({ cells }) => Object.values(cells).some((cell) => cell !== undefined));
  const caught = rows.filter(({ cells }) => Object.values(cells).some((cell) => cell?.length));
  return `Of ${rows.length} faults ${tried.length} were tried, and ${caught.length} of them caught.`;
}

/** The faults as Markdown. */
export function tableText(faults: readonly Fault[], rows: readonly Row[]): string {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const whole = faults.map(({ name }) => byName.get(name) ?? { name, cells: NOWHERE });
  const lines = [
    ["fault", "what is wrong", "in", ...PLACES],
    ["---", "---", "---", ...PLACES.map(() => "---")],
    ...faults.map(({ name, what, function: called }, i) => [
      `\`${name}\``,
      what,
      `\`${called}\``,
      ...PLACES.map((place) => cellText(whole[i]?.cells[place])),
    ]),
  ];
  const table = lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
  return `${summary(whole)}\n\n<!-- deno-fmt-ignore -->\n${table}`;
}

/** The text of a file with this as its table. */
export function withTable(text: string, table: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new Error(`Cannot find the place of the table in ${FILE.pathname}: ${BEGIN} ... ${END}`);
  }
  return `${text.slice(0, begin)}${BEGIN}\n\n${table}\n${text.slice(end)}`;
}

/** The text of docs/faults.md. */
export function faultsText(): Promise<string> {
  return Deno.readTextFile(FILE);
}

/** Puts what was found of a fault into docs/faults.md. */
export async function record(name: string, place: Place, caught: readonly string[]): Promise<void> {
  const text = await faultsText();
  const rows = rowsIn(text);
  const old = rows.find((row) => row.name === name);
  const row = { name, cells: { ...NOWHERE, ...old?.cells, [place]: caught } };
  const others = rows.filter((each) => each !== old);
  const table = tableText(await readFaults(), [...others, row]);
  await Deno.writeTextFile(FILE, withTable(text, table));
}

/** What is wrong with the names of a table: of faults, and of cases. */
export async function complaintsAbout(text: string): Promise<string[]> {
  const rows = rowsIn(text);
  const faults = await readFaults();
  const known = new Set<string>(CATALOGUE.map(({ id }) => id));
  const wanted = tableText(faults, rows);
  return [
    ...faults.filter(({ name }) => !rows.some((row) => row.name === name))
      .map(({ name }) => `${name} has no row`),
    ...rows.filter(({ name }) => !faults.some((fault) => fault.name === name))
      .map(({ name }) => `${name} is no fault`),
    ...rows.flatMap(({ name, cells }) =>
      Object.values(cells).flatMap((cell) => cell ?? []).filter((id) => !known.has(id))
        .map((id) => `${name} is said to be caught by ${id}, which is no case`)
    ),
    ...withTable(text, wanted) === text
      ? []
      : ["the table differs from what is known of the faults"],
  ];
}
