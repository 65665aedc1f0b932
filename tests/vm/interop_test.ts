/**
 * Opposite the kernel's own C programs, in either role: `lab interop`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { upstreamList } from "../../suites/upstream.ts";
import { PROGRAMS } from "../../suites/upstream_programs.ts";
import { childrenOf, Tool } from "../support/tool.ts";
import { runLab } from "./support.ts";

/** How long a run may take, in milliseconds: the machine may be busy. */
const PATIENCE = 1_500_000;

/** Where C fails itself on loopback, see interop/table.ts. */
const C_FAILS = "diag/dump/lists-connection";
const PAIRINGS = ["ours/ours", "ours/C", "C/ours", "C/C"];

/**
 * Where, and who accepts there. With the guest as the server it takes as long again: that is left
 * to people, since `lab interop` without options does both.
 */
const PLACES = [["loopback"], ["guest-host", "--direction", "host-server"]] as const;

/** What each case's cells must say. */
function expected(id: string, topology: string): string[] {
  if (topology === "guest-host") return PAIRINGS.map(() => "ok");
  return id === C_FAILS ? ["ok", "FAIL*", "FAIL*", "FAIL*"] : ["ok", "ok", "ok", "ok"];
}

for (const [topology, ...direction] of PLACES) {
  Deno.test(`ours and the C programs agree on every case, whoever accepts, ${topology}`, async () => {
    const args = ["lab", "interop", "--topology", topology, ...direction];
    const limit = ["--timeout", `${PATIENCE / 1000}`];
    const { code, stdout, stderr } = await runLab([...args, ...limit], PATIENCE);
    // A second table, of times, follows the verdicts.
    const [verdicts = ""] = stdout.split("server/client:");
    const rows = new Map(
      verdicts.split("\n").map((line) => line.split(/ {2,}/))
        .map(([id = "", ...rest]) => [id, rest]),
    );
    assert.deepEqual(rows.get("case"), ["upstream's name", ...PAIRINGS], stdout + stderr);
    for (const { name, case: own } of PROGRAMS.flatMap((program) => upstreamList(program))) {
      const id = own?.id ?? assert.fail(`${name} is not ported`);
      assert.deepEqual(rows.get(id), [name, ...expected(id, topology)], stdout + stderr);
    }
    assert.equal(code, 0, stdout + stderr);
  });
}

Deno.test("a lab that ends costs the cross test one session, and no cell", async () => {
  const args = ["lab", "interop", "--topology", "loopback", "diag/dump/lists-listener"];
  await using tool = new Tool(args, { patience: PATIENCE });
  await tool.says(/vsock_diag_test: ours accepts, C connects/);
  for (const guard of await childrenOf(tool.pid)) {
    for (const pid of await childrenOf(guard)) {
      const command = await Deno.readTextFile(`/proc/${pid}/cmdline`);
      if (command.includes("qemu-system")) Deno.kill(pid, "SIGKILL");
    }
  }
  const { code, stdout, stderr } = await tool.ended();
  assert.match(stderr, /the run failed: QEMU ended .*; continuing in another lab\n/);
  assert.match(stdout, /\ndiag\/dump\/lists-listener +Listen socket( +ok){4}\n/, stdout + stderr);
  assert.equal(code, 0, stdout + stderr);
});
