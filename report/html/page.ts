/**
 * A report as one HTML page for people: no script, style, font or picture from elsewhere.
 *
 * @module
 */
import { timingChart } from "./chart.ts";
import { factsSection, retriesNote, warningsNote } from "./facts.ts";
import { pageText } from "./frame.ts";
import { type Ending, endingOf, ENDINGS, ENDINGS_TEXT, mark } from "./marks.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";
import { casesTable } from "./table.ts";
import { type Markup, markup } from "../markup.ts";
import { countsOf, type ReportedCase, type RunReport, verdictsOf } from "../model.ts";
import { decisiveFirst } from "../text.ts";
import { duration } from "../../core/duration.ts";

/** Most cases in the list of what went wrong. */
const MAX_WRONG = 8;

/** A report as an HTML page. */
export function html(report: RunReport): string {
  const title = headlineOf(report);
  const body = markup`<header>
<p class="eyebrow">vsock-conformance ${report.tool}</p>
<h1 class="${moodOf(report)}">${title}</h1>
<p class="lead">${leadOf(report)}</p>
${tallyBar(report)}
</header>
<main>
${notStartedNote(report)}${stoppedNote(report)}${warningsNote(report)}${retriesNote(report)}
${wrongList(report)}
${factsSection(report)}
${timingChart(report)}
${casesTable(report)}
</main>`;
  const main = { id: "cases", name: "the cases" };
  return pageText({ title, style: STYLE, script: SCRIPT, main, body });
}

/** How many cases of a report ended in each way. */
function tally({ cases }: Pick<RunReport, "cases">): Map<Ending, number> {
  const groups = Map.groupBy(cases, endingOf);
  return new Map(ENDINGS.map((ending) => [ending, groups.get(ending)?.length ?? 0]));
}

function headlineOf(report: RunReport): string {
  if (report.notStarted !== undefined) return "Did not start";
  const { pass, broken, skip, warn, retried, "expected-fail": known } = countsOf(report);
  const bad = failuresOf(report);
  // What was skipped was not judged.
  const verdicts = verdictsOf(report).length - skip;
  const of = `${verdicts} ${verdicts === 1 ? "verdict" : "verdicts"}`;
  if (bad > 0) return `${bad} of ${of} failed`;
  if (report.stopped !== undefined) return "Stopped before its end";
  if (broken > 0) return `${broken} of ${of} broken`;
  if (warn > 0 || retried > 0) {
    const [count, how] = warn > 0 ? [warn, "with a warning"] : [retried, "run again"];
    const also = warn > 0 && retried > 0 ? `, ${retried} run again` : "";
    return `Passed, ${count} of ${of} ${how}${also}`;
  }
  if (known > 0) {
    const failures = `${known} known ${known === 1 ? "failure" : "failures"}`;
    return pass > 0 ? `Passed, but for ${failures}` : `Nothing but ${failures}`;
  }
  if (pass === 0) {
    return skip > 0
      ? `Nothing ran: ${skip === 1 ? "it was" : `all ${skip} were`} skipped`
      : "Nothing ran";
  }
  return skip > 0 ? "All that ran passed" : "All passed";
}

function failuresOf(report: RunReport): number {
  const counts = countsOf(report);
  return counts.fail + counts.timeout + counts["unexpected-pass"];
}

function moodOf(report: RunReport): string {
  const { pass, warn, retried, broken } = countsOf(report);
  if (failuresOf(report) > 0 || report.notStarted !== undefined) return "bad";
  if (broken > 0 || report.stopped !== undefined) return "unsure";
  return pass + warn + retried > 0 ? "good" : "neutral";
}

function leadOf({ cases, startedAt, milliseconds, rounds = 1 }: RunReport): Markup {
  const ids = new Set(cases.map(({ id }) => id)).size;
  const directions = new Set(cases.map(({ direction }) => direction)).size;
  const often = rounds > 1 ? `, ${rounds} rounds` : "";
  const how = `${directions === 2 ? "in both directions" : "in one direction"}${often}`;
  const when = `${startedAt.slice(0, 10)} ${startedAt.slice(11, 16)} UTC`;
  return markup`${ids} ${ids === 1 ? "case" : "cases"} ${how}, ${
    duration(milliseconds)
  }, <time datetime="${startedAt}">${when}</time>`;
}

/** The share of each ending, as a bar; the numbers are on the buttons of the filter. */
function tallyBar(report: RunReport): Markup {
  const counts = [...tally(report)].filter(([, count]) => count > 0);
  const total = Math.max(1, report.cases.length);
  let x = 0;
  const parts = counts.map(([ending, count]) => {
    const width = 1000 * count / total;
    x += width;
    return markup`<rect class="e-${ending}" x="${x - width}" width="${width}" height="10"/>`;
  });
  const text = counts.map(([ending, count]) => `${count} ${ENDINGS_TEXT[ending]}`).join(", ");
  return markup`<svg class="tally" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" \
aria-label="${text}">${parts}</svg>`;
}

function notStartedNote({ notStarted }: RunReport): Markup | string {
  if (notStarted === undefined) return "";
  return markup`<p class="note"><strong>The run did not start:</strong> ${notStarted.reason}</p>`;
}

function stoppedNote({ stopped, cases }: RunReport): Markup | string {
  if (stopped === undefined) return "";
  const left = cases.filter(({ verdict }) => verdict === undefined).length;
  const during = cases[(stopped.during ?? 0) - 1];
  const where = during === undefined ? "" : markup` It was in <code>${during.id}</code>.`;
  return markup`<p class="note"><strong>The run was stopped:</strong> ${stopped.reason}. \
${left} ${left === 1 ? "verdict is" : "verdicts are"} missing.${where}</p>`;
}

function wrongList({ cases }: RunReport): Markup | string {
  const bad = new Set<Ending>(["fail", "timeout", "broken", "unexpected-pass"]);
  const wrong = cases.filter((entry) => bad.has(endingOf(entry)));
  if (wrong.length === 0) return "";
  const more = wrong.length - MAX_WRONG;
  const item = (entry: ReportedCase) =>
    markup`<li>${mark(endingOf(entry))}<div><a href="#${entry.id}">${entry.id}</a> \
<span class="dim">${entry.direction}</span><div class="why">${
      entry.verdict === undefined ? "" : decisiveFirst(entry.verdict)[0] ?? ""
    }</div></div></li>\n`;
  return markup`<section aria-labelledby="wrong-title">
<h2 id="wrong-title">What went wrong</h2>
<ul class="wrong">${wrong.slice(0, MAX_WRONG).map(item)}</ul>
${more > 0 ? markup`<p class="dim">and ${more} more below</p>` : ""}
</section>`;
}
