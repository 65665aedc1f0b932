/**
 * A VM whose processors get no timer interrupts any more, as one that QEMU forgot.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseReport } from "../../report/schema.ts";
import { runTool } from "../support/tool.ts";

/** How long a command may take, in milliseconds: the machine may be busy. */
const PATIENCE = 400_000;
const NAME = "processors-test";
/** Waits for the kernel's timer. */
const CASE = "seqpacket/rcvtimeo/ends-read-with-eagain";
/**
 * Masks the timer of each processor's local APIC, which Linux will set, but never unmask: to it the
 * interrupts are lost. LVTT, one-shot, vector 236.
 */
const LOSE_TIMERS = "for mask in 1 2; do taskset $mask devmem 0xfee00320 32 0x100ec; done";

function lab(command: string, args: readonly string[], input?: string) {
  return runTool(["lab", command, "--name", NAME, ...args], {
    patience: PATIENCE,
    ...(input === undefined ? {} : { input }),
  });
}

Deno.test("lab run ends with 69, and its report, where a processor is forgotten", async () => {
  const report = await Deno.makeTempFile({ suffix: ".json" });
  const up = await lab("up", ["--topology", "loopback"]);
  assert.equal(up.code, 0, up.stderr);
  try {
    const shell = await lab("shell", ["loopback"], LOSE_TIMERS);
    assert.equal(shell.code, 0, shell.stdout + shell.stderr);
    const { code, stderr } = await lab("run", [CASE, "--report", `json=${report}`]);
    assert.equal(code, 69, stderr);
    assert.match(stderr, /QEMU lost an interrupt: processor [01] of the VM .*run it again/);
    const { stopped, cases } = parseReport(await Deno.readTextFile(report), report);
    assert.match(stopped?.reason ?? "", /^QEMU lost an interrupt: processor [01] /);
    assert.deepEqual(cases.map(({ id, verdict }) => [id, verdict]), [[CASE, undefined]]);
  } finally {
    const down = await lab("down", []);
    assert.equal(down.code, 0, down.stderr);
    await Deno.remove(report);
  }
});
