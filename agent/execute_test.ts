import assert from "node:assert/strict";
import { RunningTime } from "../tests/support/running_time.ts";
import { freshFamily } from "../tests/support/unix_pair.ts";
import { MAX_LINE } from "../control/line_decoder.ts";
import { encodeMessage } from "../control/wire.ts";
import { SysError } from "../sys/errno.ts";
import { Socket } from "../sys/socket.ts";
import { executeSide, type SideOptions } from "./execute.ts";
import { bytes, type CaseContext, type ConformanceCase, defineCase, man } from "../kit/mod.ts";

/** A case whose client does this. */
function caseOf(client: (context: CaseContext) => Promise<void>): ConformanceCase {
  return defineCase({
    id: "a/b/c",
    title: "t",
    requirement: "it MUST work",
    refs: [man("recv", 2, "x")],
    does: { client: "does what the test is about" },
    client,
  });
}

function options(changes: Partial<SideOptions> = {}): SideOptions {
  return {
    family: freshFamily(),
    peerCid: 1,
    port: 1,
    seed: 1,
    timeout: 60_000,
    lines: { write: () => Promise.resolve(), read: () => new Promise<string>(() => {}) },
    stop: new AbortController().signal,
    ...changes,
  };
}

/** Runs a client, and checks that it ended soon after its time, or after what stopped it. */
async function execute(
  client: (context: CaseContext) => Promise<void>,
  changes: Partial<SideOptions> = {},
  bound = 1200,
) {
  using time = new RunningTime();
  const report = await executeSide(caseOf(client), "client", options(changes));
  assert.ok(time.passed < bound, `it took ${time.passed} ms`);
  return report;
}

/** Blocks in accept(). */
async function blockInAccept({ vsock }: CaseContext) {
  await vsock.accept("stream");
}

Deno.test("executeSide() reports a side whose claims held as passed", async () => {
  const { state, reasons, step } = await execute(async ({ vsock, check }) => {
    vsock.bound("stream");
    await Promise.resolve(check.that(true, "holds"));
  });
  assert.deepEqual([state, reasons], ["pass", []]);
  assert.match(step, /^bind\(\d+, unix any:1\)$/);
});

Deno.test("executeSide() passes a side that has nothing to do", async () => {
  const report = await executeSide(caseOf(() => Promise.resolve()), "server", options());
  assert.equal(report.state, "pass");
});

Deno.test("executeSide() collects all the claims that did not hold, in order", async () => {
  const { state, reasons } = await execute(({ check }) => {
    check.that(false, "one");
    check.equal(1, 2, "two");
    return Promise.resolve();
  });
  assert.deepEqual([state, reasons], ["fail", ["one", "two: expected 2, got 1"]]);
});

Deno.test("executeSide() tells an errno in preparation (broken) from one in a claim (fail)", async () => {
  const connect = (socket: Socket) => socket.connect({ cid: 1, port: 99 });
  const broken = await execute(({ vsock }) => connect(vsock.open("stream")));
  assert.equal(broken.state, "broken");
  assert.match(broken.reasons[0] ?? "", /^connect\(\d+, unix 1:99\): ECONNREFUSED/);
  const failed = await execute(({ vsock, check }) =>
    check.succeeds("connect()", () => connect(vsock.open("stream")))
  );
  assert.equal(failed.state, "fail");
  assert.match(failed.reasons[0] ?? "", /^connect\(\): connect\(\d+, unix 1:99\): ECONNREFUSED/);
  assert.equal(failed.reasons.length, 1, "the claim is not reported twice");
});

Deno.test("executeSide() lets a claim that did not hold decide over what broke after it", async () => {
  const { state, reasons } = await execute(({ check }) => {
    check.that(false, "a claim");
    throw new SysError("bind(3)", 98);
  });
  assert.equal(state, "fail");
  assert.deepEqual(reasons, ["a claim", "bind(3): EADDRINUSE (Address already in use)"]);
});

Deno.test("executeSide() reports a blocked call at its deadline, by name, within a second", async () => {
  const { state, reasons, step } = await execute(blockInAccept, { timeout: 200 });
  assert.equal(state, "timeout");
  assert.equal(reasons[0], "it had not ended after 0.2 s");
  assert.match(reasons[1] ?? "", /^accept4\(\d+\) was still blocked after \d+\.\d s$/);
  assert.match(step, /^accept4\(\d+\)$/);
});

Deno.test("executeSide() reports a wait for the peer at its deadline, by name", async () => {
  const { LineQueue } = await import("../control/lines.ts");
  const queue = new LineQueue();
  const lines = {
    write: () => Promise.resolve(),
    read: (signal: AbortSignal) => queue.read(signal),
  };
  const { state, step } = await execute(({ peer }) => peer.expectln("SRVREADY"), {
    timeout: 100,
    lines,
  });
  assert.deepEqual([state, step], ["timeout", "wait for the peer's SRVREADY"]);
});

Deno.test("executeSide() keeps the claims of a side that then timed out", async () => {
  const { state, reasons } = await execute(async (context) => {
    context.check.that(false, "a claim");
    await blockInAccept(context);
  }, { timeout: 100 });
  assert.equal(state, "fail");
  assert.deepEqual(reasons.slice(0, 2), ["a claim", "it had not ended after 0.1 s"]);
});

Deno.test("executeSide() waits longer for the kernel where a case has more time", async () => {
  const patience: number[] = [];
  for (const timeout of [2000, 2001, 10_000, 20_000, 40_000, 60_000]) {
    await execute(({ check }) => Promise.resolve(void patience.push(check.patience)), { timeout });
  }
  assert.deepEqual(patience, [1000, 1001, 5000, 5000, 6667, 10_000]);
});

