/**
 * The commands of `perf` that measure; each is one end of a measurement.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import { reasonOf, UsageError } from "../core/error.ts";
import { runConnect } from "../perf/connect.ts";
import { PeerError } from "../perf/fast_socket.ts";
import { runEcho } from "../perf/echo.ts";
import { throughputJson, throughputText, timesJson, timesText } from "../perf/figures.ts";
import { MAX_SHARED_REQUEST } from "../perf/greeting.ts";
import { type LatencyOptions, runLatency } from "../perf/latency.ts";
import type { Endpoint } from "../perf/endpoint.ts";
import {
  runReceiver,
  runSender,
  type ThroughputFigures,
  type ThroughputOptions,
} from "../perf/throughput.ts";
import { SysError } from "../sys/errno.ts";
import type { SocketType } from "../sys/socket.ts";
import { ownFacts } from "../agent/side.ts";
import { screenOf, writeStderr } from "../report/screen.ts";
import { familyOf } from "../agent/settings.ts";

/** Options of all these commands. */
interface SharedOptions {
  readonly port: number;
  readonly type: SocketType;
  readonly timeout: number;
  readonly json?: true;
  readonly standIn?: string;
}

/** Options of `perf sender` and `perf receiver`. */
interface PerfThroughputOptions extends SharedOptions {
  readonly bytes: number;
  readonly bufSize: number;
  readonly vskSize: number;
  readonly rcvlowat: number;
  readonly direction: "one" | "both";
}

/** Options of `perf latency` and `perf connect`. */
interface CountedOptions extends SharedOptions {
  readonly peerCid: number;
  readonly requests: number;
  readonly warmup: number;
}

/** Sends to a receiver. */
export function perfSender(
  options: PerfThroughputOptions & { readonly sender: number; readonly zerocopy?: true },
): Promise<number> {
  const { sender, port, bytes, bufSize, zerocopy = false } = options;
  return measured(async () => {
    const settings = throughputOptions(options, zerocopy);
    writeLines(options, [
      `Run as sender${zerocopy ? " MSG_ZEROCOPY" : ""}`,
      `Connect to ${sender}:${port}`,
      `Send ${bytes} bytes`,
      `TX buffer ${bufSize} bytes`,
    ]);
    showThroughput(await runSender(sender, settings), options);
  });
}

/** Receives from a sender. */
export function perfReceiver(options: PerfThroughputOptions): Promise<number> {
  const { port, bufSize, vskSize, rcvlowat } = options;
  return measured(async () => {
    const onListening = () =>
      writeLines(options, [
        "Run as receiver",
        `Listen port ${port}`,
        `RX buffer ${bufSize} bytes`,
        `vsock buffer ${vskSize} bytes`,
        `SO_RCVLOWAT ${rcvlowat} bytes`,
      ]);
    showThroughput(await runReceiver(throughputOptions(options, false), onListening), options);
  });
}

/** Answers clients, one after the other. */
export function perfEcho(options: SharedOptions & { readonly once?: true }): Promise<number> {
  return measured(() =>
    runEcho({
      ...endpointOf(options),
      timeout: options.timeout,
      once: options.once ?? false,
      onListening: () => writeLines(options, [`Listen port ${options.port}`]),
      onError: (error) => writeStderr(`echo: ${reasonOf(error)}\n`),
    })
  );
}

/** Measures round trips. */
export function perfLatency(
  options: CountedOptions & Pick<LatencyOptions, "size" | "connections" | "rate">,
): Promise<number> {
  if (options.connections > 1 && options.size > MAX_SHARED_REQUEST) {
    throw new UsageError(
      `--size may be at most ${MAX_SHARED_REQUEST} with several --connections`,
    );
  }
  return measured(async () => {
    const { times, seconds } = await runLatency(options.peerCid, {
      ...options,
      ...endpointOf(options),
    });
    show(options, [["round trip", times]], seconds);
  });
}

/** Measures connections. */
export function perfConnect(options: CountedOptions): Promise<number> {
  return measured(() => {
    const { connects, cycles, seconds } = runConnect(options.peerCid, {
      ...options,
      ...endpointOf(options),
    });
    show(options, [["connect", connects], ["cycle", cycles]], seconds);
  });
}

/** Reports a failed call as the user's error, not as a defect of the tool. */
async function measured(body: () => void | Promise<void>): Promise<number> {
  try {
    await body();
    return EXIT.ok;
  } catch (error) {
    if (error instanceof SysError) {
      const hint = error.call.startsWith("connect(") ? "; is the other end there?" : "";
      throw new UsageError(`${error.message}${hint}`);
    }
    if (error instanceof PeerError) throw new UsageError(error.message);
    throw error;
  }
}

function endpointOf({ type, port, standIn }: SharedOptions): Endpoint {
  // Throws if this kernel has no AF_VSOCK.
  ownFacts("perf", { peerCid: 0, standIn });
  return { family: familyOf({ peerCid: 0, standIn }), type, port };
}

function throughputOptions(options: PerfThroughputOptions, zerocopy: boolean): ThroughputOptions {
  const both = options.direction === "both";
  if (both && zerocopy) throw new UsageError("--zerocopy goes with --direction one");
  return { ...options, ...endpointOf(options), zerocopy, both };
}

/** Writes lines that are not figures. */
function writeLines({ json }: SharedOptions, lines: readonly string[]): void {
  const screen = screenOf(json ? Deno.stderr : Deno.stdout);
  screen.write(lines.map((line) => `${line}\n`).join(""));
}

function showThroughput(figures: ThroughputFigures, { json }: SharedOptions): void {
  const text = json ? showJson(throughputJson(figures)) : throughputText(figures);
  screenOf(Deno.stdout).write(text);
}

function show(
  { json }: SharedOptions,
  times: Parameters<typeof timesText>[0],
  seconds: number,
): void {
  const text = json ? showJson(timesJson(times, seconds)) : timesText(times, seconds);
  screenOf(Deno.stdout).write(text);
}

function showJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
