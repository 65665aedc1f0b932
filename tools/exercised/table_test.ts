import assert from "node:assert/strict";
import {
  type Cell,
  complaintOf,
  complaintsAbout,
  exercisedText,
  releasesIn,
  type Row,
  rowsIn,
  wantedRows,
  withMeasured,
  withRows,
} from "./table.ts";

const PLACE =
  "<!-- Written by tools/exercised.ts: begin -->\n<!-- Written by tools/exercised.ts: end -->\n";

function row(loopback: Cell, host: Cell, guest: Cell): Row {
  return { id: "a/b/c", function: "f", cells: { loopback, host, guest } };
}

Deno.test("docs/exercised.md shows every function of every case to be entered", async () => {
  assert.deepEqual(
    complaintsAbout(rowsIn(await exercisedText())),
    [],
    "mend the case or its refs, then run 'deno run -A tools/exercised.ts'",
  );
});

Deno.test("a function must be entered wherever its case ran and it can be counted", () => {
  const fine = [
    row(1, 2, 3),
    row(1, 0, 3),
    row(1, "", ""),
    row("not run", 0, 1),
    row("no symbol", 4, "no symbol"),
    row(2, "no symbol", "no symbol"),
  ];
  for (const each of fine) assert.equal(complaintOf(each), undefined, JSON.stringify(each.cells));
  const wrong: readonly (readonly [Row, RegExp])[] = [
    [row(0, 2, 3), /f\(\) is not entered on loopback/],
    [row(1, 0, 0), /neither on the host nor in the guest/],
    [row(1, "no symbol", 0), /neither on the host nor in the guest/],
    [row("no symbol", "no symbol", "no symbol"), /has no symbol .*name a function/],
    [row("not run", "", ""), /f\(\) was counted nowhere/],
    [row("not run", "not run", "not run"), /f\(\) was counted nowhere/],
  ];
  for (const [each, says] of wrong) assert.match(complaintOf(each) ?? "", says);
});

Deno.test("the table has a row for what the cases name, and for nothing else", () => {
  const rows = wantedRows().map((wanted) => ({ ...wanted, cells: row(1, 2, 3).cells }));
  assert.deepEqual(complaintsAbout(rows), []);
  const [first, ...others] = rows;
  const name = `${first?.id}: ${first?.function}\\(\\)`;
  assert.match(complaintsAbout(others).join(), new RegExp(`^${name} has no row$`));
  assert.deepEqual(complaintsAbout([...rows, row(1, 2, 3)]), ["a/b/c: f() is named by no case"]);
});

Deno.test("the table is read as it was written, with what it was counted on", () => {
  const rows = [row(12, "not run", 0), row("no symbol", "", 3)];
  const text = withRows(`before\n${PLACE}after\n`, rows, { guest: "7.3.4-arm64" });
  assert.deepEqual(rowsIn(text), rows);
  assert.deepEqual(releasesIn(text), { guest: "7.3.4-arm64" });
  assert.match(text, /^before\n[^]*\| 12 \| not run \| 0 \|[^]*\nafter\n$/);
  assert.throws(() => withRows("before\n", rows, {}), /Cannot find the place of the table/);
});

Deno.test("what was measured takes the place of what was known of that case and that kernel", () => {
  const known = wantedRows().map((wanted) => ({ ...wanted, cells: row(1, 2, 3).cells }));
  const { id = "", function: name = "" } = known[0] ?? {};
  const verdict = { outcome: "pass", reasons: [], milliseconds: 1 } as const;
  const skip = { ...verdict, outcome: "skip" } as const;
  const measuredWith = (verdicts: readonly (typeof verdict | typeof skip)[]) =>
    withMeasured(known, {
      machines: [
        { name: "host", kernel: "7.3", functions: new Set([name]), counts: new Map() },
        { name: "guest", kernel: "7.3", functions: new Set(), counts: new Map() },
      ],
      verdicts: new Map([[id, verdicts]]),
    });
  assert.deepEqual(measuredWith([skip, verdict])[0]?.cells, row(1, 0, "no symbol").cells);
  assert.deepEqual(measuredWith([skip, skip])[0]?.cells, row(1, "not run", "not run").cells);
  assert.deepEqual(measuredWith([verdict]).at(-1), known.at(-1));
});
