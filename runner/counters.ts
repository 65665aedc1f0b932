/**
 * Reads the counters of executed lines of the kernels of a run, between its cases.
 *
 * @module
 */
import { ExpectedError, reasonOf } from "../core/error.ts";
import {
  CounterDecoder,
  type CounterFiles,
  COUNTERS,
  MAX_COUNTERS,
} from "../control/counters_wire.ts";
import type { End } from "./end.ts";

/** How long an end may take to send them, in milliseconds. */
const TIME = 30_000;
/** How long to wait for the report of a side that was stopped, in milliseconds. */
const REPORT_TIME = 5000;

/** The counters of a kernel cannot be read. */
export class CountersError extends ExpectedError {
  override readonly name = "CountersError";
}

/**
 * Reads the counters of an end's kernel.
 *
 * @param run the number of this order, see {@linkcode End.run}.
 * @throws {CountersError} if it has none, or the end is lost or does not send them in time.
 */
export async function readCounters(end: End, run: number): Promise<CounterFiles> {
  const lines: string[] = [];
  let size = 0;
  const stop = (why: string) => end.order({ type: "stop", run, why });
  const late = setTimeout(() => stop(`it took more than ${TIME / 1000} s`), TIME);
  const never = setTimeout(() => end.abandon("it sent no counters"), TIME + REPORT_TIME);
  try {
    const order = { id: COUNTERS, role: "server", port: 0, seed: 0, timeout: TIME } as const;
    const report = await end.run({ type: "start", run, ...order }, {
      onLine(text) {
        size += text.length;
        // Base64 and the names take less than twice as much.
        if (size <= 2 * MAX_COUNTERS) lines.push(text);
        else stop("it sends too much");
      },
      onLost() {},
    });
    if (report.state !== "pass") throw new Error(report.reasons.join("; "));
    const decoder = new CounterDecoder();
    for (const line of lines) decoder.push(line);
    return decoder.files;
  } catch (error) {
    throw new CountersError(`the ${end.name}: ${reasonOf(error)}`);
  } finally {
    clearTimeout(late);
    clearTimeout(never);
  }
}
