import assert from "node:assert/strict";
import fc from "fast-check";
import {
  connectControl,
  LineChannel,
  listenControl,
  ListenError,
  parseAddress,
  PeerGoneError,
  showAddress,
  SilentPeerError,
} from "./channel.ts";
import { streamPair } from "./stream_pair.ts";
import { RunningTime } from "../tests/support/running_time.ts";
import { ReservedPort } from "../tests/support/reserved_port.ts";
import { ProtocolError } from "./wire.ts";

/** How long anything may take, in milliseconds: only what hangs takes that. */
const WAIT = 60_000;

const encode = (text: string) => new TextEncoder().encode(text);

/** A channel, and the stream at its other end. */
function channelAndStream(limit?: number) {
  const [near, far] = streamPair();
  return { channel: new LineChannel(near, limit), stream: far };
}

Deno.test("LineChannel carries lines both ways, in order", async () => {
  const [near, far] = streamPair();
  using here = new LineChannel(near);
  using there = new LineChannel(far);
  const writes = ["one", "", "drei ✓"].map((line) => here.writeLine(line));
  assert.equal(await there.readLine(), "one");
  assert.equal(await there.readLine(), "");
  assert.equal(await there.readLine(), "drei ✓");
  await Promise.all(writes);
  const answer = there.writeLine("back");
  assert.equal(await here.readLine(), "back");
  await answer;
});

Deno.test("LineChannel never mixes the bytes of lines written at the same time", async () => {
  const [near, far] = streamPair();
  // Takes one byte at a time, as a socket under pressure might.
  using here = new LineChannel({
    read: (into) => near.read(into),
    write: (bytes) => near.write(bytes.subarray(0, 1)),
    close: () => near.close(),
  });
  using there = new LineChannel(far);
  const lines = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(5));
  const writes = lines.map((line) => here.writeLine(line));
  const read: string[] = [];
  for (const _ of lines) read.push(await there.readLine());
  assert.deepEqual(read, lines);
  await Promise.all(writes);
});

Deno.test("LineChannel.writeLine() refuses a line with a line end in it", () => {
  const { channel } = channelAndStream();
  assert.throws(() => channel.writeLine("a\nb"), TypeError);
  channel.close();
});

Deno.test("LineChannel.readLine() ends at its deadline, and the line can be read later", async () => {
  const { channel, stream } = channelAndStream();
  using time = new RunningTime();
  const started = performance.now();
  await assert.rejects(channel.readLine(60), {
    name: "SilentPeerError",
    message: "the peer wrote no line for 0.1 s",
  });
  const took = performance.now() - started;
  assert.ok(took >= 59 && time.passed < 2000, `it took ${took} ms`);
  const written = stream.write(encode("late\n"));
  assert.equal(await channel.readLine(WAIT), "late");
  await written;
  channel.close();
});

