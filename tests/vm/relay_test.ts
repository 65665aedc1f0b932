/**
 * A lab that fails without a word of its kernels costs a step, and no more; a kernel that dies with
 * one is a finding.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openIdle } from "../../cli/lab.ts";
import { KernelDeathError, LabError, MishapError } from "../../lab/error.ts";
import { LabRelay } from "../../lab/relay.ts";
import { inVm, SELF, testProgress } from "./support.ts";

/** How long a step may take, in milliseconds: the machine may be busy. */
const STEP_TIME = 60_000;

const WHAT = { topology: "guest-host", kernel: { kernel: "debian:latest" } } as const;
const never = new AbortController().signal;

function testRelay(): LabRelay {
  const progress = testProgress();
  return new LabRelay(() => openIdle(WHAT, progress, never), SELF, progress);
}

for (const [what, signal] of [["went away", "KILL"], ["stands still", "STOP"]]) {
  Deno.test(`LabRelay takes a step again in another lab where the guest's QEMU ${what}`, async () => {
    await using relay = testRelay();
    const pids: number[] = [];
    const found = await relay.run("the step", STEP_TIME, async (lab, stop) => {
      pids.push(lab.address.pid);
      if (pids.length === 1) {
        await inVm(lab, "host", `kill -${signal} $(pidof qemu-system-x86_64)`, stop);
        // Whoever talks to the guest sees its own error first.
        throw new Error("the guest's agent is gone");
      }
      return await inVm(lab, "guest", "echo found", stop);
    }, never);
    assert.equal(found, "found\n");
    assert.equal(new Set(pids).size, 2);
  });
}

Deno.test("LabRelay takes no step again in which a kernel died, or that failed itself", async () => {
  await using relay = testRelay();
  let taken = 0;
  const failing = relay.run("the step", STEP_TIME, () => {
    taken++;
    return Promise.reject(new Error("its own"));
  }, never);
  await assert.rejects(failing, (error: Error) => {
    assert.equal(error.message.split("\n")[0], "the step failed: its own");
    return error instanceof LabError && !(error instanceof MishapError);
  });
  const deadly = relay.run("the step", STEP_TIME, async (lab, stop) => {
    taken++;
    await inVm(lab, "guest", "echo c > /proc/sysrq-trigger", stop);
  }, never);
  await assert.rejects(deadly, (error: Error) => {
    assert.match(error.message, /^guest: its kernel reported: Kernel panic - not syncing: sysrq/);
    return error instanceof KernelDeathError;
  });
  assert.equal(taken, 2);
});
