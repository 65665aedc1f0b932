/**
 * Judges the output of two programs of the kernel's protocol, case by case.
 *
 * @module
 */

import { cleanLines } from "../core/clean.ts";

/** How a case ended between two programs. */
export type CellOutcome = "ok" | "FAIL" | "skip";

/** The result of a case between two programs. */
export interface Cell {
  readonly outcome: CellOutcome;
  /** The programs' output, each line with its side; empty if the case is ok. */
  readonly reasons: readonly string[];
}

/** A run of one program. */
export interface ProgramRun {
  /** Its name in reasons: `C server`. */
  readonly name: string;
  /** Its output. */
  readonly output: string;
  /** Its exit code. */
  readonly status: number;
  /** How long each case took, in milliseconds, by position; undefined if not measured. */
  readonly times?: ReadonlyMap<number, number>;
}

/** The verdicts after two programs have ended. */
export interface SessionVerdicts {
  /** By position in the list. */
  readonly cells: ReadonlyMap<number, Cell>;
  /** Cases without a verdict yet, since a failure ends both programs. */
  readonly left: readonly number[];
}

/** The maximum number of lines of a program's output in the reasons. */
const MAX_LINES = 6;

/**
 * Judges a session.
 *
 * @param wanted the positions that neither program was told to skip, in order.
 */
export function judgeSession(
  wanted: readonly number[],
  server: ProgramRun,
  client: ProgramRun,
): SessionVerdicts {
  const runs = [server, client].map((run) => {
    const output = cleanLines(run.output);
    return { ...run, output, cases: casesOf(output) };
  });
  const cells = new Map<number, Cell>();
  for (const [index, position] of wanted.entries()) {
    const ends = runs.map(({ cases }) => cases.get(position));
    const failed = ends.some((end) => end?.outcome === "FAIL");
    const missing = ends.some((end) => end === undefined);
    if (failed || missing) {
      const reasons = runs.flatMap(({ name, output, status }, i) => {
        const own = ends[i];
        if (own?.outcome === "ok") return [`${name}: ok`];
        const said = own === undefined ? lastLines(output) : own.said;
        return [...said.map((line) => `${name}: ${line}`), `${name}: ended with ${status}`];
      });
      // If a program did not reach a case, it does not reach later ones, either.
      const lost = failed ? [position] : wanted.slice(index);
      for (const each of lost) cells.set(each, { outcome: "FAIL", reasons });
      return { cells, left: failed ? wanted.slice(index + 1) : [] };
    }
    const skips = runs.flatMap(({ name }, i) =>
      ends[i]?.outcome === "skip" ? [`${name}: ${ends[i].said.join(" ") || "skipped"}`] : []
    );
    cells.set(position, { outcome: skips.length > 0 ? "skip" : "ok", reasons: skips });
  }
  return { cells: withEnd(cells, wanted, runs), left: [] };
}

/** The last case fails as well if a program failed at the end of them all. */
function withEnd(
  cells: ReadonlyMap<number, Cell>,
  wanted: readonly number[],
  runs: readonly ProgramRun[],
): ReadonlyMap<number, Cell> {
  const last = wanted.at(-1);
  const reasons = runs.filter(({ status }) => status !== 0).flatMap(({ name, output, status }) => [
    ...lastLines(output).map((line) => `${name}: ${line}`),
    `${name}: ended with ${status} after all cases`,
  ]);
  if (last === undefined || reasons.length === 0) return cells;
  return new Map(cells).set(last, { outcome: "FAIL", reasons });
}

interface CaseEnd {
  readonly outcome: CellOutcome;
  readonly said: readonly string[];
}

/** How each case ended for a program: `4 - name...`, what it said meanwhile, and `ok`. */
function casesOf(output: string): ReadonlyMap<number, CaseEnd> {
  const ends = new Map<number, CaseEnd>();
  const parts = output.split(/^(?=\d+ - |\w+ tests? ha\w+ been executed)/m);
  for (const part of parts) {
    const match = /^(\d+) - .*?\.\.\.([^]*)$/.exec(part);
    if (match === null) continue;
    const said = linesOf(match[2] ?? "");
    ends.set(Number(match[1]), { ...endOf(said), said: said.slice(0, MAX_LINES) });
  }
  return ends;
}

function endOf(said: readonly string[]): Pick<CaseEnd, "outcome"> {
  if (said[0] === "skipped") return { outcome: "skip" };
  if (said.at(-1) !== "ok") return { outcome: "FAIL" };
  // The C program prints this and continues if the kernel lacks something.
  return { outcome: said.some((line) => /^Test skipped/.test(line)) ? "skip" : "ok" };
}

function lastLines(output: string): string[] {
  return linesOf(output).slice(-MAX_LINES);
}

function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}
