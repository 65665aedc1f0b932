/**
 * Writes a report in one of its forms.
 *
 * @module
 */
import { jsonText } from "../core/clean.ts";
import type { ReportFormat } from "./formats.ts";
import { githubAnnotations, markdown } from "./github.ts";
import { html } from "./html/page.ts";
import { junit } from "./junit.ts";
import { KtapWriter } from "./ktap.ts";
import { KtapFlatWriter } from "./ktap_flat.ts";
import { byDirection, replay, type RunReport } from "./model.ts";
import { TerminalWriter } from "./terminal.ts";

const WRITERS: Readonly<Record<ReportFormat, (report: RunReport) => string>> = {
  json: (report) => `${jsonText(report)}\n`,
  ktap,
  "ktap-flat": ktapFlat,
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

function ktapFlat(report: RunReport): string {
  let lines = "";
  replay(report, new KtapFlatWriter(report.cases.length, (line) => lines += `${line}\n`).sink);
  return lines;
}

function text(report: RunReport): string {
  let written = "";
  const screen = { live: false, write: (text: string) => void (written += text) };
  replay(report, new TerminalWriter(screen, { full: true }).sink);
  return written;
}
