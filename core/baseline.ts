/**
 * Baselines: what is known to fail, and why. A known failure does not make a run fail, and the pass
 * of a case that is said to fail does, so that a baseline never outlives what it speaks of.
 *
 * @module
 */
import { ExpectedError } from "./error.ts";
import type { Verdict } from "./outcome.ts";
import type { Direction } from "./plan.ts";
import { matches } from "./selector.ts";

/** A baseline that cannot be used as it is written. */
export class BaselineError extends ExpectedError {
  /** Tells it from other errors. */
  override readonly name = "BaselineError";
}

/** A version that kernels are compared with, to as many numbers as it has. */
interface Bound {
  readonly sign: Sign;
  readonly version: readonly number[];
}

const SIGNS = {
  "=": (order: number) => order === 0,
  "<": (order: number) => order < 0,
  "<=": (order: number) => order <= 0,
  ">": (order: number) => order > 0,
  ">=": (order: number) => order >= 0,
} as const;
type Sign = keyof typeof SIGNS;

/** A line of a baseline. */
interface Entry {
  /** `file:line`, for messages. */
  readonly at: string;
  readonly selector: string;
  /** Where it holds; everywhere if there is none. */
  readonly directions: readonly string[];
  /** Kernels of which it holds: all of these. */
  readonly bounds: readonly Bound[];
  readonly reason: string;
}

const DIRECTIONS: Readonly<Record<Direction, true>> = {
  "host-server": true,
  "guest-server": true,
  loopback: true,
};
const BOUND = /^(<=|>=|<|>|)(\d+(?:\.\d+){0,2})$/;

/** Where a verdict fell. */
export interface Judged {
  /** The case's id. */
  readonly id: string;
  /** Which end played the server. */
  readonly direction: Direction;
  /** uname -r of the ends. */
  readonly kernels: readonly string[];
}

/** Known failures. */
export class Baseline {
  readonly #entries: readonly Entry[];

  private constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  /** One that knows of no failure. */
  static readonly none: Baseline = new Baseline([]);

  /**
   * Reads a baseline: lines `selector [direction] [kernel range] # reason`, and lines that are
   * empty or begin with `#`.
   *
   * @param source its name, for messages.
   * @param ids all cases that there are.
   * @throws {BaselineError} for a line of another form, one that is there twice, one whose range
   * no version is in, and one that matches no case.
   */
  static parse(text: string, source: string, ids: readonly string[]): Baseline {
    const entries = text.split("\n").flatMap((line, i) => {
      const trimmed = line.trim();
      return trimmed === "" || trimmed.startsWith("#")
        ? []
        : [parse(trimmed, `${source}:${i + 1}`)];
    });
    for (const [i, entry] of entries.entries()) {
      const { at, selector } = entry;
      if (!ids.some((id) => matches(selector, id))) {
        throw new BaselineError(
          `${at}: no case matches "${selector}"; correct or remove the line`,
        );
      }
      const same = entries.slice(0, i).find((other) => keyOf(other) === keyOf(entry));
      if (same !== undefined) throw new BaselineError(`${at}: repeats ${same.at}`);
      if (!isPossible(entry.bounds)) {
        throw new BaselineError(`${at}: no kernel's version is in that range`);
      }
    }
    return new Baseline(entries);
  }

  /**
   * What a verdict is in the light of what is known. What could not be judged (broken, skip), and
   * a fault of a kernel or its death, stays what it is: no claim that is known to fail was made
   * there, or more went wrong than that.
   */
  judge(where: Judged, verdict: Verdict): Verdict {
    const known = this.#entries.find((entry) => holds(entry, where));
    if (known === undefined) return verdict;
    const { outcome, reasons } = verdict;
    if (outcome === "pass" || outcome === "retried") {
      const why = `it passed, but ${known.at} says that it fails (${known.reason}): ` +
        "remove the line, or narrow what it says";
      return { ...verdict, outcome: "unexpected-pass", reasons: [why, ...reasons] };
    }
    if (!isDeniedClaim(verdict)) return verdict;
    const why = `known: ${known.reason.replace(/^known: /, "")} (${known.at})`;
    return { ...verdict, outcome: "expected-fail", reasons: [why, ...reasons] };
  }
}

