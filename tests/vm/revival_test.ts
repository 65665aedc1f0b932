/**
 * A case that kills a kernel costs that case, and a restore.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Verdict } from "../../core/outcome.ts";
import { planRun } from "../../core/plan.ts";
import { select } from "../../core/selector.ts";
import { ConsoleWatch } from "../../lab/consoles.ts";
import { runPlan } from "../../peer/run.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { inTheMidst, testLab } from "./support.ts";

const KERNEL = { kernel: "debian:latest" };
const CASES = ["stream/close", "stream/connect/hundred-at-once", "seqpacket/msg-trunc"];
/** The case in which the kernel dies. */
const DEADLY = "stream/connect/hundred-at-once";

Deno.test("a kernel that panics fails its case, and the run goes on with a restored one", async () => {
  await using lab = await testLab({ topology: "loopback", kernel: KERNEL });
  const consoles = await ConsoleWatch.begin(lab.address);
  inTheMidst(lab, lab.ends, DEADLY, "echo c > /proc/sysrq-trigger");
  const verdicts = new Map<string, Verdict>();
  const { stopped } = await runPlan({
    topology: "loopback",
    plan: planRun(select(CATALOGUE, CASES), ["loopback"]),
    ends: lab.ends,
    port: 1234,
    timeout: 300_000,
    seed: 1,
    postMortem: () => consoles.postMortem(),
    sink: (event) => {
      if (event.type === "case-end") verdicts.set(event.run.id, event.verdict);
    },
  });
  lab.ends.host.close();
  lab.ends.guest.close();
  assert.equal(stopped, undefined);
  const failed = verdicts.get(DEADLY);
  assert.equal(failed?.outcome, "fail", JSON.stringify(failed));
  assert.match(failed.reasons[0] ?? "", /reported: Kernel panic - not syncing: sysrq triggered/);
  verdicts.delete(DEADLY);
  assert.deepEqual([...verdicts.values()].map(({ outcome }) => outcome), ["pass", "pass", "pass"]);
});
