import assert from "node:assert/strict";
import type { Role } from "../core/case.ts";
import type { SideReport } from "../core/outcome.ts";
import { LineChannel } from "./channel.ts";
import { streamPair } from "./stream_pair.ts";
import type { CaseLines } from "./lines.ts";
import { runUpstream, type UpstreamResult, type UpstreamStep } from "./vsock_test_protocol.ts";

const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };
/** How long anything may take, in milliseconds: only what hangs takes that. */
const WAIT = 60_000;
const never = new AbortController().signal;

type Run = (lines: CaseLines) => Promise<SideReport>;

/** A list of steps; `undefined` is one that we skip. */
function stepsOf(...runs: (Run | undefined)[]): UpstreamStep[] {
  return runs.map((run, position) => ({ position, name: `case ${position}`, run }));
}

const LISTS = [{ name: "long", length: 4 }, { name: "short", length: 2 }];
const passes: Run = () => Promise.resolve(PASS);

/** Runs the list opposite a peer that a test scripts line by line. */
function opposite(steps: UpstreamStep[], options: { role?: Role; lineTime?: number } = {}) {
  const [near, far] = streamPair();
  const told: string[] = [];
  const reasons: string[] = [];
  const text = (result: UpstreamResult) =>
    result.outcome === "skipped" ? `skipped by ${result.by}` : result.report.state;
  const channel = new LineChannel(near);
  const passed = runUpstream(channel, steps, {
    role: options.role ?? "client",
    lineTime: options.lineTime ?? WAIT,
    lists: LISTS,
    events: {
      onStart: ({ position }) => told.push(`${position}...`),
      onEnd: ({ position }, result) => {
        told.push(`${position} ${text(result)}`);
        if (result.outcome === "done") reasons.push(...result.report.reasons);
      },
    },
  });
  passed.catch(() => {});
  const peer = new LineChannel(far);
  return {
    told,
    reasons,
    passed,
    says: (line: string) => peer.writeLine(line),
    hears: () => peer.readLine(WAIT),
    leaves: () => peer.close(),
    [Symbol.dispose]() {
      peer.close();
      channel.close();
    },
  };
}

for (const role of ["client", "server"] as const) {
  Deno.test(`runUpstream() as ${role} speaks the kernel's protocol word for word`, async () => {
    const echo: Run = async (lines) => {
      assert.equal(await lines.read(never), "LISTENING");
      await lines.write("DONE");
      return PASS;
    };
    using session = opposite(stepsOf(passes, undefined, echo, undefined, passes), { role });
    // Both sides write before they read: each line of ours is there before the peer's answer.
    assert.equal(await session.hears(), "NEXT");
    await session.says("NEXT");
    assert.equal(await session.hears(), "SKIP");
    await session.says("NEXT");
    assert.equal(await session.hears(), "NEXT");
    await session.says("NEXT");
    await session.says("LISTENING");
    assert.equal(await session.hears(), "DONE");
    assert.equal(await session.hears(), "SKIP");
    await session.says("SKIP");
    assert.equal(await session.hears(), "NEXT");
    await session.says("SKIP");
    assert.equal(await session.hears(), "COMPLETED");
    await session.says("COMPLETED");
    assert.equal(await session.passed, true);
    assert.deepEqual(session.told, [
      "0...",
      "0 pass",
      "1...",
      "1 skipped by us",
      "2...",
      "2 pass",
      "3...",
      "3 skipped by us",
      "4...",
      "4 skipped by the peer",
    ]);
  });
}

Deno.test("runUpstream() of both sides opposite each other completes", async () => {
  const [near, far] = streamPair();
  const session = (role: Role, stream: typeof near, steps: UpstreamStep[]) =>
    runUpstream(new LineChannel(stream), steps, {
      role,
      lineTime: WAIT,
      lists: LISTS,
      events: { onStart: () => {}, onEnd: () => {} },
    });
  const results = await Promise.all([
    session("server", near, stepsOf(passes, undefined, passes)),
    session("client", far, stepsOf(passes, passes, undefined)),
  ]);
  assert.deepEqual(results, [true, true]);
});

Deno.test("runUpstream() ends with the first case that does not pass, without COMPLETED", async () => {
  const fails: Run = () => Promise.resolve({ ...PASS, state: "fail", reasons: ["no"] });
  using session = opposite(stepsOf(fails, passes));
  assert.equal(await session.hears(), "NEXT");
  await session.says("NEXT");
  assert.equal(await session.passed, false);
  assert.deepEqual(session.told, ["0...", "0 fail"]);
});

