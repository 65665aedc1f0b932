import assert from "node:assert/strict";
import { connectControl, LineChannel, listenControl } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";

/** How long anything may take, in milliseconds: only what hangs takes that. */
const WAIT = 60_000;
/** Patience with a silent peer in these tests, in milliseconds. */
const QUICK = { interval: 20, limit: 100 };
const LONG = { interval: 20, limit: 60_000 };

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Two ends of a connection over 127.0.0.1. */
async function connected(): Promise<[LineChannel, Deno.TcpConn]> {
  using listener = listenControl({ host: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const { port } = listener.addr as Deno.NetAddr;
  return [await connectControl({ host: "127.0.0.1", port }, WAIT), await accepting];
}

Deno.test("LineChannel.keepAlive() tells the peer that this side is there, again and again", async () => {
  const [near, far] = streamPair();
  using here = new LineChannel(near);
  here.keepAlive(LONG);
  const text: string[] = [];
  const chunk = new Uint8Array(100);
  while (text.join("").split("\n").length < 4) {
    text.push(new TextDecoder().decode(chunk.subarray(0, await far.read(chunk) ?? 0)));
  }
  assert.match(text.join(""), /^(PING\n)+$/);
});

Deno.test("LineChannel keeps two quiet ends together, and gives lines without what keeps them", async () => {
  const [near, far] = streamPair();
  using here = new LineChannel(near);
  using there = new LineChannel(far);
  here.keepAlive(QUICK);
  there.keepAlive(QUICK);
  const [line, back] = [here.readLine(WAIT), there.readLine(WAIT)];
  await sleep(5 * QUICK.limit);
  await there.writeLine("late");
  assert.equal(await line, "late");
  await here.writeLine("back");
  assert.equal(await back, "back");
});

Deno.test("LineChannel.keepAlive() ends a connection whose peer says nothing", async () => {
  const [near, far] = streamPair();
  using here = new LineChannel(near);
  here.keepAlive(QUICK);
  const silent = { name: "SilentPeerError", message: "the peer has been silent for 0.1 s" };
  await assert.rejects(here.readLine(WAIT), silent);
  await assert.rejects(here.readLine(WAIT), silent);
  await assert.rejects(here.writeLine("x"), { name: "PeerGoneError" });
  far.close();
});

Deno.test("LineChannel.keepAlive() is not deceived by a peer that drips and never ends a line", async () => {
  const [near, far] = streamPair();
  using here = new LineChannel(near);
  here.keepAlive(QUICK);
  const drip = setInterval(() => far.write(new Uint8Array([0x78])).catch(() => {}), 5);
  await assert.rejects(here.readLine(WAIT), { name: "SilentPeerError" });
  clearInterval(drip);
  far.close();
});

Deno.test("LineChannel.keepAlive() has patience while it is told to, and while nobody waits", async () => {
  let patient = true;
  const [near, far] = streamPair();
  using here = new LineChannel(near);
  here.keepAlive({ ...QUICK, isPatient: () => patient });
  await sleep(5 * QUICK.limit);
  const line = here.readLine(WAIT);
  await sleep(5 * QUICK.limit);
  await far.write(new TextEncoder().encode("still here\n"));
  assert.equal(await line, "still here");
  patient = false;
  await assert.rejects(here.readLine(WAIT), { name: "SilentPeerError" });
  far.close();
});

Deno.test("LineChannel.keepAlive() counts no time for which this process stood still", async () => {
  using listener = listenControl({ host: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  // A peer in a process of its own, that goes on meanwhile.
  const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; while echo PING >&3; do sleep 0.02; done`;
  const peer = new Deno.Command("bash", { args: ["-c", script], stderr: "null" }).spawn();
  try {
    using here = new LineChannel(await listener.accept());
    here.keepAlive({ interval: 100, limit: 500 });
    let ended = false;
    const line = here.readLine(WAIT).catch(() => ended = true);
    for (let i = 0; i < 3; i++) {
      for (const end = performance.now() + 1500; performance.now() < end;);
      await sleep(20);
    }
    assert.equal(ended, false, "the peer was taken for silent");
    here.close();
    await line;
  } finally {
    peer.kill("SIGKILL");
    await peer.status;
  }
});

Deno.test("LineChannel.keepAlive() ends a connection whose peer takes nothing", async () => {
  const [here, there] = await connected();
  using _here = here;
  here.keepAlive({ ...QUICK, isPatient: () => false });
  // It says that it is there, and reads nothing.
  const talk = setInterval(
    () => there.write(new TextEncoder().encode("PING\n")).catch(() => {}),
    10,
  );
  const read = here.readLine(WAIT);
  const writes = (async () => {
    for (;;) await here.writeLine("x".repeat(100_000));
  })();
  await assert.rejects(writes, { name: "PeerGoneError" });
  await assert.rejects(read, { name: "SilentPeerError", message: /has taken nothing for 0\.1 s/ });
  clearInterval(talk);
  there.close();
});

Deno.test("LineChannel tells how much it has not sent yet", async () => {
  const [here, there] = await connected();
  using _here = here;
  assert.equal(here.unsent, 0);
  const lines = Array.from({ length: 100 }, () => here.writeLine("x".repeat(100_000)));
  assert.equal(here.unsent, 100 * 100_001);
  const chunk = new Uint8Array(256 * 1024);
  for (let got = 0; got < 100 * 100_001;) got += await there.read(chunk) ?? 0;
  await Promise.all(lines);
  assert.equal(here.unsent, 0);
  there.close();
});
