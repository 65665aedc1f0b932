/**
 * What the runner makes of kernels that fail, on one loopback lab.
 *
 * @module
 */
import assert from "node:assert/strict";
import { closeEnds } from "../../cli/lab.ts";
import type { Verdict } from "../../core/outcome.ts";
import { planRun } from "../../core/plan.ts";
import { select } from "../../core/selector.ts";
import { ConsoleWatch } from "../../lab/consoles.ts";
import { findKernel } from "../../lab/kernel.ts";
import { openEnds } from "../../lab/ends.ts";
import type { OpenLab } from "../../lab/lab.ts";
import { runPlan } from "../../peer/run.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { oopsModule } from "../support/oops_module.ts";
import { inVm, SELF, testLab, testProgress } from "./support.ts";

const KERNEL = { kernel: "debian:latest" };

/**
 * Kills the client of seqpacket/rcvtimeo in its read, which takes a second: when that is the step in
 * its testament. The second agent is the client; the testament's name tells it from the first.
 */
const KILL_READER = `
for i in $(seq 600); do
  if grep -q 'read(' /tmp/agent-5202; then
    grep -l 'agent-520[2]' /proc/[0-9]*/cmdline | cut -d/ -f3 | xargs kill -9
    exit
  fi
  sleep 0.05
done
exit 1`;

/** Runs cases in the lab; `during` is called when each begins. */
async function runCases(
  { address }: OpenLab,
  selectors: readonly string[],
  during: (id: string) => void = () => {},
): Promise<{ verdicts: Verdict[]; stopped: string | undefined }> {
  const consoles = await ConsoleWatch.begin(address);
  const ends = await openEnds(address, SELF, AbortSignal.timeout(20_000));
  let stopped: string | undefined;
  const verdicts: Verdict[] = [];
  await runPlan({
    topology: "loopback",
    plan: planRun(select(CATALOGUE, selectors), ["loopback"]),
    ends,
    port: 1234,
    timeout: 60_000,
    seed: 1,
    sink: (event) => {
      if (event.type === "case-start") during(event.run.id);
      if (event.type === "case-end") verdicts.push(event.verdict);
      if (event.type === "run-stopped") stopped = event.reason;
    },
    postMortem: () => consoles.postMortem(),
  });
  closeEnds(ends);
  return { verdicts, stopped };
}

Deno.test("a kernel that reports a fault, or panics, fails the case that was under way", async (t) => {
  const { modules } = await findKernel(KERNEL, testProgress());
  const { data } = modules.find(({ name }) => name === "vsock_diag") ?? assert.fail();
  const files = [{ path: "oops.ko", data: oopsModule(data) }];
  await using lab = await testLab({ topology: "loopback", kernel: KERNEL, files });
  // Each run connects anew, as commands do.
  closeEnds(lab.ends);

  await t.step("a line that a program writes to the log is no fault", async () => {
    await inVm(lab, "host", "echo '<4>WARNING: CPU: 0 PID: 1 at fake.c:1' > /dev/kmsg");
    const { verdicts } = await runCases(lab, ["stream/close"]);
    assert.deepEqual(verdicts.map(({ outcome }) => outcome), ["pass", "pass"]);
  });

  await t.step(
    "probe says what the kernel offers, and why not, as the skips of a run do",
    async () => {
      const text = await inVm(
        lab,
        "host",
        "cd /app; deno run -A vsock-conformance.js probe --json",
      );
      const { features, transports, localCids } = JSON.parse(text);
      assert.deepEqual([transports, localCids], [["loopback"], [1]]);
      for (const name of ["seqpacket", "zerocopy", "siocinq", "io-uring", "namespaces"]) {
        assert.equal(features[name], null, name);
      }
      const { verdicts } = await runCases(lab, ["namespaces/cid/same-twice"]);
      assert.equal(verdicts[0]?.outcome, "skip");
      assert.match(verdicts[0].reasons[0] ?? "", /lacks .*: (.*)/);
      assert.ok(
        verdicts[0].reasons[0]?.endsWith(features["vhost-device"]),
        features["vhost-device"],
      );
    },
  );

  await t.step("an Oops fails the case, with its quotation, and the run goes on", async () => {
    let oops: Promise<string> | undefined;
    const { verdicts, stopped } = await runCases(
      lab,
      // The second one still waits when the first is over before the module is loaded.
      ["stream/connect/hundred-at-once", "stream/rcvlowat/poll-waits-for-all"],
      (id) => {
        const script = "rmmod vsock_diag; insmod /oops.ko; echo done";
        if (id.endsWith("hundred-at-once")) oops = inVm(lab, "host", script);
      },
    );
    await oops;
    assert.equal(stopped, undefined);
    const failed = verdicts.find(({ outcome }) => outcome === "fail");
    assert.match(
      failed?.reasons[0] ?? "",
      /its kernel reported: BUG: unable to handle page fault/,
      JSON.stringify(verdicts),
    );
    assert.equal(failed?.reasons.filter((reason) => /Oops:/.test(reason)).length, 1);
    assert.equal(verdicts.length, 2);
  });

  await t.step("an agent's process that dies costs its case, and the run goes on", async () => {
    let kill: Promise<string> | undefined;
    const { verdicts, stopped } = await runCases(
      lab,
      ["seqpacket/rcvtimeo", "stream/close"],
      (id) => {
        if (id.endsWith("ends-read-with-eagain")) kill = inVm(lab, "host", KILL_READER);
      },
    );
    await kill;
    assert.equal(stopped, undefined);
    const broken = verdicts.find(({ outcome }) => outcome === "broken");
    assert.match(broken?.reasons[0] ?? "", /^client: its process died: SIGKILL$/);
    assert.match(broken?.reasons[1] ?? "", /^client: last step: read\(/);
    assert.deepEqual(verdicts.map(({ outcome }) => outcome).toSorted(), ["broken", "pass", "pass"]);
  });

  await t.step("a panic fails the case, names itself, and ends the run", async () => {
    const { verdicts, stopped } = await runCases(
      lab,
      ["stream/connect/hundred-at-once", "stream/rcvlowat/poll-waits-for-all"],
      (id) => {
        if (!id.endsWith("hundred-at-once")) return;
        inVm(lab, "host", "echo c > /proc/sysrq-trigger").catch(() => {});
      },
    );
    const last = verdicts.at(-1);
    assert.equal(last?.outcome, "fail", JSON.stringify(verdicts));
    assert.match(last.reasons[0] ?? "", /reported: Kernel panic - not syncing: sysrq triggered/);
    assert.match(last.reasons.join("\n"), /: its agent is lost: /);
    assert.match(stopped ?? "", /the loopback is lost/);
  });
});
