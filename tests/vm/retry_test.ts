/**
 * A lab that is lost and no kernel logged a reason costs a step, and no more; a kernel that dies and
 * logs why is a finding.
 *
 * @module
 */
import assert from "node:assert/strict";
import { archTraits } from "../../lab/arch.ts";
import { KernelDeathError, LabError, VmLostError } from "../../lab/error.ts";
import { RetryingLab } from "../../lab/retry.ts";
import { inVm, testProgress } from "./support.ts";
import { startLab } from "../../lab/lab.ts";

/** How long a step may take, in milliseconds: the machine may be busy. */
const STEP_TIME = 180_000;

const never = new AbortController().signal;

function testLabs(topology: "loopback" | "guest-host"): RetryingLab {
  const progress = testProgress();
  const what = { topology, kernel: { kernel: "debian:latest" } };
  return new RetryingLab(() => startLab(what, progress), progress);
}

for (const [what, signal] of [["ended", "KILL"], ["stalls", "STOP"]]) {
  Deno.test(`RetryingLab takes a step again in another lab where the guest's QEMU ${what}`, async () => {
    await using labs = testLabs("guest-host");
    const pids: number[] = [];
    const found = await labs.run("the step", STEP_TIME, async (lab, stop) => {
      pids.push(lab.address.pid);
      if (pids.length === 1) {
        const { program } = archTraits(lab.address.arch).qemu;
        await inVm(lab, "host", `kill -${signal} $(pidof ${program})`, stop);
        // Whoever talks to the guest sees its own error first.
        throw new Error("the guest's agent is gone");
      }
      return await inVm(lab, "guest", "echo found", stop);
    }, never);
    assert.equal(found, "found\n");
    // QEMU may have lost another one besides.
    assert.ok(pids.length >= 2);
    assert.equal(new Set(pids).size, pids.length);
  });
}

Deno.test("RetryingLab takes no step again in which a kernel died, or that failed itself", async () => {
  await using labs = testLabs("loopback");
  let taken = 0;
  const failing = labs.run("the step", STEP_TIME, () => {
    taken++;
    return Promise.reject(new Error("its own"));
  }, never);
  await assert.rejects(failing, (error: Error) => {
    assert.equal(error.message.split("\n")[0], "the step failed: its own");
    return error instanceof LabError && !(error instanceof VmLostError);
  });
  const deadly = labs.run("the step", STEP_TIME, async (lab, stop) => {
    taken++;
    await inVm(lab, "host", PANIC, stop);
  }, never);
  await assert.rejects(deadly, isDeath("loopback"));
  assert.equal(taken, 2);
});

Deno.test("RetryingLab tells of what a guest's kernel died", async () => {
  await using labs = testLabs("guest-host");
  const deadly = labs.run("the step", STEP_TIME, async (lab, stop) => {
    await inVm(lab, "guest", PANIC, stop);
  }, never);
  await assert.rejects(deadly, isDeath("guest"));
});

const PANIC = "echo c > /proc/sysrq-trigger";

/** Whether an error quotes a kernel that died of {@linkcode PANIC}. */
function isDeath(name: string): (error: Error) => boolean {
  return (error) => {
    const said = `${name}: its kernel reported: Kernel panic - not syncing: sysrq`;
    assert.ok(error.message.startsWith(said), error.message);
    return error instanceof KernelDeathError;
  };
}
