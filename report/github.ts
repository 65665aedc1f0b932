/**
 * What GitHub Actions shows: annotations (workflow commands on standard output), and a summary of
 * the job (Markdown, for the file $GITHUB_STEP_SUMMARY).
 *
 * @module
 */
import { oneLine } from "../core/clean.ts";
import { inBrief, type Outcome } from "../core/outcome.ts";
import {
  byDirection,
  countsOf,
  type ReportedCase,
  type ReportedReference,
  type RunReport,
} from "./model.ts";
import { againText, factList, retryText, warningsOf } from "./run_facts.ts";
import { countsText, decisiveFirst, DIRECTION_TEXT, endText, headline } from "./text.ts";
import { duration } from "../core/duration.ts";

/** What each outcome is annotated as, if it is. */
const ANNOTATED: Readonly<Partial<Record<Outcome, "error" | "warning">>> = {
  fail: "error",
  timeout: "error",
  broken: "error",
  warn: "warning",
  retried: "warning",
  "unexpected-pass": "error",
};

/** Most reasons of a case in the summary, which may have 1 MiB for a step. */
const MAX_REASONS = 12;

/** Most annotations of a level; GitHub shows 10 of a step, and drops the others without a word. */
const MAX_ANNOTATIONS = 9;
/** Most names of cases in the annotation that stands for all others. */
const MAX_NAMES = 20;

/** A report as annotations: for the run, and for each case that did not do well, as many as fit. */
export function githubAnnotations(report: RunReport): string {
  const text = [headline(report), ...report.ends.map(endText), ...notesOf(report)]
    .map(oneLine).join("\n");
  const isWhole = report.stopped === undefined && report.notStarted === undefined;
  const run = command(isWhole ? "notice" : "error", "vsock-conformance", text);
  const lines = isWhole
    ? [...annotated(report, "error"), ...annotated(report, "warning"), run]
    // First: it is what is wrong with all the others.
    : [run, ...annotated(report, "error", 1), ...annotated(report, "warning")];
  return `${lines.join("\n")}\n`;
}

/**
 * The annotations of a level, and one that stands for those for which there is no room.
 *
 * @param taken how many others there are of that level.
 */
