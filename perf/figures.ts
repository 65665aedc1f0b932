/**
 * What was measured, as vsock_perf words it and as JSON.
 *
 * @module
 */
import type { Histogram } from "./histogram.ts";
import type { ThroughputFigures } from "./throughput.ts";

/** Billions of bits in a second; 0 where no time passed. */
export function gigabits(bytes: number, seconds: number): number {
  return seconds === 0 ? 0 : bytes * 8 / 1e9 / seconds;
}

/** A figure of throughput with what follows from it. */
export interface ThroughputJson {
  readonly sent?: Readonly<Record<string, number>>;
  readonly received?: Readonly<Record<string, number>>;
}

/** The figures with what follows from them: gigabits a second, and nanoseconds a call. */
export function throughputJson({ sent, received }: ThroughputFigures): ThroughputJson {
  return {
    ...(sent === undefined ? {} : {
      sent: {
        bytes: sent.bytes,
        // By the time within send(2), as vsock_perf has it.
        gigabitsPerSecond: gigabits(sent.bytes, sent.secondsInSend),
        seconds: sent.seconds,
        secondsInSend: sent.secondsInSend,
        calls: sent.calls,
        nanosecondsPerCall: perCall(sent.secondsInSend, sent.calls),
        ...(sent.completions === undefined ? {} : {
          completions: sent.completions.all,
          completionsCopied: sent.completions.copied,
        }),
      },
    }),
    ...(received === undefined ? {} : {
      received: {
        bytes: received.bytes,
        gigabitsPerSecond: gigabits(received.bytes, received.seconds),
        seconds: received.seconds,
        secondsInRecv: received.secondsInRecv,
        wakeups: received.wakeups,
        nanosecondsPerCall: perCall(received.secondsInRecv, received.wakeups),
      },
    }),
  };
}

/** The figures as lines; scripts that read vsock_perf's find theirs by the same words. */
export function throughputText(figures: ThroughputFigures): string {
  const { sent, received } = throughputJson(figures);
  const lines: string[] = [];
  const f = (value: number | undefined) => (value ?? 0).toFixed(6);
  if (sent !== undefined) {
    lines.push(
      `total bytes sent: ${sent["bytes"]}`,
      `tx performance: ${f(sent["gigabitsPerSecond"])} Gbits/s`,
      `total time in tx loop: ${f(sent["seconds"])} sec`,
      `time in 'send()': ${f(sent["secondsInSend"])} sec`,
      `average time in 'send()': ${f(sent["nanosecondsPerCall"])} ns`,
      `calls of 'send()': ${sent["calls"]}`,
    );
    if (sent["completions"] !== undefined) {
      lines.push(`completions: ${sent["completions"]}, copied: ${sent["completionsCopied"]}`);
    }
  }
  if (received !== undefined) {
    lines.push(
      `total bytes received: ${received["bytes"]}`,
      `rx performance: ${f(received["gigabitsPerSecond"])} Gbits/s`,
      `total time in rx loop: ${f(received["seconds"])} sec`,
      `total time in 'recv()': ${f(received["secondsInRecv"])} sec`,
      `average time in 'recv()': ${f(received["nanosecondsPerCall"])} ns`,
      `POLLIN wakeups: ${received["wakeups"]}`,
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** The percentiles that are shown, by their names. */
export const PERCENTILES = { p50: 50, p90: 90, p99: 99, "p99.9": 99.9 } as const;

/** Times of one kind: what they are of, and the nanoseconds. */
export type NamedTimes = readonly [name: string, times: Histogram];

/** A distribution in nanoseconds. */
export interface TimesJson {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly percentiles: Readonly<Record<keyof typeof PERCENTILES, number>>;
  readonly max: number;
}

/** Times of several kinds, and how many of the first there were in a second. */
export function timesJson(
  named: readonly NamedTimes[],
  seconds: number,
): { readonly perSecond: number; readonly seconds: number; readonly nanoseconds: object } {
  const nanoseconds = named.map(([name, times]) => {
    const at = Object.entries(PERCENTILES).map(([key, percent]) =>
      [key, times.percentile(percent)] as const
    );
    const { count, min, mean, max } = times;
    return [name, { count, min, mean, percentiles: Object.fromEntries(at), max }] as const;
  });
  return {
    perSecond: perSecond(named, seconds),
    seconds,
    nanoseconds: Object.fromEntries(nanoseconds),
  };
}

/** The same as lines. */
export function timesText(named: readonly NamedTimes[], seconds: number): string {
  const lines = named.map(([name, times]) => {
    const at = Object.entries(PERCENTILES).map(([key, percent]) =>
      `${key} ${microseconds(times.percentile(percent))}`
    );
    return `${name}: ${at.join(", ")}, max ${microseconds(times.max)}`;
  });
  const count = named[0]?.[1].count ?? 0;
  return [
    ...lines,
    `${count} in ${seconds.toFixed(3)} s, ${perSecond(named, seconds).toFixed(0)} a second`,
    "",
  ].join("\n");
}

function microseconds(nanoseconds: number): string {
  return `${(nanoseconds / 1000).toFixed(1)} µs`;
}

function perSecond(named: readonly NamedTimes[], seconds: number): number {
  const count = named[0]?.[1].count ?? 0;
  return seconds === 0 ? 0 : count / seconds;
}

function perCall(seconds: number, calls: number): number {
  return calls === 0 ? 0 : seconds * 1e9 / calls;
}