Deno.test("LineChannel.readLine() gives the line that came while this process stood still", async () => {
  using listener = listenControl({ host: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; sleep 0.3; echo line >&3; cat <&3`;
  const peer = new Deno.Command("bash", { args: ["-c", script] }).spawn();
  try {
    using channel = new LineChannel(await listener.accept());
    const line = channel.readLine(100);
    await new Promise((resolve) => setTimeout(resolve, 0));
    for (const end = performance.now() + 1000; performance.now() < end;);
    assert.equal(await line, "line");
  } finally {
    peer.kill("SIGKILL");
    await peer.status;
  }
});

Deno.test("LineChannel.readLine() lets no slow drip put off its deadline", async () => {
  const { channel, stream } = channelAndStream();
  let dripping = true;
  const drip = (async () => {
    while (dripping) {
      await stream.write(encode("x")).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  using time = new RunningTime();
  await assert.rejects(channel.readLine(150), (error) => {
    assert.ok(error instanceof SilentPeerError);
    assert.equal(error.message, "the peer wrote no line for 0.1 s (it sent part of one)");
    return true;
  });
  assert.ok(time.passed < 2000);
  dripping = false;
  channel.close();
  await drip;
});

Deno.test("LineChannel.readLine() gives the lines before an early close, then PeerGoneError", async () => {
  const { channel, stream } = channelAndStream();
  const written = stream.write(encode("last\nunfinished")).then(() => stream.close());
  assert.equal(await channel.readLine(WAIT), "last");
  for (let i = 0; i < 2; i++) {
    await assert.rejects(channel.readLine(WAIT), {
      name: "PeerGoneError",
      message: "the peer closed the control connection",
    });
  }
  await written;
  channel.close();
});

Deno.test("LineChannel.readLine() gives the lines before nonsense, then ProtocolError", async () => {
  for (const nonsense of [Uint8Array.of(0xff, 0x0a), encode("x".repeat(33))]) {
    const { channel, stream } = channelAndStream(32);
    const written = stream.write(Uint8Array.of(...encode("good\n"), ...nonsense));
    assert.equal(await channel.readLine(WAIT), "good");
    await assert.rejects(channel.readLine(WAIT), ProtocolError);
    await assert.rejects(channel.readLine(WAIT), ProtocolError, "and again");
    await written;
    channel.close();
  }
});

Deno.test("LineChannel reads no further than somebody wants lines", async () => {
  let reads = 0;
  const channel = new LineChannel({
    read: (into) => {
      reads++;
      into.set(encode("ab\n"));
      return Promise.resolve(3);
    },
    write: (bytes) => Promise.resolve(bytes.length),
    close: () => {},
  });
  assert.equal(await channel.readLine(), "ab");
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(reads, 1);
  channel.close();
});

Deno.test("LineChannel.close() ends a read under way", async () => {
  const { channel } = channelAndStream();
  const reading = channel.readLine();
  channel.close();
  channel.close();
  await assert.rejects(reading, {
    name: "PeerGoneError",
    message: "the control connection was closed on this side",
  });
});

Deno.test("LineChannel.writeLine() to a peer that left is PeerGoneError", async () => {
  const { channel, stream } = channelAndStream();
  stream.close();
  await assert.rejects(async () => {
    for (let i = 0; i < 10; i++) await channel.writeLine("anybody?");
  }, PeerGoneError);
  channel.close();
});

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test(`connectControl() and listenControl() meet at ${host}`, async () => {
    using listener = listenControl({ host, port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const accepting = listener.accept();
    using client = await connectControl({ host, port }, WAIT);
    using server = new LineChannel(await accepting);
    await client.writeLine("hello");
    assert.equal(await server.readLine(WAIT), "hello");
    client.close();
    await assert.rejects(server.readLine(WAIT), PeerGoneError);
  });
}

Deno.test("listenControl() says that the port is in use", () => {
  using listener = listenControl({ host: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  assert.throws(() => listenControl({ host: "127.0.0.1", port }), (error) => {
    assert.ok(error instanceof ListenError);
    const expected =
      `Cannot listen on 127.0.0.1:${port}: the port is in use; choose another one, or ` +
      "end the program that uses it";
    assert.equal(error.message, expected);
    return true;
  });
});

Deno.test("listenControl() says that an address is not this machine's", () => {
  assert.throws(() => listenControl({ host: "192.0.2.1", port: 0 }), {
    name: "ListenError",
    message: /^Cannot listen on 192\.0\.2\.1:0: /,
  });
});

Deno.test("connectControl() says where nobody answered, once its deadline passed", async () => {
  using reserved = new ReservedPort();
  const { port } = reserved;
  using time = new RunningTime();
  const started = performance.now();
  await assert.rejects(connectControl({ host: "127.0.0.1", port }, 250), (error) => {
    assert.ok(error instanceof PeerGoneError);
    assert.match(error.message, new RegExp(`^Cannot reach the peer at 127.0.0.1:${port}: `));
    assert.match(error.message, /is it running, is the port right/);
    return true;
  });
  const took = performance.now() - started;
  assert.ok(took >= 200 && time.passed < 3000, `it took ${took} ms`);
});

Deno.test("connectControl() waits for a peer that listens only later", async () => {
  using reserved = new ReservedPort();
  const { port } = reserved;
  const connecting = connectControl({ host: "127.0.0.1", port }, WAIT);
  await new Promise((resolve) => setTimeout(resolve, 150));
  using listener = listenControl({ host: "127.0.0.1", port });
  const accepting = listener.accept();
  using _client = await connecting;
  (await accepting).close();
});

Deno.test("connectControl() ends with the signal's reason", async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 50);
  using reserved = new ReservedPort();
  const address = { host: "127.0.0.1", port: reserved.port };
  await assert.rejects(connectControl(address, 60_000, stop.signal), { message: "enough" });
  await assert.rejects(connectControl(address, 60_000, stop.signal), { message: "enough" });
});

Deno.test("parseAddress() reads host:port, [v6]:port and a port alone", () => {
  assert.deepEqual(parseAddress("192.0.2.7:5201"), { host: "192.0.2.7", port: 5201 });
  assert.deepEqual(parseAddress("[::1]:1"), { host: "::1", port: 1 });
  assert.deepEqual(parseAddress("5201"), { host: "127.0.0.1", port: 5201 });
  assert.deepEqual(parseAddress("5201", "0.0.0.0"), { host: "0.0.0.0", port: 5201 });
  const bad = ["", ":", "host", "host:", ":1", "::1:5", "host:65536", "host:-1", "h:1.5", "[]:1"];
  for (const text of bad) {
    assert.throws(
      () => parseAddress(text),
      { name: "RangeError", message: /write host:port/ },
      text,
    );
  }
});

Deno.test("parseAddress() gives back what showAddress() shows", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  fc.assert(fc.property(host, fc.nat(65535), (host, port) => {
    assert.deepEqual(parseAddress(showAddress({ host, port })), { host, port });
  }));
});
