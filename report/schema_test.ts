import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { cleanStrings } from "../core/clean.ts";
import { exampleNotStarted, exampleReport } from "../tests/support/example_run.ts";
import { ReportError } from "./model.ts";
import { parseReport, schemaText } from "./schema.ts";

/** A report as JSON, with something changed. */
function changed(change: (report: ReturnType<typeof JSON.parse>) => void, stopAfter?: number) {
  const report = JSON.parse(JSON.stringify(exampleReport(stopAfter)));
  change(report);
  return JSON.stringify(report);
}

/** What is said of a text that is refused. */
function refusal(text: string): string {
  try {
    parseReport(text, "run.json");
  } catch (error) {
    assert.ok(error instanceof ReportError);
    return error.message.replace("Cannot read run.json: ", "");
  }
  return assert.fail("it was read");
}

Deno.test("docs/run-report.schema.json is what the task schema makes", async () => {
  const file = new URL("../docs/run-report.schema.json", import.meta.url);
  assert.equal(await Deno.readTextFile(file), schemaText(), "run 'deno task schema'");
});

/** A schema that knows of no other fields than those it names. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const fields = Object.fromEntries(Object.entries(schema).map(([k, v]) => [k, closed(v)]));
  return "properties" in schema ? { ...fields, additionalProperties: false } : fields;
}

Deno.test("ajv finds reports as the schema says, and every field in it", () => {
  const validate = new Ajv({ strict: true }).compile(closed(JSON.parse(schemaText())) as object);
  const reports = [exampleReport(), exampleReport(0), exampleReport(5, true)];
  for (const report of [...reports, exampleNotStarted("x")]) {
    assert.ok(validate(JSON.parse(JSON.stringify(report))), JSON.stringify(validate.errors));
  }
  assert.equal(validate({ ...exampleReport(), seed: -1 }), false);
});

Deno.test("ajv and parseReport() agree on what is wrong", () => {
  const validate = new Ajv({ strict: true }).compile(JSON.parse(schemaText()));
  const changes = ["tool", "argv", "startedAt", "topology", "seed", "ends", "cases", "stopped"];
  for (const field of changes) {
    for (const value of [7.5, [{}], null, {}]) {
      const text = changed((report) => report[field] = value);
      assert.equal(validate(JSON.parse(text)), false, `${field}: ${JSON.stringify(value)}`);
      assert.throws(() => parseReport(text, "x"), ReportError);
    }
    if (field === "stopped") continue;
    const without = changed((report) => delete report[field]);
    assert.equal(validate(JSON.parse(without)), false, field);
    assert.throws(() => parseReport(without, "x"), ReportError);
  }
});

Deno.test("parseReport() reads what was written, and ignores fields it does not know", () => {
  const report = exampleReport(5, true);
  const read = cleanStrings(report);
  assert.deepEqual(parseReport(JSON.stringify(report), "x"), read);
  parseReport(changed((report) => report.cases[0].weather = "fine"), "x");
  assert.deepEqual(parseReport(`\ufeff${JSON.stringify(report)}`, "x"), read, "a BOM");
});

Deno.test("parseReport() says that a text is no report", () => {
  assert.equal(refusal(" \n"), "it is empty");
  assert.match(refusal("KTAP version 1"), /^it is not valid JSON \(/);
  for (const text of ["null", "[]", '"x"', '{"format":"other"}']) {
    assert.match(refusal(text), /^it is not a report of a run: its field "format" is not/);
  }
});

Deno.test("parseReport() says that a report is of another version", () => {
  const text = refusal(changed((report) => report.version = 3));
  assert.match(
    text,
    /^it is a report of version 3, and vsock-conformance \S+ reads versions 1 and 2; use/,
  );
});

Deno.test("parseReport() reads the former version as what it is in this one", () => {
  const text = changed((report) => report.version = 1);
  assert.deepEqual(parseReport(text, "x"), cleanStrings(exampleReport()));
});

Deno.test("parseReport() refuses a run that never began and yet has something of one", () => {
  const broken = (change: (report: ReturnType<typeof JSON.parse>) => void) => {
    const report = JSON.parse(JSON.stringify(exampleNotStarted("x")));
    change(report);
    return refusal(JSON.stringify(report));
  };
  const { verdict } = exampleReport().cases[0] ?? {};
  assert.match(broken(({ cases }) => cases[1].verdict = verdict), /^\/cases\/1 has a verdict, but/);
  assert.match(broken((report) => report.stopped = { reason: "x" }), /^\/stopped: the run never/);
  assert.match(broken((report) => delete report.notStarted), /^\/ends: Expected at least one/);
});

Deno.test("parseReport() says where a report is wrong, and what is there", () => {
  assert.equal(
    refusal(changed((report) => report.cases[1].verdict.outcome = "maybe")),
    "/cases/1/verdict/outcome: Expected one of pass, fail, warn, skip, broken, timeout, retried, " +
      'expected-fail, unexpected-pass, found "maybe"',
  );
  assert.match(refusal(changed((report) => report.cases[0].id = "a\u001b")), /^\/cases\/0\/id: /);
  assert.match(refusal(changed((report) => delete report.seed)), /^\/seed: .*found nothing$/);
});

Deno.test("parseReport() refuses what no run can have brought about", () => {
  const cases: [RegExp, string][] = [
    [/^\/cases\/10 did not run, but nothing/, changed(({ cases }) => delete cases[10].verdict)],
    [/^\/stopped\/during/, changed(({ stopped }) => stopped.during = 2, 4)],
    [/^\/stopped\/during/, changed(({ stopped }) => stopped.during = 13, 4)],
    [/^\/cases\/11 is not next to/, changed(({ cases }) => cases[11].direction = "host-server")],
    [
      /^\/cases\/1: stream\/connect\/refused \(host-server\) is there twice$/,
      changed(({ cases }) => cases[1].id = cases[0].id),
    ],
  ];
  for (const [message, text] of cases) assert.match(refusal(text), message);
});
