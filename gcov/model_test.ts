import assert from "node:assert/strict";
import { exampleCoverage, PATH } from "../tests/support/example_coverage.ts";
import { lcovInfo } from "./info.ts";
import { parseCoverage, sharesOf, united } from "./model.ts";
import { coveragePage } from "./page.ts";
import { coverageTable, differences } from "./table.ts";
import { groupsOf, readGroups } from "./groups.ts";

Deno.test("boots count only where they are asked for", () => {
  const { files } = exampleCoverage();
  assert.deepEqual(sharesOf(files), {
    lines: { ran: 2, of: 4 },
    branches: { ran: 1, of: 2 },
    functions: { ran: 1, of: 2 },
  });
  assert.deepEqual(sharesOf(files, true).lines, { ran: 3, of: 4 });
});

Deno.test("what is stored is read again, and anything else is refused", () => {
  const coverage = exampleCoverage();
  assert.deepEqual(parseCoverage(JSON.stringify(coverage), "x"), coverage);
  assert.throws(() => parseCoverage('{"format":"x"}', "some/file"), /some\/file is not what/);
  assert.throws(() => parseCoverage("<html>", "some/file"), /some\/file is not what/);
});

Deno.test("two runs of a build add up, and those of two builds do not", () => {
  const one = exampleCoverage();
  const both = united(one, one);
  assert.equal(both.runs.length, 2);
  assert.equal(both.files[0]?.lines[0]?.count, 6);
  assert.deepEqual(both.cases, one.cases);
  const [file = assert.fail()] = one.files;
  const other = { ...one, files: [{ ...file, lines: file.lines.slice(1) }] };
  assert.throws(() => united(one, other), /two builds/);
});

Deno.test("a tracefile has each line and branch, and no boots", () => {
  const info = lcovInfo(exampleCoverage(), (path) => `/src/${path}`);
  assert.match(info, new RegExp(`^SF:/src/${PATH}$`, "m"));
  for (
    const line of ["DA:2,3", "DA:7,0", "BRDA:3,0,0,3", "BRDA:3,0,1,0", "LF:4", "LH:2", "FNH:1"]
  ) {
    assert.ok(info.split("\n").includes(line), `${line} in\n${info}`);
  }
});

Deno.test("the table and the comparison show both", () => {
  const coverage = exampleCoverage();
  const [file = assert.fail()] = coverage.files;
  const lines = file.lines.map((line) => ({ ...line, count: line.line === 7 ? 1 : 0 }));
  const other = { ...coverage, files: [{ ...file, lines }] };
  const table = coverageTable([{ name: "base", coverage: other }, { name: "run", coverage }]);
  assert.match(
    table,
    /\| total \(4, 2, 2\) +\| 25\.0 \/ 50\.0 \/ 50\.0 \| 50\.0 \/ 50\.0 \/ 50\.0 \|/,
  );
  assert.deepEqual(differences(other, coverage), [{ path: PATH, first: [7], second: [2, 3] }]);
});

Deno.test("the page escapes what it shows, and says how the rest is reached", async () => {
  const coverage = exampleCoverage();
  const [file = assert.fail()] = coverage.files;
  const group = {
    ...{ name: "F9", way: "fault injection" as const, what: "memory <b>" },
    lines: [{ path: PATH, function: "second", length: 2, ranges: [[1, 1]] as const }],
  };
  assert.equal(groupsOf(file, [group]).get(7), group);
  const page = coveragePage({
    coverage,
    texts: new Map([[PATH, "one\n\tif (a < b)\n  three\n\n\n\nseven\neight"]]),
    columns: [{ name: "run", coverage }],
    compared: [],
    groups: [group],
  });
  assert.ok(page.includes("        if (a &lt; b)"), page);
  assert.ok(page.includes("F9 fault injection: memory &lt;b&gt;"), page);
  assert.ok(page.includes('title="1 cases: stream/close/a"') || page.includes("stream/close/a"));
  assert.ok(!page.includes("<script"));
  assert.ok((await readGroups()).length > 20);
});

Deno.test("a function that has another length is not that of the groups", () => {
  const [file = assert.fail()] = exampleCoverage().files;
  const lines = [{ path: PATH, function: "second", length: 9, ranges: [[0, 9]] as const }];
  assert.equal(groupsOf(file, [{ name: "S1", way: "sockets", what: "", lines }]).size, 0);
});
