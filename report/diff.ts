/**
 * What changed from one run to another.
 *
 * @module
 */
import { oneLine } from "../core/clean.ts";
import type { Outcome, Verdict } from "../core/outcome.ts";
import type { ReportedCase, RunReport } from "./model.ts";
import { duration, endText } from "./text.ts";

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
    const kind = compare(old.verdict, entry.verdict);
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

/** Whether changes are for the worse. */
export function isRegression(changes: readonly Change[]): boolean {
  return changes.some(({ kind }) => kind === "regressed" || kind === "unchecked");
}

function nameOf({ id, direction }: Pick<ReportedCase, "id" | "direction">): string {
  return `${id} (${direction})`;
}

function compare(before?: Verdict, after?: Verdict): ChangeKind | undefined {
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

/** Reasons without their numbers: descriptors, times and random lengths differ in every run. */
function reasonsKey(verdict?: Verdict): string {
  return (verdict?.reasons ?? []).join("\n").replace(/\b(0x[0-9a-f]+|\d+)\b/g, "N");
}

function isSlower(before?: Verdict, after?: Verdict): boolean {
  const [was, is] = [before?.milliseconds ?? 0, after?.milliseconds ?? 0];
  return is >= SLOWER_FACTOR * was && is - was >= SLOWER_BY;
}

const HEADINGS: Readonly<Record<ChangeKind, string>> = {
  regressed: "newly failing",
  unchecked: "held before, not checked now",
  fixed: "fixed",
  otherwise: "changed, neither fixed nor newly failing",
  slower: "slower",
  new: "new cases",
  gone: "cases that are gone",
};

/** Changes as text, the worst first. */
export function diffText(before: RunReport, after: RunReport): string {
  const changes = diffReports(before, after);
  const lines = [`before: ${runText(before)}`, `after:  ${runText(after)}`];
  for (const [kind, heading] of Object.entries(HEADINGS)) {
    const of = changes.filter((change) => change.kind === kind);
    if (of.length > 0) lines.push("", `${heading} (${of.length})`, ...of.flatMap(changeLines));
  }
  if (changes.length === 0) lines.push("", "nothing changed");
  return `${lines.join("\n")}\n`;
}

function runText({ ends, startedAt, tool, seed }: RunReport): string {
  return oneLine(`${startedAt}, tool ${tool}, seed ${seed}, ${ends.map(endText).join("; ")}`);
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
