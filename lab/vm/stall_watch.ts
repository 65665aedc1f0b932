/**
 * Detects a processor of an emulated VM that has stalled because of a fault in QEMU. Either it is
 * halted and never receives an interrupt that is pending, or a guest to which QEMU delivered an
 * interrupt twice spins with interrupts off on a lock that it holds itself. The kernel reports this
 * late or not at all, and it says nothing about the code under test.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { PeerGoneError, SilentPeerError } from "../../control/channel.ts";
import { MonitorError, Qmp } from "../../control/qmp.ts";
import { explainConsoles } from "./consoles.ts";
import { VmLostError } from "../error.ts";
import { consolesOf, type LabAddress, monitorOf } from "../types.ts";

/** How often the processors are checked, in milliseconds. */
const PAUSE = 2000;
/** The number of consecutive checks that must find one waiting for the same interrupt. */
const TIMES_WAITING = 5;
/** The number of consecutive checks that must find one in the same code with interrupts off. */
const TIMES_DEAF = 10;

/** A sign that a processor may have stalled. */
export interface Sign {
  /** Changes if the processor makes progress. */
  readonly what: string;
  /** The number of consecutive checks after which it counts as stalled. */
  readonly times: number;
  /** The message about it in that case. */
  readonly means: (processor: number) => string;
}

/** Processors that may have stalled, by number. */
export type Signs = ReadonlyMap<number, Sign>;

/**
 * Calls `body` while watching the processors of a lab's VM, unless it runs on KVM or is an arm64
 * VM, for which no such fault is known.
 *
 * @param body receives a signal that is aborted with `stop`, or when a processor has stalled.
 * @throws {VmLostError} with the last lines of the consoles if one has, no matter how `body` ended.
 */
export async function withStallWatch<T>(
  address: LabAddress,
  stop: AbortSignal,
  body: (stop: AbortSignal) => Promise<T>,
  pause = PAUSE,
): Promise<T> {
  if (address.accelerator === "kvm" || address.arch !== "x86_64") return await body(stop);
  const forgotten = new AbortController();
  const over = new AbortController();
  const watch = watchProcessors(address, over.signal, pause).then(
    (why) => {
      if (why !== undefined) forgotten.abort(new VmLostError(`${why}: run it again`));
    },
    (error) => forgotten.abort(error),
  );
  const [ended] = await Promise.allSettled([body(AbortSignal.any([stop, forgotten.signal]))]);
  over.abort();
  await watch;
  if (forgotten.signal.aborted) {
    const { reason } = forgotten.signal;
    if (!(reason instanceof VmLostError)) throw reason;
    throw new VmLostError(await explainConsoles(reason.message, consolesOf(address)));
  }
  if (ended.status === "rejected") throw ended.reason;
  return ended.value;
}

/** Checks the processors until one has stalled, and returns the message; or until the signal. */
async function watchProcessors(
  address: LabAddress,
  over: AbortSignal,
  pause: number,
): Promise<string | undefined> {
  const history = new History();
  while (!over.aborted) {
    const reason = history.take(await look(address));
    if (reason !== undefined) return reason;
    // Rejected only when the watch is over.
    await delay(pause, undefined, { signal: over }).catch(() => {});
  }
  return undefined;
}

/** The results of past checks. */
export class History {
  #seen = new Map<number, readonly [what: string, times: number]>();

  /**
   * Adds the result of a check, and returns the message about a stalled processor, if there is one.
   */
  take(signs: Signs): string | undefined {
    this.#seen = new Map(
      [...signs].map(([processor, { what }]) => {
        const [before, times = 0] = this.#seen.get(processor) ?? [];
        return [processor, [what, before === what ? times + 1 : 1]];
      }),
    );
    for (const [processor, { times, means }] of signs) {
      if ((this.#seen.get(processor)?.[1] ?? 0) >= times) return means(processor);
    }
    return undefined;
  }
}

/** The processors that may have stalled; none if the VM does not respond, as it may be ending. */
async function look(address: LabAddress): Promise<Signs> {
  try {
    using monitor = await Qmp.connect(monitorOf(address));
    const ask = async (command: string) =>
      String(await monitor.execute("human-monitor-command", { "command-line": command }));
    const registers = await ask("info registers -a");
    // Without a nested guest, only the kernel itself turns interrupts off.
    const found = new Map(address.vms.length === 1 ? [] : deaf(registers));
    for (const processor of halted(registers)) {
      const due = interruptDue(await ask(`info lapic ${processor}`));
      if (due !== undefined) found.set(processor, due);
    }
    return found;
  } catch (error) {
    const kinds = [
      ...[PeerGoneError, SilentPeerError, MonitorError],
      ...[Deno.errors.NotFound, Deno.errors.ConnectionRefused, Deno.errors.ConnectionReset],
    ];
    if (!kinds.some((kind) => error instanceof kind)) throw error;
    return new Map();
  }
}

/** EFLAGS.IF. */
const INTERRUPTS_ENABLED = 0x200;

/** The processors, and whether their flags have IF, from the monitor's `info registers -a`. */
function processors(registers: string) {
  return registers.split(/^CPU#/m).slice(1).map((text) => ({
    processor: parseInt(text),
    enabled: (parseInt(/\bR?FL=([0-9a-f]+)/.exec(text)?.[1] ?? "0", 16) & INTERRUPTS_ENABLED) !== 0,
    halted: /\bHLT=1\b/.test(text),
    at: /\b[RE]IP=([0-9a-f]+)/.exec(text)?.[1] ?? "",
  }));
}

/**
 * Processors that are halted until the next interrupt, from the monitor's `info registers -a`. One
 * that is halted with interrupts off does not wait for any.
 */
export function halted(registers: string): number[] {
  return processors(registers).filter(({ enabled, halted }) => enabled && halted)
    .map(({ processor }) => processor);
}

/** Processors that run with interrupts off, from the same; a spin loop is only a few bytes long. */
export function deaf(registers: string): [number, Sign][] {
  return processors(registers).filter(({ enabled, halted }) => !enabled && !halted)
    .map(({ processor, at }) => [processor, {
      what: `with interrupts off near ${at.slice(0, -2)}00`,
      times: TIMES_DEAF,
      means: (processor) =>
        `processor ${processor} of the VM makes no progress with interrupts off, as after QEMU has ` +
        "delivered an interrupt to the guest twice",
    }]);
}

/**
 * The interrupt that a halted processor should have received, from the monitor's `info lapic`: one
 * is pending and none is in service, or the timer has expired. Linux zeroes the count of a timer
 * that it stops.
 */
export function interruptDue(lapic: string): Sign | undefined {
  const pending = /^IRR\s+(.*\d)/m.exec(lapic)?.[1]?.trim();
  const served = /^ISR\s+.*\d/m.test(lapic);
  const timer = /initial_count = ([1-9]\d*) current_count = 0\b/.exec(lapic)?.[1];
  if (served || (pending === undefined && timer === undefined)) return undefined;
  return {
    what: `pending: ${pending}; timer: ${timer}`,
    times: TIMES_WAITING,
    means: (processor) =>
      `QEMU lost an interrupt: processor ${processor} of the VM is halted and does not receive ` +
      "a pending interrupt",
  };
}