Deno.test("runUpstream() names the place where the peer went away", async () => {
  using session = opposite(stepsOf(passes, passes));
  await session.says("NEXT");
  assert.equal(await session.hears(), "NEXT");
  session.leaves();
  await assert.rejects(session.passed, {
    name: "PeerGoneError",
    message: /^before 1 - case 1: (the control connection broke|the peer closed)/,
  });
});

Deno.test("runUpstream() names the place where the peer went away at the end", async () => {
  using session = opposite(stepsOf());
  assert.equal(await session.hears(), "COMPLETED");
  session.leaves();
  await assert.rejects(session.passed, { name: "PeerGoneError", message: /^at the end: / });
});

Deno.test("runUpstream() names the place where the peer is silent", async () => {
  using session = opposite(stepsOf(passes), { lineTime: 50 });
  await assert.rejects(session.passed, {
    name: "SilentPeerError",
    message: "before 0 - case 0: the peer wrote no line for 0.1 s",
  });
});

Deno.test("runUpstream() names the list of a peer whose list ends first", async () => {
  const peerHas = async (length: number) => {
    using session = opposite(stepsOf(passes, passes, passes));
    for (let i = 0; i < length; i++) await session.says("NEXT");
    await session.says("COMPLETED");
    return await session.passed.catch((error) => `${error.name}: ${error.message}`);
  };
  assert.equal(
    await peerHas(2),
    "ProtocolError: before 2 - case 2: the peer's list ended after 2 cases, this one has 3: " +
      "use --protocol short",
  );
  assert.match(`${await peerHas(1)}`, /after 1 cases, this one has 3: of no version known here$/);
});

Deno.test("runUpstream() names the lists of a peer whose list goes on", async () => {
  const ourLength = async (length: number) => {
    const steps = Array.from({ length }, () => passes);
    using session = opposite(stepsOf(...steps));
    for (let i = 0; i <= length; i++) await session.says("NEXT");
    return await session.passed.catch((error) => `${error.name}: ${error.message}`);
  };
  assert.equal(
    await ourLength(2),
    "ProtocolError: the peer's list goes on after the 2 cases of this one: use --protocol long",
  );
  assert.match(`${await ourLength(4)}`, /it is newer than any version known here$/);
});

Deno.test("runUpstream() tells a case that the peer is done with what goes on here", async () => {
  const reads: Run = async (lines) => {
    const reason = await lines.read(never).catch((error) => error.message);
    return { ...PASS, state: "broken", reasons: [reason] };
  };
  using session = opposite(stepsOf(reads));
  await session.says("NEXT");
  await session.says("NEXT");
  assert.equal(await session.passed, false);
  assert.match(session.reasons.join(), /the peer wrote NEXT, so it is done .*see --protocol/);
});

Deno.test("runUpstream() says what it expected of a peer that talks nonsense", async () => {
  using session = opposite(stepsOf(passes));
  await session.says("LISTENING");
  await assert.rejects(session.passed, {
    name: "ProtocolError",
    message: 'before 0 - case 0: expected NEXT or SKIP, got "LISTENING"; ' +
      "do both sides have the same list?",
  });
});

Deno.test("runUpstream() recognises a peer that was started with a command", async () => {
  using session = opposite(stepsOf(passes));
  await session.says('HELLO vsock-conformance/1 {"name":"host"}');
  await assert.rejects(session.passed, {
    name: "ProtocolError",
    message: /started with a command/,
  });
});

Deno.test("runUpstream() lets a case that reads from a silent peer end, by its time or its signal", async () => {
  const readsFor = (signal: AbortSignal): Run => async (lines) => {
    try {
      await lines.read(signal);
    } catch (error) {
      const reasons = [error instanceof Error ? error.message : String(error)];
      return { ...PASS, state: "broken", reasons };
    }
    return PASS;
  };
  for (
    const [signal, lineTime] of [[never, 40], [AbortSignal.timeout(40), WAIT]] as const
  ) {
    using session = opposite(stepsOf(readsFor(signal)), { lineTime });
    await session.says("NEXT");
    assert.equal(await session.passed, false);
    assert.deepEqual(session.told, ["0...", "0 broken"]);
  }
});
