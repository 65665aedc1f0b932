import assert from "node:assert/strict";
import { exampleReport } from "../tests/support/example_run.ts";
import { type XmlNode, xmlTree } from "../tests/support/xml.ts";
import { junit } from "./junit.ts";

const plain = { serializer: (text: string) => text };

Deno.test("junit() writes every outcome", async (t) => {
  await t.assertSnapshot(junit(exampleReport()), plain);
});

Deno.test("junit() writes a run that was stopped, with an error", async (t) => {
  await t.assertSnapshot(junit(exampleReport(1, true)), plain);
});

/** What the Jenkins schema for JUnit (junit-10.xsd) takes: attributes and children of each element. */
const SCHEMA: Readonly<Record<string, { needs: string[]; may: string[]; children: string[] }>> = {
  testsuites: { needs: [], may: ["name", "time"], children: ["testsuite"] },
  testsuite: {
    needs: ["name", "tests"],
    may: ["failures", "errors", "skipped", "time", "timestamp", "hostname", "id"],
    children: ["properties", "testcase"],
  },
  properties: { needs: [], may: [], children: ["property"] },
  property: { needs: ["name", "value"], may: [], children: [] },
  testcase: {
    needs: ["name", "classname"],
    may: ["time"],
    children: ["skipped", "error", "failure", "system-out"],
  },
  skipped: { needs: [], may: ["message"], children: [] },
  error: { needs: [], may: ["message", "type"], children: [] },
  failure: { needs: [], may: ["message", "type"], children: [] },
  "system-out": { needs: [], may: [], children: [] },
};

function fits(node: XmlNode): void {
  const schema = SCHEMA[node.name];
  assert.ok(schema !== undefined, `no element ${node.name} in JUnit`);
  for (const name of schema.needs) assert.ok(name in node.attributes, `${node.name} ${name}`);
  const known = new Set([...schema.needs, ...schema.may]);
  for (const name of Object.keys(node.attributes)) {
    assert.ok(known.has(name), `${node.name} ${name}`);
  }
  let at = 0;
  for (const child of node.children) {
    assert.ok(schema.children.includes(child.name), `${child.name} in ${node.name}`);
    if (node.name === "testsuite") {
      assert.ok(schema.children.indexOf(child.name) >= at, `${child.name} too late`);
      at = schema.children.indexOf(child.name);
    }
    fits(child);
  }
  if (node.name !== "testsuite") return;
  const cases = node.children.filter(({ name }) => name === "testcase");
  const having = (name: string) =>
    cases.filter(({ children }) => children.some((child) => child.name === name)).length;
  assert.equal(node.attributes.tests, `${cases.length}`);
  assert.equal(node.attributes.failures, `${having("failure")}`);
  assert.equal(node.attributes.errors, `${having("error")}`);
  assert.equal(node.attributes.skipped, `${having("skipped")}`);
  assert.match(node.attributes.timestamp ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
  assert.match(node.attributes.time ?? "", /^\d+\.\d{3}$/);
}

Deno.test("junit() writes what the schema of its readers takes, with sums that are right", () => {
  for (const report of [exampleReport(), exampleReport(0), exampleReport(5, true)]) {
    fits(xmlTree(junit(report)));
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

Deno.test("junit() has an error where a run was stopped, whatever the verdicts before", () => {
  for (const during of [false, true]) {
    const [suite] = xmlTree(junit(exampleReport(1, during))).children;
    assert.equal(suite?.attributes.errors, "1");
    assert.equal(suite?.attributes.skipped, "7");
  }
});
