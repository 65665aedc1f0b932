/**
 * JUnit XML, as Jenkins and GitLab read it: one test suite for every direction.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import { inBrief, type Outcome, type Verdict } from "../core/outcome.ts";
import { escapeXml } from "./markup.ts";
import { byDirection, type ReportedCase, type RunReport } from "./model.ts";
import { againText, factList, retryText, shellText, warningsOf } from "./run_facts.ts";
import { decisiveFirst, DIRECTION_TEXT, sidesText } from "./text.ts";

/** How each outcome counts for JUnit. */
const COUNTS_AS: Readonly<Record<Outcome, "failure" | "error" | "skipped" | "passed">> = {
  pass: "passed",
  warn: "passed",
  retried: "passed",
  skip: "skipped",
  "expected-fail": "skipped",
  "unexpected-pass": "failure",
  fail: "failure",
  timeout: "error",
  broken: "error",
};

/** A report as JUnit XML. */
export function junit(report: RunReport): string {
  const suites = report.notStarted === undefined ? suitesOf(report) : [noSuite(report)];
  const root = element("testsuites", {
    name: "vsock-conformance",
    time: seconds(report.milliseconds),
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>\n${suites.join("\n")}\n</testsuites>\n`;
}

function suitesOf(report: RunReport): string[] {
  return byDirection(report.cases).map(([direction, cases], i) => {
    const entries = cases.map((entry) => testcase(entry, report));
    const count = (kind: string) => entries.filter((entry) => entry.counts === kind).length;
    const head = {
      name: direction,
      id: i,
      tests: entries.length,
      failures: count("failure"),
      errors: count("error"),
      skipped: count("skipped"),
      time: seconds(cases.reduce((sum, { verdict }) => sum + (verdict?.milliseconds ?? 0), 0)),
    };
    const facts = { "direction.meaning": DIRECTION_TEXT[direction], ...properties(report) };
    return suite(head, facts, entries.map(({ xml }) => xml), report);
  });
}

/** A run that never began: one error, and no case that a reader could take for skipped. */
function noSuite(report: RunReport): string {
  const time = seconds(report.milliseconds);
  const name = "vsock-conformance";
  const head = { name, id: 0, tests: 1, failures: 0, errors: 1, skipped: 0, time };
  const message = `the run did not start: ${report.notStarted?.reason}`;
  const error = element("error", { message, type: "not-started" });
  const entry = element("testcase", { name: "run", classname: name, time });
  const xml = `    <${entry}>\n      <${error}/>\n    </testcase>`;
  return suite(head, properties(report), [xml], report);
}

/** A suite with its properties and cases. */
function suite(
  head: Readonly<Record<string, string | number>>,
  facts: Readonly<Record<string, string | number>>,
  cases: readonly string[],
  { startedAt, ends }: RunReport,
): string {
  const open = element("testsuite", {
    ...head,
    // The schema in use has no time zone: UTC.
    timestamp: startedAt.slice(0, 19),
    hostname: ends.map(({ name }) => name).join("+"),
  });
  const lines = Object.entries(facts).map(([name, value]) =>
    `      <${element("property", { name, value })}/>`
  );
  return [
    `  <${open}>`,
    "    <properties>",
    ...lines,
    "    </properties>",
    ...cases,
    "  </testsuite>",
  ].join("\n");
}

function properties(report: RunReport): Record<string, string | number> {
  const { tool, argv, topology, seed, caseTimeout, ends, stopped, retries = [] } = report;
  const ofEnd = ({ name, kernel, machine, localCid, version }: EndFacts) =>
    Object.entries({ kernel, machine, localCid, version }).flatMap(([field, value]) =>
      value === undefined ? [] : [[`${name}.${field}`, value] as const]
    );
  return {
    tool: `vsock-conformance ${tool}`,
    argv: shellText(argv),
    topology,
    seed,
    caseTimeout: `${caseTimeout} ms`,
    ...Object.fromEntries(ends.flatMap(ofEnd)),
    ...Object.fromEntries(factList(report).filter(([name]) => name !== "tool")),
    ...listed("warnings", warningsOf(ends)),
    ...listed("retries", retries.map(retryText)),
    ...(stopped === undefined ? {} : { stopped: stopped.reason }),
  };
}

/** A property of several lines, where there are any. */
function listed(name: string, lines: readonly string[]): Record<string, string> {
  return lines.length === 0 ? {} : { [name]: lines.join("\n") };
}

function testcase(entry: ReportedCase, report: RunReport): { xml: string; counts: string } {
  const { id, direction, verdict } = entry;
  const head = element("testcase", {
    name: id,
    classname: `${direction}.${id.split("/")[0]}`,
    time: seconds(verdict?.milliseconds ?? 0),
  });
  const { counts, body } = verdict === undefined
    ? left(entry, report)
    : result(entry, verdict, report);
  const xml = body === "" ? `    <${head}/>` : `    <${head}>\n      ${body}\n    </testcase>`;
  return { xml, counts };
}

/** A case that did not run. The first one is an error: no reader may take the run for a success. */
function left(entry: ReportedCase, { cases, stopped }: RunReport) {
  const first = cases.find(({ verdict }) => verdict === undefined) === entry;
  const begun = cases[(stopped?.during ?? 0) - 1] === entry;
  const message = `did not ${begun ? "end" : "run"}: ` +
    `the run was stopped: ${stopped?.reason ?? "unknown"}`;
  return first
    ? { counts: "error", body: `<${element("error", { message, type: "stopped" })}/>` }
    : { counts: "skipped", body: `<${element("skipped", { message })}/>` };
}

function result(entry: ReportedCase, verdict: Verdict, report: RunReport) {
  const counts = COUNTS_AS[verdict.outcome];
  const message = inBrief(verdict);
  if (counts === "skipped") return { counts, body: `<${element("skipped", { message })}/>` };
  if (counts !== "passed") {
    const open = element(counts, {
      message: decisiveFirst(verdict)[0] ?? "",
      type: verdict.outcome,
    });
    const again = againText(report, entry);
    const text = [
      ...[entry.title, entry.requirement, ...verdict.reasons, ...sidesText(verdict)],
      ...(again === undefined ? [] : [`again: ${again}`]),
    ];
    return { counts, body: `<${open}>${text.map(escapeXml).join("\n")}</${counts}>` };
  }
  const said = `<system-out>${escapeXml(`${verdict.outcome}: ${message}`)}</system-out>`;
  return { counts, body: verdict.outcome === "pass" ? "" : said };
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/** A tag without its brackets. */
function element(name: string, attributes: Readonly<Record<string, string | number>>): string {
  const texts = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  return `${name}${texts.join("")}`;
}
