/**
 * Runs one side of one case: builds its kit, bounds its time, and reports how it ended.
 *
 * @module
 */
import { reasonOf } from "../core/reason.ts";
import { ClaimError } from "../core/check.ts";
import type { Role } from "../core/case.ts";
import type { SideReport, SideState } from "../core/outcome.ts";
import { Random } from "../core/random.ts";
import { type CaseLines, unlessAborted } from "../peer/lines.ts";
import type { Descriptor } from "../sys/descriptor.ts";
import { StillBlockedError } from "../sys/errno.ts";
import type { ConformanceCase } from "./kit.ts";
import { Claims } from "./kit/claims.ts";
import { lackingOf } from "./kit/features.ts";
import { Peer } from "./kit/peer.ts";
import { Vsock } from "./kit/vsock.ts";
import type { Surroundings } from "./kit/surroundings.ts";

/** What one side of a case runs with. */
export interface SideOptions extends Surroundings {
  /** The seed of the case's randomness. */
  readonly seed: number;
  /** The case's deadline, in milliseconds. */
  readonly timeout: number;
  /** The lines to and from the other side. */
  readonly lines: CaseLines;
  /** Ends the case early: the other side has already decided its verdict. */
  readonly stop: AbortSignal;
  /** Is told of each step before it is taken. */
  readonly onStep?: (step: string) => void;
}

/** How long a case may take to stop once it was told to, in milliseconds. */
const GRACE = 900;

/**
 * How long one event of the kernel's may take, in whole milliseconds: 5 s, or a sixth of a case's
 * time where that is more, and never more than half of it.
 */
function patienceOf(timeout: number): number {
  return Math.ceil(Math.min(timeout / 2, Math.max(5000, timeout / 6)));
}

/** Most reasons in a report, and most characters of each: a report must fit a control line. */
const MAX_REASONS = 40;
const MAX_REASON = 400;

/** The case's deadline passed. */
class DeadlineError extends Error {}

/** Runs a side; never throws for what the case does. */
export async function executeSide(
  definition: ConformanceCase,
  role: Role,
  options: SideOptions,
): Promise<SideReport> {
  const started = performance.now();
  const ending = new AbortController();
  const seconds = options.timeout / 1000;
  const deadline = new DeadlineError(`it had not ended after ${seconds} s`);
  const timer = setTimeout(() => ending.abort(deadline), options.timeout);
  const stop = () => ending.abort(options.stop.reason);
  options.stop.addEventListener("abort", stop, { once: true });
  if (options.stop.aborted) stop();

  const check = new Claims(patienceOf(options.timeout));
  let step = "";
  const trace = (next: string) => {
    step = next;
    options.onStep?.(next);
  };
  // A claim that did not hold decides, whatever came after it.
  const report = (state: SideState, reasons: readonly string[]): SideReport => ({
    state: check.mismatches.length > 0 ? "fail" : state,
    reasons: bounded([...check.mismatches, ...reasons]),
    step: step.slice(0, MAX_REASON),
    milliseconds: Math.round(performance.now() - started),
  });

  const peer = new Peer(options.lines, ending.signal, trace);
  const opened = new Set<Descriptor>();
  const context = { signal: ending.signal, trace, opened };
  const vsock = new Vsock({ ...options, context, peer });
  const random = new Random(options.seed);
  // A role need not be an async function: what it throws at once is caught, too.
  const run = async () => await definition[role]?.({ vsock, peer, check, random });
  try {
    const lacking = await lackingOf(definition, role, { ...options, context });
    if (lacking.length > 0) return report("skip", lacking);
    await ended(run(), ending.signal);
    vsock[Symbol.dispose]();
    const left = opened.size;
    return left === 0 ? report("pass", []) : report("broken", [leftText(left)]);
  } catch (error) {
    if (error instanceof ClaimError) return report("fail", []);
    if (options.stop.aborted && ending.signal.reason === options.stop.reason) {
      return report("stopped", [`stopped: ${reasonOf(options.stop.reason)}`]);
    }
    if (ending.signal.aborted) {
      const blocked = error instanceof StillBlockedError ? [error.message] : [];
      return report("timeout", [deadline.message, ...blocked]);
    }
    return report("broken", [reasonOf(error)]);
  } finally {
    clearTimeout(timer);
    options.stop.removeEventListener("abort", stop);
    vsock[Symbol.dispose]();
    for (const descriptor of opened) descriptor[Symbol.dispose]();
  }
}

/** A case that ends in order closes what it opened beside what the kit closes for it. */
function leftText(count: number): string {
  return `it left ${count} ${count === 1 ? "descriptor" : "descriptors"} open, closed now; ` +
    "the case must hold each with using";
}

/** Waits for the body of a case, and a little longer than it is allowed to take. */
async function ended(body: Promise<void>, signal: AbortSignal): Promise<void> {
  const late = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const startGrace = () => timer = setTimeout(() => late.abort(signal.reason), GRACE);
  if (signal.aborted) startGrace();
  else signal.addEventListener("abort", startGrace, { once: true });
  try {
    await unlessAborted(body, late.signal);
  } finally {
    signal.removeEventListener("abort", startGrace);
    clearTimeout(timer);
  }
}

/** The first reasons, each cut to its beginning. */
function bounded(reasons: readonly string[]): string[] {
  const left = reasons.length - MAX_REASONS;
  const kept = reasons.slice(0, MAX_REASONS).map((reason) => reason.slice(0, MAX_REASON));
  return left > 0 ? [...kept, `and ${left} more`] : kept;
}
