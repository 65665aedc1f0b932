/**
 * The forms in which a report can be written.
 *
 * @module
 */
import { githubAnnotations, markdown } from "./github.ts";
import { html } from "./html.ts";
import { junit } from "./junit.ts";
import { KtapWriter } from "./ktap.ts";
import { byDirection, replay, type RunReport } from "./model.ts";
import { TerminalWriter } from "./terminal.ts";

/** What each form is, for people. */
export const REPORT_FORMATS = {
  json: "the report itself, from which the others can be made later",
  ktap: "KTAP, one subtest for every direction",
  junit: "JUnit XML, one test suite for every direction",
  html: "one page without anything outside it",
  github: "annotations for GitHub Actions",
  markdown: "a summary, as for $GITHUB_STEP_SUMMARY",
  text: "what is shown while cases run",
} as const;

/** The name of a form. */
export type ReportFormat = keyof typeof REPORT_FORMATS;

const WRITERS: Readonly<Record<ReportFormat, (report: RunReport) => string>> = {
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
  ktap,
  junit,
  html,
  github: githubAnnotations,
  markdown,
  text,
};

/** A report in one of its forms. */
export function renderReport(format: ReportFormat, report: RunReport): string {
  return WRITERS[format](report);
}

function ktap(report: RunReport): string {
  const groups = byDirection(report.cases).map(([name, cases]) => [name, cases.length] as const);
  let lines = "";
  replay(report, new KtapWriter(groups, (line) => lines += `${line}\n`).sink);
  return lines;
}

function text(report: RunReport): string {
  let written = "";
  const screen = { live: false, write: (text: string) => void (written += text) };
  replay(report, new TerminalWriter(screen).sink);
  return written;
}
