/**
 * Opposite the kernel's own C programs, in either role: `lab --cross`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { upstreamList } from "../../suites/upstream.ts";
import { PROGRAMS } from "../../suites/upstream_programs.ts";
import { runLab } from "./support.ts";

/** How long the run may take, in milliseconds: the machine may be busy. */
const PATIENCE = 1_500_000;

/** Where C fails itself on loopback, see lab/cross_table.ts. */
const C_FAILS = "diag/dump/lists-connection";
const PAIRINGS = ["ours/ours", "ours/C", "C/ours", "C/C"];

for (const [topology, directions] of [["loopback", 1], ["guest-host", 2]] as const) {
  Deno.test(`ours and the C programs agree on every case, ${topology}`, async () => {
    const args = ["lab", "--cross", "--topology", topology, "--timeout", `${PATIENCE / 1000}`];
    const { code, stdout, stderr } = await runLab(args, PATIENCE);
    // A second table, of times, follows the verdicts.
    const [verdicts = ""] = stdout.split("servers/clients:");
    const rows = new Map(
      verdicts.split("\n").map((line) => line.split(/ {2,}/))
        .map(([id = "", ...rest]) => [id, rest]),
    );
    const each = <T>(cells: readonly T[]) => Array.from({ length: directions }, () => cells).flat();
    assert.deepEqual(rows.get("case"), ["upstream's name", ...each(PAIRINGS)], stdout + stderr);
    for (const { name, case: own } of PROGRAMS.flatMap((program) => upstreamList(program))) {
      const id = own?.id ?? assert.fail(`${name} is not ported`);
      const cells = id === C_FAILS && topology === "loopback"
        ? ["ok", "FAIL*", "FAIL*", "FAIL*"]
        : ["ok", "ok", "ok", "ok"];
      assert.deepEqual(rows.get(id), [name, ...each(cells)], stdout + stderr);
    }
    assert.equal(code, 0, stdout + stderr);
  });
}
