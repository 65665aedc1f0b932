import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { type Ended, runTool, Tool, until } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

/** The waiting end, the connecting end, and how both ended; as JSON, over AF_UNIX. */
async function between(
  server: readonly string[],
  client: readonly string[],
): Promise<{ server: Ended; client: Ended }> {
  const common = ["--stand-in", freshName(), "--json", "--timeout", "60"];
  await using waiting = new Tool(["perf", ...server, ...common]);
  await waiting.says(/Listen port/);
  const connected = await runTool(["perf", ...client.slice(0, 1), ...common, ...client.slice(1)]);
  return { server: await waiting.ended(), client: connected };
}

function figures({ code, stdout, stderr }: Ended) {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const MIB = 1024 * 1024;
const SEND = ["sender", "--sender", "1"];

Deno.test("perf sender and receiver move as much as was asked, on both types of socket", async () => {
  for (const type of ["stream", "seqpacket"]) {
    const both = ["--type", type, "--buf-size", "64K"];
    const { server, client } = await between(["receiver", ...both], [
      ...SEND,
      ...both,
      ...["--bytes", "33000001"],
    ]);
    const { sent } = figures(client);
    const { received } = figures(server);
    assert.equal(sent.bytes, 33_000_001);
    assert.equal(received.bytes, 33_000_001);
    assert.ok(sent.calls >= Math.ceil(33_000_001 / 65536), `${sent.calls}`);
    assert.ok(received.wakeups >= sent.bytes / 65536, `${received.wakeups}`);
    for (const { gigabitsPerSecond, nanosecondsPerCall } of [sent, received]) {
      assert.ok(gigabitsPerSecond > 0 && nanosecondsPerCall > 0);
    }
    assert.ok(sent.secondsInSend <= sent.seconds);
    assert.ok(received.secondsInRecv <= received.seconds);
  }
});

Deno.test("perf --direction both sends and receives at both ends", async () => {
  const both = ["--direction", "both", "--buf-size", "32K"];
  const { server, client } = await between(
    ["receiver", ...both, "--bytes", "5M"],
    [...SEND, ...both, "--bytes", "20M"],
  );
  const ours = figures(client);
  const theirs = figures(server);
  assert.deepEqual([ours.sent.bytes, theirs.received.bytes], [20 * MIB, 20 * MIB]);
  assert.deepEqual([theirs.sent.bytes, ours.received.bytes], [5 * MIB, 5 * MIB]);
});

Deno.test("perf receiver and sender write vsock_perf's words", async () => {
  const name = ["--stand-in", freshName()];
  await using waiting = new Tool(["perf", "receiver", "--port", "7", ...name]);
  // The lines of vsock_perf go to standard output, so a sender that comes too early is refused.
  let client: Ended;
  do client = await runTool(["perf", ...SEND, "--port", "7", ...name]); while (
    /ECONNREFUSED/.test(client.stderr)
  );
  assert.match(
    client.stdout,
    /^Run as sender\nConnect to 1:7\nSend 65536 bytes\nTX buffer 131072 bytes\ntotal bytes sent: 65536\ntx performance: \d+\.\d{6} Gbits\/s\ntotal time in tx loop: \d+\.\d{6} sec\ntime in 'send\(\)': \d+\.\d{6} sec\n/,
  );
  const server = await waiting.ended();
  assert.match(
    server.stdout,
    /^Run as receiver\nListen port 7\nRX buffer 131072 bytes\nvsock buffer 262144 bytes\nSO_RCVLOWAT 1 bytes\ntotal bytes received: 65536\nrx performance: \d+\.\d{6} Gbits\/s\n[^]*\nPOLLIN wakeups: \d+\n$/,
  );
});

Deno.test("perf latency counts every request, in turn and on several connections", async () => {
  const variants = [
    [2000, "--type", "seqpacket"],
    [2000, "--connections", "5"],
    // More than the socket's buffers hold.
    [50, "--size", "1M"],
  ] as const;
  for (const [requests, ...more] of variants) {
    const counts = ["--requests", `${requests}`, "--warmup", "50"];
    const type = more[0] === "--type" ? more : [];
    const { server, client } = await between(
      ["echo", "--once", ...type],
      ["latency", "--peer-cid", "1", ...counts, ...more],
    );
    const { nanoseconds, perSecond } = figures(client);
    const { count, min, percentiles, max } = nanoseconds["round trip"];
    assert.equal(count, requests);
    const { p50, p90, p99, "p99.9": p999 } = percentiles;
    const sorted = [min, p50, p90, p99, p999, max];
    assert.deepEqual(sorted, sorted.toSorted((a: number, b: number) => a - b));
    assert.ok(min > 0 && perSecond > 0);
    assert.equal(server.code, 0, server.stderr);
  }
});

/** `perf latency` of 1000 requests to a server that does nothing for 400 ms after the 200th. */
async function stalled(...more: readonly string[]) {
  const name = freshName();
  const server = fileURLToPath(new URL("support/stalling_echo.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", server, name, "400"],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const counts = ["--requests", "1000", "--warmup", "0", ...more];
  const client = ["perf", "latency", "--peer-cid", "1", "--json", "--stand-in", name, ...counts];
  const result = figures(await runTool(client));
  await reader.cancel();
  await child.status;
  return result;
}

Deno.test("perf latency --rate counts a request's time from when it was due", async () => {
  const closed = (await stalled()).nanoseconds["round trip"];
  assert.ok(closed.max >= 400e6, `the longest took ${closed.max / 1e6} ms`);
  assert.ok(closed.percentiles.p99 < 200e6, "one request met the stop, and the others waited");
  const open = await stalled("--rate", "1000");
  assert.ok(open.seconds >= 0.99, `${open.seconds} s at that rate`);
  const { count, max, percentiles } = open.nanoseconds["round trip"];
  assert.equal(count, 1000);
  assert.ok(max >= 400e6, `the longest took ${max / 1e6} ms`);
  // 400 were due while nothing was done, and the last tenth of all waited 300 ms and more.
  assert.ok(percentiles.p90 >= 250e6, `p90 is ${percentiles.p90 / 1e6} ms`);
});

Deno.test("perf connect makes as many connections as was asked, perf echo takes others after", async () => {
  const name = ["--stand-in", freshName(), "--json"];
  await using echo = new Tool(["perf", "echo", ...name]);
  await echo.says(/Listen port/);
  const counts = ["--peer-cid", "1", "--requests", "300", "--warmup", "10"];
  const { nanoseconds } = figures(await runTool(["perf", "connect", ...counts, ...name]));
  assert.equal(nanoseconds.connect.count, 300);
  assert.ok(nanoseconds.cycle.min > nanoseconds.connect.min);
  const latency = await runTool(["perf", "latency", ...counts, ...name]);
  assert.equal(figures(latency).nanoseconds["round trip"].count, 300);
});

Deno.test("perf tells what the other end did wrong, with 2", async () => {
  const name = ["--stand-in", freshName()];
  const nobody = await runTool(["perf", ...SEND, ...name]);
  assert.equal(nobody.code, 2);
  assert.match(nobody.stderr, /^error: connect\(\d+, unix 1:1234\): ECONNREFUSED .*; is the other/);
  const zerocopy = await between(["receiver"], [...SEND, "--zerocopy"]);
  assert.equal(zerocopy.client.code, 2);
  const unsupported = /^error: setsockopt\(.*EOPNOTSUPP [^;]*\n$/m;
  assert.match(zerocopy.client.stderr, unsupported, "AF_UNIX has no MSG_ZEROCOPY");
  const noLatency = await between(["echo", "--once"], SEND);
  assert.equal(noLatency.server.code, 2);
  assert.match(
    noLatency.server.stderr,
    /^error: Cannot answer .*: is the client "perf latency"\?\n$/m,
  );
  const noEcho = await between(["receiver"], ["latency", "--peer-cid", "1", "--timeout", "0.3"]);
  assert.equal(noEcho.client.code, 2);
  assert.match(noEcho.client.stderr, /^error: .*did nothing for 0\.3 s/m);
});

Deno.test("perf receiver does not cut messages that are longer than its buffer", async () => {
  const { server } = await between(
    ["receiver", "--type", "seqpacket", "--buf-size", "1K"],
    [...SEND, "--type", "seqpacket", "--buf-size", "4K"],
  );
  assert.equal(server.code, 2);
  assert.match(
    server.stderr,
    /^error: a message of 4096 bytes does not fit into 1024: .*--buf-size/m,
  );
});

Deno.test("perf compare measures ours and C in turn over AF_UNIX, and draws that", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const counts = ["--rounds", "2", "--bytes", "8M", "--requests", "500"];
    const chart = `${folder}/chart.svg`;
    const args = ["perf", "compare", ...counts, "--json", "--chart", chart];
    const { rows, over } = figures(await runTool(args, { patience: 120_000 }));
    assert.equal(over, "AF_UNIX");
    assert.deepEqual(
      rows.map(({ id, ours, c }: { id: string; ours: number[]; c: number[] }) => {
        assert.ok([...ours, ...c].every((value) => value > 0), id);
        return [id, ours.length, c.length];
      }),
      ["send-64k", "recv-64k", "send-1024k", "recv-1024k", "round-trip"].map((id) => [id, 2, 2]),
    );
    assert.match(await Deno.readTextFile(chart), /^<svg /);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("perf compare shows its figures also where there is no room for the chart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const chart = `${folder}/chart.html`;
    await Deno.symlink("/dev/full", chart);
    const counts = ["--rounds", "1", "--bytes", "1M", "--requests", "10"];
    const { code, stdout, stderr } = await runTool([
      ...["perf", "compare", ...counts, "--chart", chart],
    ], { patience: 120_000 });
    assert.match(stdout, /^send\(\), 64 KiB, to C +[\d.]+ Gbit/m);
    assert.match(stderr, /^error: Cannot write the chart \S+: No space left[^\n]*\n$/m);
    assert.equal(code, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Whether a process has this among its arguments. */
async function isNamed(name: string): Promise<boolean> {
  for await (const { name: pid } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    if (line.split("\0").includes(name)) return true;
  }
  return false;
}

Deno.test("perf compare that is interrupted shows what it has, leaves no process, and fails with 130", async () => {
  const counts = ["--rounds", "1000", "--bytes", "1M", "--requests", "10"];
  await using tool = new Tool(["perf", "compare", ...counts], { patience: 120_000 });
  await tool.says(/round 2 of 1000: recv\(\), 64 KiB/);
  tool.interrupt();
  const { code, stdout } = await tool.ended();
  assert.equal(code, 130);
  await until(async () => !await isNamed(`compare-${tool.pid}`), "a program of its outlived it");
  assert.match(stdout, /^cut short: interrupted$/m);
  assert.match(stdout, /^send\(\), 64 KiB, to C +[\d.]+ Gbit/m);
});