/**
 * Whether what a case claims did not hold, and no more went wrong than that: no kernel reported a
 * fault, or died (then there are no reports of both sides).
 */
export function isDeniedClaim({ outcome, sides }: Verdict): boolean {
  const claimed = outcome === "fail" || outcome === "warn" || outcome === "timeout";
  return claimed && sides !== undefined &&
    [sides.client, sides.server].every(({ splats = [] }) => splats.length === 0);
}

function parse(line: string, at: string): Entry {
  const mark = line.indexOf("#");
  const reason = mark < 0 ? "" : line.slice(mark + 1).trim();
  if (reason === "") throw new BaselineError(`${at}: no reason; write "selector # reason"`);
  const [selector = "", ...words] = line.slice(0, mark).trim().split(/\s+/);
  const directions = words.filter((word) => Object.hasOwn(DIRECTIONS, word));
  const bounds = words.filter((word) => !Object.hasOwn(DIRECTIONS, word)).map((word): Bound => {
    const bound = boundOf(word);
    if (bound === undefined) {
      throw new BaselineError(
        `${at}: "${word}" is neither a kernel's version, as 6.1, <6.12 or >=6.2, nor one of ` +
          Object.keys(DIRECTIONS).join(", "),
      );
    }
    return bound;
  });
  return { at, selector, directions, bounds, reason };
}

function keyOf({ selector, directions, bounds }: Entry): string {
  return JSON.stringify([selector, directions, bounds]);
}

function holds({ selector, directions, bounds }: Entry, where: Judged): boolean {
  return matches(selector, where.id) &&
    (directions.length === 0 || directions.includes(where.direction)) &&
    where.kernels.some((kernel) => isWithin(versionOf(kernel), bounds));
}

/**
 * Whether a kernel is in a range as a baseline writes it: `6.1`, `>=6.2 <6.13`; every one is in "".
 *
 * @param release its `uname -r`.
 */
export function isKernelIn(release: string, range: string): boolean {
  const bounds = range.split(" ").filter((word) => word !== "").map(boundOf);
  return bounds.every((bound) => bound !== undefined && isWithin(versionOf(release), [bound]));
}

/** A bound of a kernel's version; undefined for a word that is none. */
function boundOf(word: string): Bound | undefined {
  const [, sign = "", version = ""] = BOUND.exec(word) ?? [];
  if (version === "") return undefined;
  return { sign: sign === "" ? "=" : sign as Sign, version: version.split(".").map(Number) };
}

/** The numbers with which `uname -r` begins. */
function versionOf(release: string): number[] {
  return (/^\d+(\.\d+)*/.exec(release)?.[0] ?? "").split(".").map(Number);
}

function isWithin(version: readonly number[], bounds: readonly Bound[]): boolean {
  return bounds.every((bound) => SIGNS[bound.sign](compare(version, bound.version)));
}

/** Compares to as many numbers as `to` has: every 6.1.x is 6.1. */
function compare(version: readonly number[], to: readonly number[]): number {
  for (const [i, number] of to.entries()) {
    const difference = (version[i] ?? 0) - number;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether any version is within bounds: if one is, one is next to a bound. */
function isPossible(bounds: readonly Bound[]): boolean {
  const near = bounds.flatMap(({ version }) => {
    const [a = 0, b = 0, c = 0] = version;
    const last = version.length - 1;
    const step = (by: number) => [a, b, c].map((n, i) => i === last ? n + by : n);
    return [step(-1).map((n, i) => i > last ? 1e6 : n), step(0), step(1)];
  });
  return [[0, 0, 0], ...near].some((version) =>
    version.every((n) => n >= 0) && isWithin(version, bounds)
  );
}