function annotated(report: RunReport, level: "error" | "warning", taken = 0): string[] {
  const all = report.cases.filter(({ verdict }) => verdict && ANNOTATED[verdict.outcome] === level);
  const room = MAX_ANNOTATIONS - taken;
  const shown = all.slice(0, room).map((entry) => annotation(level, entry, report));
  const left = all.slice(room);
  if (left.length === 0) return shown;
  const names = left.slice(0, MAX_NAMES).map(({ id, direction, verdict }) =>
    `${verdict?.outcome}: ${id} (${direction})`
  );
  const more = left.length - names.length;
  const text = [
    "GitHub shows only 10 annotations of a kind; the others, with their reasons, are in the " +
    "job's summary (report markdown) and in every other form of the report:",
    ...names,
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
  const title = `${left.length} more ${level}${left.length === 1 ? "" : "s"}`;
  return [...shown, command(level, title, text.join("\n"))];
}

function annotation(
  level: "error" | "warning",
  entry: ReportedCase,
  report: RunReport,
): string {
  const { id, direction, requirement, verdict, seed } = entry;
  const again = againText(report, { id, direction, seed });
  const reasons = verdict === undefined ? [] : decisiveFirst(verdict);
  const last = again === undefined ? [] : [`again: ${again}`];
  const text = [...reasons, requirement, ...last].map(oneLine).join("\n");
  return command(level, `${verdict?.outcome}: ${id} (${direction})`, text);
}

/** What must be known of a run besides its verdicts, one line each. */
function notesOf({ ends, retries = [], ...report }: RunReport): string[] {
  return [
    ...warningsOf(ends),
    ...retries.map((retry) => `done again: ${retryText(retry)}`),
    ...factList({ ...report, ends }).map(([name, value]) => `${name}: ${value}`),
  ];
}

/** A workflow command; its escapes are those of GitHub's own toolkit. */
function command(level: "error" | "warning" | "notice", title: string, text: string): string {
  const data = (value: string) => value.replaceAll("%", "%25").replaceAll("\n", "%0A");
  const property = data(title).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::${level} title=${property}::${data(text)}`;
}

/** A report as Markdown. */
export function markdown(report: RunReport): string {
  const title = `## vsock-conformance: ${escapeText(headline(report))}`;
  const lines = report.notStarted === undefined ? summary(report) : onWhat(report).join("\n");
  return `${title}\n${lines}`;
}

function summary(report: RunReport): string {
  const groups = byDirection(report.cases);
  const notable = report.cases.filter(({ verdict }) => verdict?.outcome !== "pass");
  const failed = notable.filter(({ verdict }) => verdict && ANNOTATED[verdict.outcome]);
  const known = notable.filter(({ verdict }) => verdict?.outcome === "expected-fail");
  const skipped = notable.filter(({ verdict }) => verdict?.outcome === "skip");
  const left = notable.filter(({ verdict }) => verdict === undefined);
  return [
    "",
    ...report.ends.map((end) => `- ${escapeText(endText(end))}`),
    `- seed ${report.seed}, ${duration(report.milliseconds)}`,
    ...onWhat(report),
    "| direction | verdicts |",
    "| --- | --- |",
    ...groups.map(([direction, cases]) =>
      `| **${direction}**: ${DIRECTION_TEXT[direction]} | ${countsText(countsOf({ cases }))} |`
    ),
    "",
    ...failed.flatMap((entry) => details(entry, report)),
    ...folded("failed as expected", known),
    ...folded("skipped", skipped),
    ...folded("did not run", left),
  ].join("\n");
}

/** Warnings, what was done again, and, folded, what a run was made on. */
function onWhat({ ends, retries = [], ...report }: RunReport): string[] {
  const facts = factList({ ...report, ends });
  return [
    "",
    ...warningsOf(ends).map((warning) => `- **${escapeText(warning)}**`),
    ...retries.map((retry) => `- done again: ${escapeText(retryText(retry))}`),
    "",
    "<details><summary>what it ran on</summary>",
    "",
    ...facts.map(([name, value]) => `- ${escapeText(`${name}: ${value}`)}`),
    "",
    "</details>",
    "",
  ];
}

/** A case with its reasons, open. */
function details(entry: ReportedCase, report: RunReport): string[] {
  const { id, direction, requirement, refs = [], verdict } = entry;
  const again = againText(report, entry);
  const reasons = verdict === undefined ? [] : decisiveFirst(verdict).map(oneLine);
  const more = reasons.length - MAX_REASONS;
  const shown = [...reasons.slice(0, MAX_REASONS), ...(more > 0 ? [`and ${more} more`] : [])];
  return [
    `### ${verdict?.outcome}: ${id}, ${direction}`,
    "",
    escapeText(requirement),
    "",
    // No list: what is indented behind one is a part of it, and no block of its own.
    ...(refs.length === 0 ? [] : [sourcesLine(refs), ""]),
    // Four spaces: whatever the reasons contain, nothing can end the block.
    ...shown.map((reason) => `    ${reason}`),
    ...(again === undefined ? [] : ["", `    ${oneLine(again)}`]),
    "",
  ];
}

/** Where a requirement is written down, as links in a paragraph. */
function sourcesLine(refs: readonly ReportedReference[]): string {
  return `See ${refs.map(({ text, url }) => `[${escapeText(text)}](<${url}>)`).join(", ")}`;
}

/** Cases of which only the names count, folded. */
function folded(what: string, cases: readonly ReportedCase[]): string[] {
  if (cases.length === 0) return [];
  const items = cases.map(({ id, direction, verdict }) => {
    const why = verdict === undefined ? "" : `: ${escapeText(inBrief(verdict))}`;
    return `- ${id}, ${direction}${why}`;
  });
  const summary = `<details><summary>${cases.length} ${what}</summary>`;
  return [summary, "", ...items, "", "</details>", ""];
}

/** Text that Markdown leaves as it is. */
export function escapeText(text: string): string {
  return oneLine(text).replace(/[\\`*_{}[\]<>()#!|~&@]/g, (character) => {
    // A backslash before "<" or "&" is not honoured in every place where HTML may begin.
    return /[<>&]/.test(character) ? `&#${character.charCodeAt(0)};` : `\\${character}`;
  });
}
