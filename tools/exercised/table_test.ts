import assert from "node:assert/strict";
import type { Topology } from "../../core/plan.ts";
import { matches } from "../../core/selector.ts";
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
  return { id: "a/b/c", function: "f", cells: { loopback, host, guest }, elsewhere: "" };
}

/**
 * What was not counted yet: whole families, a case that runs with three devices on a stock kernel
 * alone, and two that name another function since they were counted. To be emptied by
 * 'deno run -A tools/exercised.ts'.
 */
const NOT_COUNTED = [
  ...["multi-device/stock/second-is-busy", "multi-device/cids/stream-stays-here"],
  ...["multi-device/cids/seqpacket-stays-here", "sockets", "connect", "accept", "options"],
  ...["errors", "device", "flow", "messages", "half-close", "close", "events", "signals", "wire"],
  ...["bpf", "diag/dump/six-hundred-once-each", "diag/dump/*-connection-in-part", "diag/request"],
  ...["addressing/bind/*-hundred-any-ports", "explored"],
];

Deno.test("docs/exercised.md shows every function of every case to be entered", async () => {
  assert.deepEqual(
    complaintsAbout(rowsIn(await exercisedText()))
      .filter((complaint) => !NOT_COUNTED.some((id) => matches(id, complaint.split(":")[0] ?? ""))),
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
  const rows = wantedRows().map((wanted) => ({ ...row(1, 2, 3), ...wanted }));
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

const PASS = { outcome: "pass", reasons: [], milliseconds: 1 } as const;
const SKIP = { ...PASS, outcome: "skip" } as const;

/** The first row of the table, and all, when its case was measured on a host and its guest. */
function measuredWith(
  known: Partial<Row>,
  topology: Topology,
  ...verdicts: readonly (typeof PASS | typeof SKIP)[]
): Row[] {
  const rows = wantedRows().map((wanted) => ({ ...row(1, 2, 3), ...known, ...wanted }));
  const { id = "", function: name = "" } = rows[0] ?? {};
  return withMeasured(rows, {
    topology,
    machines: [
      { name: "host", kernel: "7.3", functions: new Set([name]), counts: new Map() },
      { name: "guest", kernel: "7.3", functions: new Set(), counts: new Map() },
    ],
    verdicts: new Map([[id, verdicts]]),
  });
}

Deno.test("what was measured takes the place of what was known of that case and that kernel", () => {
  const [first, ...others] = measuredWith({}, "guest-host", SKIP, PASS);
  assert.deepEqual(first?.cells, row(1, 0, "no symbol").cells);
  assert.ok(others.filter(({ id }) => id !== first?.id).every(({ cells }) => cells.host === 2));
  const [skipped] = measuredWith({}, "guest-host", SKIP, SKIP);
  assert.deepEqual(skipped?.cells, row(1, "not run", "not run").cells);
});

Deno.test("what only another topology can show says so, and is kept where it is skipped", () => {
  const [there] = measuredWith({}, "three-devices", PASS, PASS);
  assert.deepEqual(there?.cells, row(1, 0, "no symbol").cells);
  assert.equal(there?.elsewhere, "three-devices, 7.3");
  const known = { elsewhere: "three-devices, 7.3" };
  assert.equal(measuredWith(known, "guest-host", SKIP, SKIP)[0]?.cells.host, 2);
  assert.equal(measuredWith({}, "three-devices", SKIP, SKIP)[0]?.cells.host, 2);
  const [usual] = measuredWith(known, "guest-host", PASS, PASS);
  assert.deepEqual([usual?.cells.host, usual?.elsewhere], [0, ""]);
});
