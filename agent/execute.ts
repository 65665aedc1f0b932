/**
 * Runs one side of one case: builds its kit, bounds its time, and reports how it ended.
 *
 * @module
 */
import { reasonOf } from "../core/error.ts";
import { ClaimError } from "../kit/check.ts";
import type { Role } from "../core/case.ts";
import type { SideReport, SideState } from "../core/outcome.ts";
import { Random } from "../core/random.ts";
import { type CaseLines, unlessAborted } from "../control/lines.ts";
import type { CallContext } from "../sys/descriptor.ts";
import { StillBlockedError } from "../sys/errno.ts";
import { NotOnHybridError } from "../sys/hybrid.ts";
import type { CaseContext, ConformanceCase } from "../kit/mod.ts";
import { Check } from "../kit/check.ts";
import { lackingOf } from "../kit/features.ts";
import { Peer } from "../kit/peer.ts";
import { Vsock } from "../kit/vsock.ts";
import type { Surroundings } from "../kit/environment.ts";
import { SidePromises, untilRejectionsAreKnown } from "./side_promises.ts";

/** Everything needed to run one side of a case. */
export interface SideOptions extends Surroundings {
  /** The seed of the case's randomness. */
  readonly seed: number;
  /** The case's deadline, in milliseconds. */
  readonly timeout: number;
  /** The lines to and from the other side. */
  readonly lines: CaseLines;
  /** Ends the case early: the other side has already decided its verdict. */
  readonly stop: AbortSignal;
  /** Called before each step. */
  readonly onStep?: (step: string) => void;
}

/** How long a case may take to stop once it was asked to, in milliseconds. */
const GRACE = 900;

/**
 * How long a single event in the kernel may take, in whole milliseconds: 5 s or a sixth of the
 * case's timeout, whichever is longer, but at most half of the timeout.
 */
function patienceOf(timeout: number): number {
  return Math.ceil(Math.min(timeout / 2, Math.max(5000, timeout / 6)));
}

/** Limits for the reasons in a report and the characters of each: it must fit a control line. */
const MAX_REASONS = 40;
const MAX_REASON = 400;
/** The states for which the report has what explains them too. */
const EXPLAINED: readonly SideState[] = ["fail", "timeout", "broken"];

/** The case's deadline passed. */
class DeadlineError extends Error {}

/** Runs a side; never throws because of the case. */
export async function executeSide(
  definition: ConformanceCase,
  role: Role,
  options: SideOptions,
): Promise<SideReport> {
  using side = new Side(options);
  const { kit, promises, signal } = side;
  // async, because a role may be an ordinary function that throws.
  const run = async () => await definition[role]?.(kit);
  try {
    const foreign = options.hybrid === undefined ? undefined : notOfHybrid(definition.id);
    if (foreign !== undefined) return side.report("skip", [foreign]);
    const lacking = await lackingOf(definition, role, { ...options, context: side.context });
    if (lacking.length > 0) return side.report("skip", lacking);
    await ended(promises.run(run), signal);
    const left = await side.leftBehind();
    return left.length === 0 ? side.report("pass", []) : side.report("broken", left);
  } catch (error) {
    return side.reportOf(error);
  } finally {
    await side.end();
  }
}

/**
 * Why a case is not played on the Unix socket of a device. The other families have not been tried
 * with such a device yet, and what they find could be a fault of the way there.
 */
function notOfHybrid(id: string): string | undefined {
  if (id.startsWith("hybrid/")) return undefined;
  return "only the cases of hybrid/ are played on a hybrid Unix socket so far";
}

/** A running side, with everything that it uses. */
class Side implements Disposable {
  readonly promises = new SidePromises();
  readonly context: Required<CallContext>;
  readonly kit: CaseContext;
  readonly #options: SideOptions;
  readonly #started = performance.now();
  readonly #ending = new AbortController();
  readonly #deadline: DeadlineError;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #check: Check;
  #step = "";
  #unasked: string | undefined;
  #isOver = false;

