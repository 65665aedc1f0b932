/**
 * How long cases took between two programs of ours and between two of C's, on the same kernels.
 *
 * @module
 */
import type { Direction } from "../core/plan.ts";
import type { CrossCase, CrossCell, Player } from "./cross.ts";
import { aligned } from "./cross_table.ts";

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

/** The times as a table, with their sums; empty where none were watched. */
export function crossTimes(cases: readonly CrossCase[], cells: readonly CrossCell[]): string {
  const directions = [...new Set(cells.map(({ direction }) => direction))];
  const time = (info: CrossCase, direction: Direction, player: Player) =>
    cells.find((cell) =>
      cell.case === info && cell.direction === direction && cell.outcome === "ok" &&
      cell.pairing.server === player && cell.pairing.client === player
    )?.milliseconds;
  const sums = directions.map(() => ({ ours: 0, c: 0 }));
  const rows = cases.map((info) => [
    info.id,
    ...directions.flatMap((direction, i) => {
      const ours = time(info, direction, "ours");
      const c = time(info, direction, "C");
      const sum = sums[i];
      // Only what both did can be compared.
      if (sum === undefined || ours === undefined || c === undefined) return ["", "", ""];
      sum.ours += ours;
      sum.c += c;
      return figures(ours, c);
    }),
  ]);
  if (sums.every(({ ours, c }) => ours === 0 && c === 0)) return "";
  const table = aligned([
    ["", ...directions.flatMap((direction) => [direction, "", ""])],
    ["time of a case, in ms", ...directions.flatMap(() => ["ours/ours", "C/C", "ratio"])],
    ...rows,
    ["all of these", ...sums.flatMap(({ ours, c }) => figures(ours, c))],
  ]);
  return table.map((line) => `${line}\n`).join("");
}

function figures(ours: number, c: number): string[] {
  return [ours.toFixed(0), c.toFixed(0), c < 1 ? "" : (ours / c).toFixed(2)];
}
