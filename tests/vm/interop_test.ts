/**
 * Opposite the kernel's own C programs, on loopback, in either role: `lab --cross`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { upstreamList } from "../../suites/upstream.ts";
import { PROGRAMS } from "../../suites/upstream_programs.ts";
import { runLab } from "./support.ts";

/** How long the run may take, in milliseconds: the machine may be busy. */
const PATIENCE = 900_000;

/** Where C fails itself on loopback, see lab/cross_table.ts. */
const C_FAILS = "diag/dump/lists-connection";
const PAIRINGS = ["ours/ours", "ours/C", "C/ours", "C/C"];

// A host and its guest agree as well, but a nested pair under TCG may hang in the 6 min of such a run.
Deno.test("ours and the C programs agree on every case, whoever accepts", async () => {
  const args = ["lab", "--cross", "--topology", "loopback", "--timeout", `${PATIENCE / 1000}`];
  const { code, stdout, stderr } = await runLab(args, PATIENCE);
  // A second table, of times, follows the verdicts.
  const [verdicts = ""] = stdout.split("servers/clients:");
  const rows = new Map(
    verdicts.split("\n").map((line) => line.split(/ {2,}/))
      .map(([id = "", ...rest]) => [id, rest]),
  );
  assert.deepEqual(rows.get("case"), ["upstream's name", ...PAIRINGS], stdout + stderr);
  for (const { name, case: own } of PROGRAMS.flatMap((program) => upstreamList(program))) {
    const id = own?.id ?? assert.fail(`${name} is not ported`);
    const cells = id === C_FAILS ? ["ok", "FAIL*", "FAIL*", "FAIL*"] : ["ok", "ok", "ok", "ok"];
    assert.deepEqual(rows.get(id), [name, ...cells], stdout + stderr);
  }
  assert.equal(code, 0, stdout + stderr);
});
