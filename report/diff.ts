/**
 * What changed from one run to another.
 *
 * @module
 */
import { oneLine } from "../core/clean.ts";
import { inBrief, type Outcome, type Verdict } from "../core/outcome.ts";
import type { ReportedCase, RunReport } from "./model.ts";
import { endText } from "./text.ts";
import { duration } from "../core/duration.ts";

/** What is of one kind among the changes. */
export type ChangeKind =
  /** Fails, hangs or is broken now, and was not before, or a baseline excused it. */
  | "regressed"
  /** Held before, and now is skipped or did not run: nobody knows that it still holds. */
  | "unchecked"
  /** Did not do well before, and does now. */
  | "fixed"
  /** Neither better nor worse, but otherwise: another outcome, or other reasons. */
  | "otherwise"
  /** Ended as before, in much more time. */
  | "slower"
  /** The earlier run's plan lacks it. */
  | "new"
  /** The later run's plan lacks it. */
  | "gone";

/** A case that changed. */
export interface Change {
  /** What kind of change it is. */
  readonly kind: ChangeKind;
  /** The case in the earlier run, if it is there. */
  readonly before?: ReportedCase;
  /** The case in the later run, if it is there. */
  readonly after?: ReportedCase;
}

/** A case takes longer if it takes this many times as long ... */
const SLOWER_FACTOR = 2;
/** ... and this much longer, in milliseconds; below that the machine decides. */
const SLOWER_BY = 1000;

/** How bad an outcome is, where it is bad: a failure that is known is less than one that is not. */
const BAD: ReadonlyMap<Outcome | undefined, number> = new Map([
  ["expected-fail", 1],
  ["fail", 2],
  ["timeout", 2],
  ["broken", 2],
]);
const HELD: ReadonlySet<Outcome> = new Set(["pass", "warn", "retried", "unexpected-pass"]);

/** The changes from an earlier run to a later one, in the order of the later one's plan. */
export function diffReports(before: RunReport, after: RunReport): Change[] {
  const earlier = new Map(before.cases.map((entry) => [nameOf(entry), entry]));
  const later = new Set(after.cases.map(nameOf));
  const changes = after.cases.flatMap((entry): Change[] => {
    const old = earlier.get(nameOf(entry));
    if (old === undefined) return [{ kind: "new", after: entry }];
    const kind = compareVerdicts(old.verdict, entry.verdict);
    return kind === undefined ? [] : [{ kind, before: old, after: entry }];
  });
  const gone = before.cases.filter((entry) => !later.has(nameOf(entry)));
  return [...changes, ...gone.map((entry): Change => ({ kind: "gone", before: entry }))];
}

/** Whether the two runs have a case in common, in the same direction. */
export function comparable(before: RunReport, after: RunReport): boolean {
  const earlier = new Set(before.cases.map(nameOf));
  return after.cases.some((entry) => earlier.has(nameOf(entry)));
}

/** How two runs are compared. */
export interface DiffOptions {
  /** Whether the later run was meant to have fewer cases. */
  readonly subset?: boolean | undefined;
}

/**
 * Whether changes are for the worse: something fails newly, or nobody knows any more whether it
 * holds. What was skipped before, or did not run, was not known before, either.
 */
export function isRegression(changes: readonly Change[], { subset }: DiffOptions = {}): boolean {
  return changes.some(({ kind, before }) => {
    const outcome = before?.verdict?.outcome;
    const wasJudged = outcome !== undefined && outcome !== "skip";
    const isGone = kind === "gone" && wasJudged && subset !== true;
    return kind === "regressed" || kind === "unchecked" || isGone;
  });
}

function nameOf({ id, direction }: Pick<ReportedCase, "id" | "direction">): string {
  return `${id} (${direction})`;
}

/** What kind of change one verdict is after another one; undefined if it is none. */
export function compareVerdicts(before?: Verdict, after?: Verdict): ChangeKind | undefined {
  const [was, is] = [before?.outcome, after?.outcome];
  if (BAD.has(is)) {
    if ((BAD.get(is) ?? 0) > (BAD.get(was) ?? 0)) return "regressed";
    const other = was !== is || reasonsKey(before) !== reasonsKey(after);
    return other ? "otherwise" : undefined;
  }
  if (BAD.has(was)) {
    return is !== undefined && HELD.has(is) ? "fixed" : "otherwise";
  }
  if (was !== undefined && HELD.has(was) && (is === undefined || !HELD.has(is))) return "unchecked";
  if (was !== is || reasonsKey(before) !== reasonsKey(after)) return "otherwise";
  return isSlower(before, after) ? "slower" : undefined;
}

