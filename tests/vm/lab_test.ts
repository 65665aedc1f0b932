/**
 * The lab end to end, through the command line: real kernels, both topologies, both directions.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { tool } from "../support/tool.ts";

/** The cases that Linux 6.1 fails, see docs/kernels.md. */
const FAIL_ON_6_1 = [
  "seqpacket/msg-peek/leaves-message",
  "seqpacket/receive-buffer/hole-costs-one-message",
  "seqpacket/send/larger-than-buffer-is-emsgsize",
];

/** Result lines of KTAP: the id of each case, and its result. */
function results(ktap: string): { id: string; result: string }[] {
  return [...ktap.matchAll(/^ {2}(ok|not ok) \d+ (\S+)/gm)]
    .map(([, result = "", id = ""]) => ({ id, result }));
}

function ids(found: ReturnType<typeof results>, result: string): string[] {
  return found.filter((one) => one.result === result).map(({ id }) => id).sort();
}

for (const kernel of ["debian:latest", "debian:6.12"]) {
  for (const [topology, directions] of [["loopback", 1], ["guest-host", 2]] as const) {
    Deno.test(`lab passes every case on ${kernel}, ${topology}`, async () => {
      const run = await tool("lab", "--kernel", kernel, "--topology", topology, "--ktap");
      const found = results(run.stdout);
      const every = CATALOGUE.flatMap(({ id }) => Array(directions).fill(id)).sort();
      assert.deepEqual(ids(found, "ok"), every, run.stdout + run.stderr);
      assert.equal(run.code, 0);
    });
  }
}

Deno.test("lab reports what Linux 6.1 breaks, and goes on", async () => {
  const run = await tool("lab", "--kernel", "debian:6.1", "--topology", "loopback", "--ktap");
  const found = results(run.stdout);
  assert.deepEqual(ids(found, "not ok"), FAIL_ON_6_1, run.stdout + run.stderr);
  assert.equal(found.length, CATALOGUE.length);
  assert.equal(run.code, 1);
});
