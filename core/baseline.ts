/**
 * Baselines: lists of known failures, with reasons. A known failure does not fail a run, but a pass
 * of such a case does, so that no line outlives the failure that it describes.
 *
 * @module
 */
import { ExpectedError } from "./error.ts";
import type { Verdict } from "./outcome.ts";
import type { Direction } from "./plan.ts";
import { matches } from "./selector.ts";

/** A baseline that is not valid. */
export class BaselineError extends ExpectedError {
  /** Tells it from other errors. */
  override readonly name = "BaselineError";
}

/** A version to compare kernels with; only as many numbers as it has are compared. */
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
  /** The direction to which it applies; all if undefined. */
  readonly directions: readonly string[];
  /** The range of kernels to which it applies: all bounds must hold. */
  readonly bounds: readonly Bound[];
  readonly reason: string;
}

const DIRECTIONS: Readonly<Record<Direction, true>> = {
  "host-server": true,
  "guest-server": true,
  loopback: true,
};
const BOUND = /^(<=|>=|<|>|)(\d+(?:\.\d+){0,2})$/;

/** The case of a verdict, and where it ran. */
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

  /** A baseline without any failures. */
  static readonly none: Baseline = new Baseline([]);

  /**
   * Parses a baseline: lines `selector [direction] [kernel range] # reason`; lines that are empty
   * or begin with `#` are ignored.
   *
   * @param source its name, for messages.
   * @param ids the ids of all cases.
   * @throws {BaselineError} for a malformed line, a duplicate, a range that contains no version,
   * and a line that matches no case.
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
   * Applies the baseline to a verdict. Broken and skipped cases, and those in which a kernel
   * reported a fault or died, stay as they are: the check that is known to fail was not made, or
   * more than that went wrong.
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
    const claimed = outcome === "fail" || outcome === "warn" || outcome === "timeout";
    if (!claimed || hasFault(verdict)) return verdict;
    const why = `known: ${known.reason} (${known.at})`;
    return { ...verdict, outcome: "expected-fail", reasons: [why, ...reasons] };
  }
}

/** Whether a kernel reported a fault or died, in which case reports are missing. */
function hasFault({ sides }: Verdict): boolean {
  return sides === undefined ||
    [sides.client, sides.server].some(({ splats = [] }) => splats.length > 0);
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
        `${at}: "${word}" is neither a kernel's version, such as 6.1, <6.12 or >=6.2, nor one of ` +
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
 * Whether a kernel is in a range, as written in a baseline: `6.1`, `>=6.2 <6.13`; "" contains all.
 *
 * @param release its `uname -r`.
 */
export function isKernelIn(release: string, range: string): boolean {
  const bounds = range.split(" ").filter((word) => word !== "").map(boundOf);
  return bounds.every((bound) => bound !== undefined && isWithin(versionOf(release), [bound]));
}

/** Parses a bound of a kernel's version; undefined if it is none. */
function boundOf(word: string): Bound | undefined {
  const [, sign = "", version = ""] = BOUND.exec(word) ?? [];
  if (version === "") return undefined;
  return { sign: sign === "" ? "=" : sign as Sign, version: version.split(".").map(Number) };
}

/** The numbers at the beginning of `uname -r`. */
function versionOf(release: string): number[] {
  return (/^\d+(\.\d+)*/.exec(release)?.[0] ?? "").split(".").map(Number);
}

function isWithin(version: readonly number[], bounds: readonly Bound[]): boolean {
  return bounds.every((bound) => SIGNS[bound.sign](compare(version, bound.version)));
}

/** Compares only as many numbers as `to` has: every 6.1.x equals 6.1. */
function compare(version: readonly number[], to: readonly number[]): number {
  for (const [i, number] of to.entries()) {
    const difference = (version[i] ?? 0) - number;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether any version is within bounds; if so, there is one next to a bound. */
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
