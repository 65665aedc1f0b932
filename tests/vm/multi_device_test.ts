/**
 * A guest with three devices on the kernel of fixtures/kernel/multi-device: all its cases pass, and
 * each fails on a build of it that errs.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { EventSink } from "../../core/event.ts";
import type { Verdict } from "../../core/outcome.ts";
import { type Direction, planRun } from "../../core/plan.ts";
import { select } from "../../core/selector.ts";
import { type Lab, startLab } from "../../lab/lab.ts";
import { RetryingLab, type Step } from "../../lab/retry.ts";
import { runPlan } from "../../runner/run.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { KERNEL_FAULTS, type KernelFault } from "../mutations/kernel_faults.ts";
import { inVm, testProgress } from "./support.ts";

/** The deadline of a case that does not hang, in milliseconds, and of one that is to hang. */
const PATIENCE = 40_000;
const SHORT = 6000;
/** How long a step may take, in milliseconds: the machine may be busy. */
const STEP_TIME = 300_000;

/** Runs cases; each run connects anew, as commands do. */
async function runCases(
  lab: Lab,
  selectors: readonly string[],
  direction: Direction,
  stop: AbortSignal,
  timeout = PATIENCE,
): Promise<Verdict[]> {
  const plan = planRun(select(CATALOGUE, selectors), [direction]);
  const verdicts: Verdict[] = [];
  const sink: EventSink = (event) => {
    if (event.type === "case-end") verdicts.push(event.verdict);
  };
  using ends = await lab.connect(stop);
  await runPlan({ topology: "guest-host", plan, ends, port: 1234, timeout, seed: 1, sink, stop });
  return verdicts;
}

/** The direction in which the guest plays a role. */
function directionOf({ guest }: Pick<KernelFault, "guest">): Direction {
  return guest === "client" ? "host-server" : "guest-server";
}

/** Makes the guest's kernel err, until what it gives is disposed of. */
async function erring(lab: Lab, stop: AbortSignal, fault: KernelFault) {
  const { name = "", unbound = false } = fault;
  const driver = "/sys/bus/virtio/drivers/vmw_vsock_virtio_transport";
  const set = (value: string, then: string) => {
    const script = `printf %s "${value}" > /sys/module/vsock/parameters/fault`;
    return inVm(lab, "guest", unbound ? `${script}\n${then}` : script, stop);
  };
  await set(name, `echo virtio3 > ${driver}/unbind`);
  // A kernel that errs so has bound it again.
  const rebind = `[ -e ${driver}/virtio3 ] || echo virtio3 > ${driver}/bind`;
  return { [Symbol.asyncDispose]: async () => void await set("none", rebind) };
}

/** Whether a case is one that passes where the guest plays that role. */
function isOf(guest: KernelFault["guest"], id: string): boolean {
  return KERNEL_FAULTS.some((fault) =>
    fault.guest === guest && fault.unbound !== true && fault.ids.includes(id)
  );
}

Deno.test("every case of several devices notices kernels that err, and passes on one that does not", async (t) => {
  const what = { topology: "guest-host", kernel: { kernel: "multi-device:switchable" } } as const;
  const progress = testProgress();
  const never = new AbortController().signal;
  await using labs = new RetryingLab(() => startLab(what, progress), progress);
  const step = (name: string, body: Step<void>) =>
    t.step(name, () => labs.run(name, STEP_TIME, body, never));
  for (const guest of ["client", "server"] as const) {
    await step(`all pass where the guest is the ${guest}`, async (lab, stop) => {
      const ids = CATALOGUE.map(({ id }) => id).filter((id) => isOf(guest, id));
      for (const { outcome, reasons } of await runCases(lab, ids, directionOf({ guest }), stop)) {
        assert.equal(outcome, "pass", reasons.join("\n"));
      }
    });
  }
  for (const fault of KERNEL_FAULTS) {
    await step(`${fault.ids.join(", ")}: ${fault.what}`, async (lab, stop) => {
      await using _erring = await erring(lab, stop, fault);
      const timeout = fault.reason.test("it had not ended") ? SHORT : PATIENCE;
      for (const id of fault.ids) {
        const [verdict] = await runCases(lab, [id], directionOf(fault), stop, timeout);
        assert.ok(["fail", "timeout"].includes(verdict?.outcome ?? ""), JSON.stringify(verdict));
        assert.match(verdict?.reasons.join("\n") ?? "", fault.reason);
      }
    });
  }
});
