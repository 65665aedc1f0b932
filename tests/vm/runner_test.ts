/**
 * What the runner makes of kernels that fail, on one loopback lab.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Verdict } from "../../core/outcome.ts";
import { planRun } from "../../core/plan.ts";
import { select } from "../../core/selector.ts";
import { ownArch } from "../../lab/arch.ts";
import { ConsoleWatch } from "../../lab/vm/consoles.ts";
import { findKernel } from "../../lab/kernel/kernel.ts";
import { connectAgents } from "../../lab/connect.ts";
import type { Lab } from "../../lab/lab.ts";
import { runPlan } from "../../runner/run.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { oopsModule } from "../support/oops_module.ts";
import { inTheMidst, inVm, testLab, testProgress } from "./support.ts";

const KERNEL = { kernel: "debian:latest" };
/** How long agents that are up may take to answer, and a case, in milliseconds: on a busy machine. */
const CONNECT_TIME = 60_000;
const PATIENCE = 300_000;

/** The taint of a kernel that has had an Oops: D (Documentation/admin-guide/tainted-kernels). */
const DIED = 1 << 7;

/** The first case of a run, in the midst of which a script is run. */
const FIRST = "stream/connect/hundred-at-once";
/** Kills the client's agent, which is the second one: its file's name tells it from the first. */
const KILL_CLIENT = "grep -l 'agent-520[2]' /proc/[0-9]*/cmdline | cut -d/ -f3 | xargs kill -9";

/**
 * Runs cases in the lab, and a script in the midst of {@linkcode FIRST}.
 *
 * @param isRenewed whether a kernel that has gone wrong is replaced, as `lab` does.
 */
async function runCases(
  { address, recovery }: Lab,
  selectors: readonly string[],
  script?: string,
  isRenewed = false,
): Promise<{ verdicts: Verdict[]; stopped: string | undefined }> {
  const consoles = await ConsoleWatch.begin(address);
  const late = AbortSignal.timeout(CONNECT_TIME);
  const recover = () => isRenewed ? recovery.recover() : Promise.resolve();
  using ends = await connectAgents(address, late, recover);
  // The script may be the VM's end.
  const act = () => inVm({ address }, "host", script ?? "").catch(() => {});
  if (script !== undefined) inTheMidst({ address }, ends, FIRST, act);
  let stopped: string | undefined;
  const verdicts: Verdict[] = [];
  await runPlan({
    topology: "loopback",
    plan: planRun(select(CATALOGUE, selectors), ["loopback"]),
    ends,
    port: 1234,
    timeout: PATIENCE,
    seed: 1,
    sink: (event) => {
      if (event.type === "case-end") verdicts.push(event.verdict);
      if (event.type === "run-stopped") stopped = event.reason;
    },
    postMortem: () => consoles.postMortem(),
    onTainted: async (why) => {
      if (isRenewed) await recovery.renew(why);
      return isRenewed;
    },
  });
  return { verdicts, stopped };
}

Deno.test("a kernel that reports a fault, or panics, fails the case that was under way", async (t) => {
  const { modules } = await findKernel(KERNEL, ownArch(), testProgress());
  const { data } = modules.find(({ name }) => name === "vsock_diag") ?? assert.fail();
  const files = [{ path: "oops.ko", data: oopsModule(data) }];
  await using lab = await testLab({ topology: "loopback", kernel: KERNEL, files });

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
      assert.deepEqual(transports, ["loopback", "virtio", "vhost"]);
      assert.deepEqual(localCids, [1, 2]);
      const there = ["seqpacket", "zerocopy", "siocinq", "io-uring", "namespaces", "vhost-device"];
      for (const name of [...there, "second-transport"]) {
        assert.equal(features[name], null, name);
      }
      const { verdicts } = await runCases(lab, ["addressing/destination/stream-fallback"]);
      assert.equal(verdicts[0]?.outcome, "skip");
      assert.match(verdicts[0].reasons[0] ?? "", /lacks .*: (.*)/);
      assert.ok(
        verdicts[0].reasons[0]?.endsWith(features["g2h-fallback"]),
        features["g2h-fallback"],
      );
    },
  );

  const oops = "rmmod vsock_diag; insmod /oops.ko";
  const taint = async () => Number(await inVm(lab, "host", "cat /proc/sys/kernel/tainted"));

  await t.step(
    "an Oops fails the case, with its quotation, and a clean kernel goes on",
    async () => {
      const { verdicts, stopped } = await runCases(lab, [FIRST, "seqpacket/msg-trunc"], oops, true);
      assert.equal(stopped, undefined);
      assert.equal(await taint() & DIED, 0);
      const outcomes = verdicts.map(({ outcome }) => outcome);
      assert.deepEqual(outcomes, ["fail", "pass"], JSON.stringify(verdicts));
      const [failed] = verdicts;
      assert.match(
        failed?.reasons[0] ?? "",
        /its kernel reported: BUG: unable to handle page fault/,
      );
      assert.equal(failed?.reasons.filter((reason) => /Oops:/.test(reason)).length, 1);
    },
  );

  await t.step("where there is no clean kernel an Oops ends the run, and says so", async () => {
    const { verdicts, stopped } = await runCases(lab, [FIRST, "seqpacket/msg-trunc"], oops);
    assert.deepEqual(verdicts.map(({ outcome }) => outcome), ["fail"]);
    assert.match(stopped ?? "", /has gone wrong \(tainted: D .*--keep-going runs the rest/);
    assert.equal(await taint() & DIED, DIED);
    await lab.recovery.renew("it has had an Oops");
  });

  await t.step("an agent's process that dies costs its case, and the run goes on", async () => {
    const { verdicts, stopped } = await runCases(
      lab,
      [FIRST, "seqpacket/msg-trunc"],
      KILL_CLIENT,
    );
    assert.equal(stopped, undefined);
    const outcomes = verdicts.map(({ outcome }) => outcome);
    assert.deepEqual(outcomes, ["broken", "pass"], JSON.stringify(verdicts));
    const reasons = verdicts[0]?.reasons.map((reason) => reason.replace(/\(\d+\)$/, "(3)"));
    assert.deepEqual(reasons, [
      "client: its process died: SIGKILL",
      "client: last step: wait for the peer's LISTENING",
      "server: stopped: lost contact with the client",
      "server: last step: accept4(3)",
    ]);
  });

  await t.step("a panic fails the case, names itself, and ends the run", async () => {
    const { verdicts, stopped } = await runCases(
      lab,
      [FIRST, "seqpacket/msg-trunc"],
      "echo c > /proc/sysrq-trigger",
    );
    assert.equal(verdicts.length, 1, JSON.stringify(verdicts));
    const [last] = verdicts;
    assert.equal(last?.outcome, "fail", JSON.stringify(verdicts));
    assert.match(last.reasons[0] ?? "", /reported: Kernel panic - not syncing: sysrq triggered/);
    assert.match(last.reasons.join("\n"), /: lost contact with its agent: /);
    assert.match(stopped ?? "", /lost contact with the loopback agent/);
  });
});
