import assert from "node:assert/strict";
import { complaintsAbout, faultsText, rowsIn, tableText, withTable } from "./table.ts";

const fault = (name: string) => ({
  name,
  what: "it errs",
  file: "f.c",
  function: "f",
  right: "a\n",
  wrong: "b\n",
});

Deno.test("docs/faults.md has a row for every fault, and names cases that there are", async () => {
  assert.deepEqual(
    await complaintsAbout(await faultsText()),
    [],
    "run 'deno run -A tools/faults.ts' with what the table lacks",
  );
});

Deno.test("the table of faults is read as it was written", () => {
  const rows = [
    { name: "a", cells: { loopback: ["x/y/z", "x/y/w"], "guest-host": undefined } },
    { name: "b", cells: { loopback: [], "guest-host": ["x/y/z"] } },
    { name: "c", cells: { loopback: [], "guest-host": undefined } },
    { name: "d", cells: { loopback: undefined, "guest-host": undefined } },
  ];
  const text = tableText(rows.map(({ name }) => fault(name)), rows);
  assert.deepEqual(rowsIn(text), rows);
  assert.match(text, /^Of 4 faults 3 were tried, and 2 of them caught\.\n/);
  assert.match(text, /^\| `c` \| it errs \| `f` \| not caught \| {2}\|$/m);
});

Deno.test("a table of unknown faults and cases is complained of", async () => {
  const text = await faultsText();
  const wrong = withTable(
    text,
    tableText([fault("no-such-fault")], [
      { name: "no-such-fault", cells: { loopback: ["no/such/case"], "guest-host": undefined } },
    ]),
  );
  const complaints = await complaintsAbout(wrong);
  assert.ok(complaints.includes("no-such-fault is no fault"));
  assert.ok(complaints.some((text) => /caught by no\/such\/case, which is no case/.test(text)));
  assert.ok(complaints.some((text) => /has no row$/.test(text)));
});