Deno.test("executeSide() stops a side that is told to, within a second", async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("the server reported fail")), 60);
  const { state, reasons } = await execute(blockInAccept, { stop: stop.signal });
  assert.deepEqual([state, reasons], ["stopped", ["stopped: the server reported fail"]]);
});

Deno.test("executeSide() ends a side that heeds nothing, whenever it was told to stop", async () => {
  const heedless = () => new Promise<void>(() => {});
  const late = new AbortController();
  setTimeout(() => late.abort(new Error("enough")), 20);
  const [before, during, deadline] = await Promise.all([
    execute(heedless, { stop: AbortSignal.abort(new Error("enough")) }, 5000),
    execute(heedless, { stop: late.signal }, 5000),
    execute(heedless, { timeout: 20 }, 5000),
  ]);
  assert.deepEqual([before.state, during.state, deadline.state], ["stopped", "stopped", "timeout"]);
});

Deno.test("executeSide() reports what a peer that talks nonsense said", async () => {
  const lines = { write: () => Promise.resolve(), read: () => Promise.resolve("BOO") };
  const { state, reasons } = await execute(({ peer }) => peer.expectln("LISTENING"), { lines });
  assert.equal(state, "broken");
  assert.deepEqual(reasons, ['expected "LISTENING" on the control channel, got "BOO"']);
  const number = await execute(async ({ peer }) => void await peer.readUlong(), { lines });
  assert.deepEqual(number.reasons, ['expected a number on the control channel, got "BOO"']);
});

Deno.test("executeSide() takes no count from a peer that is more than there can be", async () => {
  const lines = {
    write: () => Promise.resolve(),
    read: () => Promise.resolve(`${2n ** 64n - 1n}`),
  };
  const { state, reasons } = await execute(async ({ peer }) => void await peer.readNumbers(), {
    lines,
  });
  assert.equal(state, "broken");
  assert.deepEqual(reasons, ["the peer sent 18446744073709551615, but the maximum is 1000"]);
});

Deno.test("executeSide() closes all sockets of a case, however it ended", async () => {
  const opened: Socket[] = [];
  for (const fails of [false, true]) {
    await execute(({ vsock, check }) => {
      opened.push(vsock.open("stream"), vsock.bound("seqpacket"));
      if (fails) throw check.stop("enough");
      return Promise.resolve();
    });
  }
  assert.deepEqual(opened.map(({ fd }) => fd), [-1, -1, -1, -1]);
});

Deno.test("executeSide() closes what a case leaves open, and says so where it ended in order", async () => {
  for (const fails of [false, true]) {
    const left: Socket[] = [];
    const address = { cid: 1, port: 1 };
    const { state, reasons } = await execute(async ({ vsock, check }) => {
      const listener = vsock.listening("stream");
      const client = vsock.open("stream");
      await client.connect(address);
      left.push((await listener.accept()).socket);
      if (fails) throw check.stop("enough");
    });
    const expected = fails
      ? ["fail", ["enough"]]
      : ["broken", ["it left 1 descriptor open, closed now; the case must hold each with using"]];
    assert.deepEqual([state, reasons], expected);
    assert.deepEqual(left.map(({ fd }) => fd), [-1]);
  }
});

Deno.test("executeSide() leaves its ports free, however a case ended", async () => {
  const family = freshFamily();
  const states: string[] = [];
  for (const waits of [true, false, true, false]) {
    const { state } = await execute(async ({ vsock }) => {
      const listener = vsock.listening("stream");
      if (waits) await listener.accept();
    }, { family, timeout: waits ? 100 : 60_000 });
    states.push(state);
  }
  assert.deepEqual(states, ["timeout", "pass", "timeout", "pass"]);
});

Deno.test("executeSide() opens sockets of the class that it is given", async () => {
  class Special extends Socket {}
  const { reasons } = await execute(({ vsock, check }) => {
    check.that(vsock.open("stream") instanceof Special, "it is one");
    return Promise.resolve();
  }, { socketClass: Special });
  assert.deepEqual(reasons, []);
});

Deno.test("executeSide() reports what explains a failure, and nothing of it if all held", async () => {
  for (const holds of [false, true]) {
    const { reasons } = await execute(({ check }) => {
      check.explain(() => ["first this", "then that"]);
      check.that(holds, "it holds");
      return Promise.resolve();
    });
    assert.deepEqual(reasons, holds ? [] : ["it holds", "first this", "then that"]);
  }
});

Deno.test("executeSide() keeps what explains a failure, however many reasons there are", async () => {
  const { reasons } = await execute(({ check }) => {
    check.explain(() => ["first this", "then that"]);
    for (let i = 0; i < 1000; i++) check.that(false, `${i}`);
    return Promise.resolve();
  });
  assert.equal(reasons.length, 41);
  assert.deepEqual(reasons.slice(-4), ["37", "and 962 more", "first this", "then that"]);
});

Deno.test("executeSide() keeps any report short enough for a control line", async () => {
  const report = await execute(async ({ check, vsock }) => {
    for (let i = 0; i < 1000; i++) check.that(false, "\u0001".repeat(5000));
    await vsock.open("stream").send(bytes(1));
  });
  assert.equal(report.reasons.length, 41);
  assert.equal(report.reasons[40], "and 961 more");
  const line = encodeMessage({ type: "done", run: Number.MAX_SAFE_INTEGER, report });
  assert.ok(new TextEncoder().encode(line).length < MAX_LINE / 2);
});
