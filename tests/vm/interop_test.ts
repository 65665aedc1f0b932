/**
 * Opposite the kernel's own C programs, in either role: `lab --cross`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { upstreamList } from "../../suites/upstream.ts";
import { PROGRAMS } from "../../suites/upstream_programs.ts";
import { runLab } from "./support.ts";

/** How long a run may take, in milliseconds: the machine may be busy. */
const PATIENCE = 900_000;

/** Where C fails itself on loopback, see lab/cross_table.ts. */
const C_FAILS = "diag/dump/lists-connection";
const PAIRINGS = ["ours/ours", "ours/C", "C/ours", "C/C"];

/** What each case's cells must say. */
function expected(id: string, topology: string): string[] {
  if (topology === "guest-host") return Array<string>(2 * PAIRINGS.length).fill("ok");
  return id === C_FAILS ? ["ok", "FAIL*", "FAIL*", "FAIL*"] : ["ok", "ok", "ok", "ok"];
}

for (const topology of ["loopback", "guest-host"]) {
  Deno.test(`ours and the C programs agree on every case, whoever accepts, ${topology}`, async () => {
    const args = ["lab", "--cross", "--topology", topology, "--timeout", `${PATIENCE / 1000}`];
    const { code, stdout, stderr } = await runLab(args, PATIENCE);
    // A second table, of times, follows the verdicts.
    const [verdicts = ""] = stdout.split("servers/clients:");
    const rows = new Map(
      verdicts.split("\n").map((line) => line.split(/ {2,}/))
        .map(([id = "", ...rest]) => [id, rest]),
    );
    const columns = topology === "loopback" ? PAIRINGS : [...PAIRINGS, ...PAIRINGS];
    assert.deepEqual(rows.get("case"), ["upstream's name", ...columns], stdout + stderr);
    for (const { name, case: own } of PROGRAMS.flatMap((program) => upstreamList(program))) {
      const id = own?.id ?? assert.fail(`${name} is not ported`);
      assert.deepEqual(rows.get(id), [name, ...expected(id, topology)], stdout + stderr);
    }
    assert.equal(code, 0, stdout + stderr);
  });
}
