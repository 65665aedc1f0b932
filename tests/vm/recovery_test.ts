/**
 * A case that kills a kernel costs that case, and a restore; a QEMU that ends costs a restore.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Verdict } from "../../core/outcome.ts";
import { planRun } from "../../core/plan.ts";
import { select } from "../../core/selector.ts";
import { archTraits } from "../../lab/arch.ts";
import { ConsoleWatch } from "../../lab/vm/consoles.ts";
import type { Lab } from "../../lab/lab.ts";
import { vmTools } from "../../lab/host/vm_tools.ts";
import { runPlan } from "../../runner/run.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { inTheMidst, inVm, testLab, testProgress } from "./support.ts";

const KERNEL = { kernel: "debian:latest" };
const CASES = ["stream/close", "stream/connect/hundred-at-once", "seqpacket/msg-trunc"];
/** The case in which something dies. */
const DEADLY = "stream/connect/hundred-at-once";

/** Runs the cases, and does something in the midst of the deadly one. */
async function runOn(lab: Lab, act: () => unknown) {
  // Each run connects anew, as commands do.
  using ends = await lab.connect(new AbortController().signal);
  inTheMidst(lab, ends, DEADLY, act);
  const consoles = await ConsoleWatch.begin(lab.address);
  const verdicts = new Map<string, Verdict>();
  const { stopped } = await runPlan({
    topology: "loopback",
    plan: planRun(select(CATALOGUE, CASES), ["loopback"]),
    ends,
    port: 1234,
    timeout: 300_000,
    seed: 1,
    postMortem: async () => [
      ...await consoles.postMortem(),
      ...lab.recovery.takeFindings(),
    ],
    losses: () => lab.recovery.losses,
    sink: (event) => {
      if (event.type === "case-end") verdicts.set(event.run.id, event.verdict);
    },
  });
  const deadly = verdicts.get(DEADLY);
  verdicts.delete(DEADLY);
  const others = [...verdicts.values()].map(({ outcome }) => outcome);
  return { stopped, deadly, others, texts: JSON.stringify([...verdicts]) };
}

Deno.test("a run goes on with a restored kernel", async (t) => {
  await using lab = await testLab({ topology: "loopback", kernel: KERNEL });
  const killQemu = () => Deno.kill(-lab.recovery.vm.pid, "SIGKILL");

  await t.step("where one panics, and fails its case", async () => {
    const panics = () => inVm(lab, "host", "echo c > /proc/sysrq-trigger").catch(() => {});
    const { stopped, deadly, others, texts } = await runOn(lab, panics);
    assert.equal(stopped, undefined);
    assert.equal(deadly?.outcome, "fail", JSON.stringify(deadly));
    assert.match(deadly.reasons[0] ?? "", /reported: Kernel panic - not syncing: sysrq triggered/);
    assert.deepEqual(others, ["pass", "pass", "pass"], texts);
    assert.equal(lab.recovery.losses, 0);
  });

  await t.step("where QEMU ends without a word, and the case is run again", async () => {
    let times = 0;
    const { stopped, deadly, others, texts } = await runOn(lab, () => ++times === 1 && killQemu());
    assert.equal(stopped, undefined);
    assert.equal(deadly?.outcome, "retried", JSON.stringify(deadly));
    assert.match(deadly.reasons.join(), /^run again: the VMs were lost and no kernel/);
    assert.deepEqual(others, ["pass", "pass", "pass"], texts);
    assert.equal(lab.recovery.losses, 1);
  });

  await t.step("unless that happens too often", async () => {
    const { stopped, deadly } = await runOn(lab, killQemu);
    assert.match(stopped ?? "", /^lost contact with the loopback agent: /);
    assert.equal(deadly?.outcome, "broken", JSON.stringify(deadly));
    assert.equal(lab.recovery.losses, 3);
  });
});

Deno.test("a QEMU of the user's own that dies of a signal fails the case under way", async () => {
  // Arm's machine needs no firmware, which this QEMU would look for where it is not.
  const { qemu } = await vmTools(archTraits("arm64"), false, testProgress());
  await using lab = await testLab({ topology: "loopback", kernel: KERNEL, qemu, arch: "arm64" });
  const qemuOf = async () => {
    // The guard's child, by its own process id.
    const { pid } = lab.recovery.vm;
    const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
    for (const child of children.trim().split(" ")) {
      const exe = await Deno.readLink(`/proc/${child}/exe`).catch(() => "");
      if (exe.includes("qemu-system")) return Number(child);
    }
    return assert.fail(`no QEMU below ${pid}`);
  };
  const crash = async () => Deno.kill(await qemuOf(), "SIGSEGV");
  const { stopped, deadly, others, texts } = await runOn(lab, crash);
  assert.equal(stopped, undefined);
  assert.equal(deadly?.outcome, "fail", JSON.stringify(deadly));
  assert.match(deadly.reasons.join("\n"), /QEMU ended \(signal SIGSEGV\)/);
  assert.deepEqual(others, ["pass", "pass", "pass"], texts);
});
