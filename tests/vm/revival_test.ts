/**
 * A case that kills a kernel costs that case, and a restore; a QEMU that ends costs a restore.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Verdict } from "../../core/outcome.ts";
import { planRun } from "../../core/plan.ts";
import { select } from "../../core/selector.ts";
import { ConsoleWatch } from "../../lab/consoles.ts";
import type { OpenLab } from "../../lab/lab.ts";
import type { Vm } from "../../lab/vm.ts";
import { runPlan } from "../../peer/run.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { inVm, testLab } from "./support.ts";

const KERNEL = { kernel: "debian:latest" };
const CASES = ["stream/close", "seqpacket/rcvtimeo", "seqpacket/msg-trunc"];
/** The case in which something dies: it takes a second. */
const DEADLY = "seqpacket/rcvtimeo/ends-read-with-eagain";

/** Runs the cases, with something done whenever the deadly one is told that it begins. */
async function runOn(lab: OpenLab, plan: readonly string[], act: () => void) {
  const consoles = await ConsoleWatch.begin(lab.address);
  const verdicts = new Map<string, Verdict>();
  const { stopped } = await runPlan({
    topology: "loopback",
    plan: planRun(select(CATALOGUE, plan), ["loopback"]),
    ends: lab.ends,
    port: 1234,
    timeout: 60_000,
    seed: 1,
    postMortem: () => consoles.postMortem(),
    losses: () => lab.revival.losses,
    sink: (event) => {
      if (event.type === "case-end") verdicts.set(event.run.id, event.verdict);
      if (event.type === "case-start" && event.run.id === DEADLY) act();
    },
  });
  const deadly = verdicts.get(DEADLY);
  verdicts.delete(DEADLY);
  return { stopped, deadly, others: [...verdicts.values()].map(({ outcome }) => outcome) };
}

Deno.test("a run goes on with a restored kernel", async (t) => {
  await using lab = await testLab({ topology: "loopback", kernel: KERNEL });
  using _host = lab.ends.host;
  using _guest = lab.ends.guest;
  const killQemu = () => Deno.kill(-lab.revival.vm.pid, "SIGKILL");

  await t.step("where one panics, and fails its case", async () => {
    const { stopped, deadly, others } = await runOn(lab, CASES, () => {
      inVm(lab, "host", "echo c > /proc/sysrq-trigger").catch(() => {});
    });
    assert.equal(stopped, undefined);
    assert.equal(deadly?.outcome, "fail");
    assert.match(deadly.reasons[0] ?? "", /reported: Kernel panic - not syncing: sysrq triggered/);
    assert.deepEqual(others, ["pass", "pass", "pass"]);
  });

  await t.step("where QEMU ends without a word, and the case is run again", async () => {
    const { stopped, deadly, others } = await runOn(lab, CASES, killQemu);
    assert.equal(stopped, undefined);
    assert.equal(deadly?.outcome, "pass", deadly?.reasons.join("\n"));
    assert.match(deadly.reasons.join(), /^run again: its machines had gone away, and no kernel/);
    assert.deepEqual(others, ["pass", "pass", "pass"]);
    assert.equal(lab.revival.losses, 1);
  });

  await t.step("unless that happens too often", async () => {
    // Begun again, the case is not told anew: each VM that takes the place of another is killed.
    let over = false;
    let killed: Vm | undefined;
    const keepsKilling = async () => {
      while (!over) {
        const { vm } = lab.revival;
        if (vm !== killed) killQemu();
        killed = vm;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    let killing: Promise<void> | undefined;
    const { stopped, deadly } = await runOn(lab, CASES, () => killing ??= keepsKilling());
    over = true;
    await killing;
    assert.match(stopped ?? "", /^the loopback is lost: /);
    assert.equal(deadly?.outcome, "broken");
    assert.equal(lab.revival.losses, 3);
  });
});
