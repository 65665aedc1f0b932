/**
 * The cases in four pairings as one table, and what in it disagrees.
 *
 * @module
 */
import type { Direction } from "../core/plan.ts";
import { type InteropCase, type InteropCell, type Pairing, PAIRINGS } from "./cell.ts";

/** A failure of a C program that says nothing about the kernel. */
interface KnownFailure {
  readonly program: string;
  readonly name: string;
  readonly direction: Direction;
  /** What the C program prints then. */
  readonly says: RegExp;
  readonly note: string;
}

const KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    program: "vsock_diag_test",
    name: "Connect",
    direction: "loopback",
    says: /^C \w+: expected 1 sockets, found \d+$/,
    note:
      "The C program counts all sockets of the machine and expects one; on loopback both ends of " +
      "the connection are counted. vsock-conformance expects both.",
  },
];

/** What comes of all cells. */
export interface InteropSummary {
  /** The table with its notes, as text that ends with a line end. */
  readonly text: string;
  /** Whether every case passed or was skipped, and alike in all four pairings, none left out. */
  readonly agrees: boolean;
}

/** Makes the table, a row for each case. */
export function interopTable(
  cases: readonly InteropCase[],
  cells: readonly InteropCell[],
): InteropSummary {
  const directions = [...new Set(cells.map(({ direction }) => direction))];
  const at = (info: InteropCase, direction: Direction, pairing: Pairing) =>
    cells.find((cell) =>
      cell.case === info && cell.direction === direction && cell.pairing === pairing
    );
  const columns = directions.flatMap((direction) =>
    PAIRINGS.map((pairing) => ({ direction, pairing }))
  );
  const rows = [
    ["", "", ...columns.map(({ direction }, i) => i % PAIRINGS.length === 0 ? direction : "")],
    ["case", "upstream's name", ...columns.map(({ pairing }) => nameOf(pairing))],
    ...cases.map((info) => [
      info.id,
      info.name,
      ...columns.map(({ direction, pairing }) => {
        const cell = at(info, direction, pairing);
        return cell === undefined ? "" : `${cell.outcome}${noteOf(cell) === undefined ? "" : "*"}`;
      }),
    ]),
  ];
  const of = (info: InteropCase, direction: Direction) =>
    cells.filter((cell) => cell.case === info && cell.direction === direction);
  const wrong = directions.flatMap((way) => cases.flatMap((info) => complaints(of(info, way))));
  const missing = cases.length * columns.length - cells.length;
  const judgement = wrong.length > 0
    ? "not all agree"
    : cells.length === 0 || missing > 0
    ? `${missing} cells were not run`
    : "all agree";
  const notes = new Set(cells.flatMap((cell) => noteOf(cell) ?? []));
  const lines = [
    ...aligned(rows),
    ...wrong.length > 0 ? ["", ...wrong] : [],
    ...notes.size > 0 ? ["", ...[...notes].map((note) => `* ${note}`)] : [],
    "",
    `server/client: ${counts(cases, cells)}; ${judgement}`,
    '"ours" is vsock-conformance, "C" the kernel\'s C program',
  ];
  return { text: lines.map((line) => `${line}\n`).join(""), agrees: judgement === "all agree" };
}

function nameOf({ server, client }: Pairing): string {
  return `${server}/${client}`;
}

/** The note of a failure that is known. */
function noteOf(cell: InteropCell): string | undefined {
  return KNOWN_FAILURES.find(({ program, name, direction, says }) =>
    cell.outcome === "FAIL" && cell.case.program === program && cell.case.name === name &&
    cell.direction === direction && cell.reasons.some((reason) => says.test(reason))
  )?.note;
}

/** What is wrong with a case in one direction, as lines; none where all agree that nothing is. */
function complaints(cells: readonly InteropCell[]): string[] {
  const counted = cells.filter((cell) => noteOf(cell) === undefined);
  const [first] = counted;
  if (first === undefined) return [];
  const alike = counted.every(({ outcome }) => outcome === first.outcome);
  if (alike && first.outcome !== "FAIL") return [];
  const what = alike ? "all fail" : "the pairings disagree";
  return [
    `${first.case.id} (${first.direction}): ${what}`,
    ...counted.flatMap(({ pairing, outcome, reasons }) => [
      `  ${nameOf(pairing)}: ${outcome}`,
      ...reasons.map((reason) => `    ${reason}`),
    ]),
  ];
}

function counts(cases: readonly InteropCase[], cells: readonly InteropCell[]): string {
  const count = (outcome: string) => cells.filter((cell) => cell.outcome === outcome).length;
  return `${cases.length} cases, ${cells.length} cells: ${count("ok")} ok, ${
    count("FAIL")
  } FAIL, ` +
    `${count("skip")} skip`;
}

/** Rows of a table as lines; the first row's names stand above several columns. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  // The names of directions stand above several columns: they widen none.
  const [head = [], ...body] = rows;
  const widths = head.map((_, i) => Math.max(...body.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((text, i) => text.padEnd(widths[i] ?? 0)).join("  ").trimEnd();
  return [headline(head, widths), ...body.map(line)];
}

function headline(head: readonly string[], widths: readonly number[]): string {
  let text = "";
  let at = 0;
  for (const [i, name] of head.entries()) {
    if (name !== "") text = `${text.padEnd(at)}${name}`;
    at += (widths[i] ?? 0) + 2;
  }
  return text;
}
