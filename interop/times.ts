/**
 * How long cases took between two vsock-conformance programs and between two C programs, on the
 * same kernels.
 *
 * @module
 */
import type { Direction } from "../core/plan.ts";
import { aligned } from "./table.ts";
import type { InteropCase, InteropCell, Player } from "./cell.ts";

/** A case's line, which both kinds of program write when it begins. */
const BEGIN = /^(\d+) - .*?\.\.\./gm;

/** The times of a program's cases, by when its lines come. */
export class CaseClock {
  #text = "";
  readonly #begins: (readonly [position: number, time: number])[] = [];
  readonly #now: () => number;
  #last = 0;

  /** @param now the time, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes what the program writes, as it comes. */
  take(text: string): void {
    this.#last = this.#now();
    this.#text += text;
    const known = this.#begins.length;
    for (const [, position] of [...this.#text.matchAll(BEGIN)].slice(known)) {
      this.#begins.push([Number(position), this.#last]);
    }
  }

  /** Milliseconds from each case's line to the next one's, or to the last of the output. */
  times(): ReadonlyMap<number, number> {
    return new Map(
      this.#begins.map(([position, time], i) =>
        [position, (this.#begins[i + 1]?.[1] ?? this.#last) - time] as const
      ),
    );
  }
}

/** A case that both kinds of program passed in a direction, and how long either took. */
export interface TimedCase {
  readonly case: InteropCase;
  /** Milliseconds between two vsock-conformance programs. */
  readonly ours: number;
  /** Milliseconds between two C programs. */
  readonly c: number;
}

/** How long the runner and its agents took for the timed cases of a direction. */
export interface RunnerTime {
  readonly direction: Direction;
  /** How, in words, such as `--jobs 4`. */
  readonly how: string;
  /** Undefined where it did not come to the end of them, or not all passed. */
  readonly milliseconds: number | undefined;
}

/** What can be compared in a direction: only what both passed. */
export function timedCases(
  cases: readonly InteropCase[],
  cells: readonly InteropCell[],
  direction: Direction,
): TimedCase[] {
  const time = (info: InteropCase, player: Player) =>
    cells.find((cell) =>
      cell.case === info && cell.direction === direction && cell.outcome === "ok" &&
      cell.pairing.server === player && cell.pairing.client === player
    )?.milliseconds;
  return cases.flatMap((info): TimedCase[] => {
    const [ours, c] = [time(info, "ours"), time(info, "C")];
    return ours === undefined || c === undefined ? [] : [{ case: info, ours, c }];
  });
}

/** The times as a table, with their sums; empty where none were watched. */
export function interopTimes(
  cases: readonly InteropCase[],
  cells: readonly InteropCell[],
  runner: readonly RunnerTime[] = [],
): string {
  const directions = [...new Set(cells.map(({ direction }) => direction))];
  const timed = directions.map((direction) => timedCases(cases, cells, direction));
  if (timed.every(({ length }) => length === 0)) return "";
  const sum = (list: readonly TimedCase[], of: "ours" | "c") =>
    list.reduce((total, one) => total + one[of], 0);
  const row = (info: InteropCase) =>
    timed.flatMap((list) => {
      const found = list.find((one) => one.case === info);
      return found === undefined ? ["", "", ""] : figures(found.ours, found.c);
    });
  const byRunner = [...Map.groupBy(runner, ({ how }) => how)].map(([how, runs]) => [
    `all of these, ${how}`,
    ...directions.flatMap((direction, i) => {
      const ours = runs.find((run) => run.direction === direction)?.milliseconds;
      return ours === undefined ? ["", "", ""] : figures(ours, sum(timed[i] ?? [], "c"));
    }),
  ]);
  const table = aligned([
    ["", ...directions.flatMap((direction) => [direction, "", ""])],
    ["time of a case, in ms", ...directions.flatMap(() => ["ours/ours", "C/C", "ratio"])],
    ...cases.map((info) => [info.id, ...row(info)]),
    ["all of these", ...timed.flatMap((list) => figures(sum(list, "ours"), sum(list, "c")))],
    ...byRunner,
  ]);
  return table.map((line) => `${line}\n`).join("");
}

function figures(ours: number, c: number): string[] {
  return [ours.toFixed(0), c.toFixed(0), c < 1 ? "" : (ours / c).toFixed(2)];
}