  constructor(options: SideOptions) {
    const { timeout, stop } = options;
    this.#options = options;
    this.#deadline = new DeadlineError(`it had not ended after ${timeout / 1000} s`);
    this.#timer = setTimeout(() => this.#ending.abort(this.#deadline), timeout);
    stop.addEventListener("abort", this.#stop, { once: true });
    if (stop.aborted) this.#stop();
    const { begun } = this.promises;
    const unasked = (why: string) => this.#leaveUnasked(why);
    this.context = { signal: this.signal, trace: this.#trace, opened: new Set(), begun, unasked };
    this.#check = new Check(patienceOf(timeout));
    const peer = new Peer(options.lines, this.context);
    this.kit = {
      peer,
      check: this.#check,
      vsock: new Vsock({ ...options, context: this.context, peer }),
      random: new Random(options.seed),
    };
  }

  /** Aborted when the side has to end. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  readonly #stop = (): void => this.#ending.abort(this.#options.stop.reason);

  readonly #trace = (step: string): void => {
    // A case that ignores its deadline must not interfere with later cases.
    if (this.#isOver) throw new Error(`this side of the case has ended; it tried to ${step}`);
    this.#step = step;
    this.#options.onStep?.(step);
  };

  /** What a side that ended normally has left behind but should not have, one line each. */
  async leftBehind(): Promise<string[]> {
    const { opened } = this.context;
    const running = this.promises.running.map((what) => `not awaited: ${what}`);
    await untilRejectionsAreKnown();
    this.kit.vsock[Symbol.dispose]();
    const left = opened.size === 0 ? [] : [leftText(opened.size)];
    return [...running, ...rejections(this.promises), ...left];
  }

  /** Keeps why a call was not made; what was wrong before stays wrong. */
  #leaveUnasked(why: string): void {
    if (this.#check.mismatches.length === 0) this.#unasked ??= why;
  }

  /** Makes the report: a failed check decides, no matter what came later. */
  report(state: SideState, reasons: readonly string[]): SideReport {
    const { mismatches } = this.#check;
    const unasked = this.#unasked;
    const [decided, why] = unasked === undefined
      ? [mismatches.length > 0 ? "fail" as const : state, [...mismatches, ...reasons]]
      : ["skip" as const, [unasked]];
    const explained = EXPLAINED.includes(decided) ? this.#check.explanation : [];
    return {
      state: decided,
      reasons: [...bounded(why, MAX_REASONS - explained.length), ...bounded(explained)],
      step: this.#step.slice(0, MAX_REASON),
      milliseconds: Math.round(performance.now() - this.#started),
    };
  }

  /** The report on a side that ended with an error. */
  reportOf(error: unknown): SideReport {
    const { stop } = this.#options;
    const also = rejections(this.promises);
    if (error instanceof NotOnHybridError) return this.report("skip", [error.message]);
    if (error instanceof ClaimError) return this.report("fail", also);
    if (stop.aborted && this.signal.reason === stop.reason) {
      return this.report("stopped", [`stopped: ${reasonOf(stop.reason)}`]);
    }
    if (this.signal.aborted) {
      const blocked = error instanceof StillBlockedError ? [error.message] : [];
      return this.report("timeout", [this.#deadline.message, ...blocked, ...also]);
    }
    return this.report("broken", [reasonOf(error), ...also]);
  }

  /** Ends what the side is still running, after its report has been made. */
  async end(): Promise<void> {
    this.promises.decide();
    if (!this.signal.aborted) this.#ending.abort(new Error("this side of the case has ended"));
    // Wait for calls: if a descriptor is closed during a call, its number may already be reused.
    await this.promises.settle(GRACE);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#options.stop.removeEventListener("abort", this.#stop);
    this.kit.vsock[Symbol.dispose]();
    for (const descriptor of this.context.opened) descriptor[Symbol.dispose]();
  }
}

/** Unhandled rejections, as reasons. */
function rejections({ unhandled }: SidePromises): string[] {
  return unhandled.map((reason) => `not awaited, and rejected: ${reason}`);
}

/** The reason for a case that did not close everything that the kit does not close for it. */
function leftText(count: number): string {
  return `it left ${count} ${count === 1 ? "descriptor" : "descriptors"} open, closed now; ` +
    "the case must hold each with using";
}

/** Waits for the body of a case, for slightly longer than its deadline. */
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

/** The first reasons, each cut to a maximum length. */
function bounded(reasons: readonly string[], most = MAX_REASONS): string[] {
  const left = reasons.length - most;
  const kept = reasons.slice(0, most).map((reason) => reason.slice(0, MAX_REASON));
  return left > 0 ? [...kept, `and ${left} more`] : kept;
}