/**
 * Reasons without their numbers and pictures: descriptors, times, random lengths and updates of
 * credit differ in every run.
 */
function reasonsKey(verdict?: Verdict): string {
  return inBrief(verdict ?? { reasons: [] }).replace(/\b(0x[0-9a-f]+|\d+)\b/g, "N");
}

function isSlower(before?: Verdict, after?: Verdict): boolean {
  const [was, is] = [before?.milliseconds ?? 0, after?.milliseconds ?? 0];
  return is >= SLOWER_FACTOR * was && is - was >= SLOWER_BY;
}

const HEADINGS: Readonly<Record<ChangeKind, string>> = {
  regressed: "newly failing",
  unchecked: "held before, not checked now",
  gone: "cases that are gone",
  fixed: "fixed",
  otherwise: "changed, neither fixed nor newly failing",
  slower: "slower",
  new: "new cases",
};

/** Changes as text, the worst first. */
export function diffText(
  before: RunReport,
  after: RunReport,
  { subset }: DiffOptions = {},
): string {
  const all = diffReports(before, after);
  const changes = subset ? all.filter(({ kind }) => kind !== "gone") : all;
  const differences = differencesOf(before, after);
  const lines = [
    ...(differences.length > 0 ? [`these differ: ${differences.join("; ")}`] : []),
    `before: ${runText(before)}`,
    `after:  ${runText(after)}`,
  ];
  for (const [kind, heading] of Object.entries(HEADINGS)) {
    const of = changes.filter((change) => change.kind === kind);
    if (of.length > 0) lines.push("", `${heading} (${of.length})`, ...of.flatMap(changeLines));
  }
  const left = all.length - changes.length;
  if (all.length === 0) lines.push("", "nothing changed");
  if (left > 0) {
    const cases = left === 1 ? "case of the earlier run is" : "cases of the earlier run are";
    lines.push("", `${left} ${cases} not in the later one: --subset`);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * What two runs ran on, where that differs: one line each. A run that never began ran on nothing.
 */
function differencesOf(before: RunReport, after: RunReport): string[] {
  if (before.notStarted !== undefined || after.notStarted !== undefined) return [];
  const topology = before.topology === after.topology
    ? []
    : [`topology: ${before.topology} -> ${after.topology}`];
  const names = new Set([...before.ends, ...after.ends].map(({ name }) => name));
  const kernelOf = ({ ends }: RunReport, of: string) => {
    const end = ends.find(({ name }) => name === of);
    return end === undefined ? "none" : `Linux ${end.kernel} ${end.machine}`;
  };
  const kernels = [...names].flatMap((name) => {
    const [was, is] = [kernelOf(before, name), kernelOf(after, name)];
    return was === is ? [] : [`${name}: ${was} -> ${is}`];
  });
  return [...topology, ...kernels].map(oneLine);
}

function runText({ ends, startedAt, tool, seed, notStarted }: RunReport): string {
  const on = notStarted === undefined
    ? ends.map(endText).join("; ")
    : `did not start: ${notStarted.reason}`;
  return oneLine(`${startedAt}, tool ${tool}, seed ${seed}, ${on}`);
}

function changeLines({ kind, before, after }: Change): string[] {
  const entry = after ?? before;
  const outcome = (of?: ReportedCase) => of?.verdict?.outcome ?? "did not run";
  const time = (of?: ReportedCase) => duration(of?.verdict?.milliseconds ?? 0);
  const what = kind === "slower"
    ? `${time(before)} -> ${time(after)}`
    : before === undefined || after === undefined
    ? outcome(entry)
    : `${outcome(before)} -> ${outcome(after)}`;
  const reasons = (sign: string, of?: ReportedCase) =>
    kind === "slower"
      ? []
      : (of?.verdict?.reasons ?? []).map((text) => `    ${sign} ${oneLine(text)}`);
  const name = entry === undefined ? "" : nameOf(entry);
  const old = kind === "otherwise" ? reasons("-", before) : [];
  return [`  ${name}: ${what}`, ...old, ...(after === undefined ? [] : reasons("+", after))];
}
