/**
 * The lab end to end, through the command line: real kernels, both topologies, both directions.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { type Ended, runTool } from "../support/tool.ts";

/** How long a whole run may take, in milliseconds: the machine may be busy. */
const PATIENCE = 600_000;

/** What a kernel is known to get wrong, see docs/kernels.md. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "debian:latest": [],
  "debian:6.12": ["stream/linger/no-wait-for-unread"],
};

/** What Linux 6.1 gets wrong and will not mend: it turns these errors into ENOMEM. */
const WRONG_ON_6_1 = [
  "seqpacket/msg-peek/leaves-message",
  "seqpacket/receive-buffer/hole-costs-one-message",
  "seqpacket/send/larger-than-buffer-is-emsgsize",
];

/** The ids of the result lines of KTAP, by result. */
function results(ktap: string): { ok: string[]; notOk: string[] } {
  const lines = [...ktap.matchAll(/^ {2}(ok|not ok) \d+ (\S+)/gm)];
  const ids = (wanted: string) =>
    lines.filter(([, result]) => result === wanted).map(([, , id = ""]) => id);
  return { ok: ids("ok"), notOk: ids("not ok") };
}

/** How often a run is begun anew when the lab itself failed (69): QEMU ended, nothing was judged. */
const TRIES = 3;

/** Runs a lab to its verdicts. A run that has them is never repeated. */
async function runLab(args: readonly string[]): Promise<Ended> {
  for (let tries = 1;; tries++) {
    const ended = await runTool(args, { patience: PATIENCE });
    if (ended.code !== 69 || tries === TRIES) return ended;
  }
}

for (const [kernel, known] of Object.entries(KNOWN)) {
  for (const [topology, directions] of [["loopback", 1], ["guest-host", 2]] as const) {
    Deno.test(`lab judges every case on ${kernel}, ${topology}`, async () => {
      const cases = CATALOGUE.map(({ id }) => id);
      const args = ["lab", "--kernel", kernel, "--topology", topology, "--ktap"];
      const { stdout, stderr, code } = await runLab(args);
      const { ok, notOk } = results(stdout);
      const every = cases.flatMap((id) => Array<string>(directions).fill(id)).sort();
      assert.deepEqual([...ok, ...notOk].sort(), every, stdout + stderr);
      assert.deepEqual(notOk.filter((id) => !known.includes(id)), [], stdout + stderr);
      assert.equal(code, notOk.length === 0 ? 0 : 1);
      assert.match(stderr, /first verdict after .* \(.*boot .*, first case .*\)/);
    });
  }
}

Deno.test("lab reports what Linux 6.1 gets wrong, and goes on", async () => {
  const args = ["lab", "--kernel", "debian:6.1", "--topology", "loopback", "--ktap"];
  const { stdout, stderr, code } = await runLab(args);
  const { ok, notOk } = results(stdout);
  assert.equal(ok.length + notOk.length, CATALOGUE.length, stdout + stderr);
  for (const id of WRONG_ON_6_1) assert.ok(notOk.includes(id), `${id}\n${stdout}`);
  assert.match(stdout, /# server: .*expected EFAULT, got .*ENOMEM/);
  assert.equal(code, 1);
});
