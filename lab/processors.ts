/**
 * Notices a processor of a translated VM that QEMU has forgotten: it has halted until an interrupt
 * comes, one is due, and none comes. What the kernel there wants to do on it waits for ever, and the
 * kernel says so late or not at all. No fault of a protocol's code brings that about: it is no
 * verdict on any.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { PeerGoneError, SilentPeerError } from "../peer/channel.ts";
import { MonitorError, Qmp } from "../peer/qmp.ts";
import { explainConsoles } from "./consoles.ts";
import { MishapError } from "./error.ts";
import type { LabAddress } from "./lab.ts";
import { monitorOf } from "./start.ts";

/** How often the processors are looked at, in milliseconds. */
const PAUSE = 2000;
/** How often in a row one must be found waiting for the same interrupt: a machine may be busy. */
const TIMES = 5;

/** Processors that wait, by number: what for. */
export type Waiting = ReadonlyMap<number, string>;

/**
 * Calls `body` while the processors of a lab's VM are watched. Under KVM they are the machine's own,
 * and are not.
 *
 * @param body is given `stop`, aborted as well where a processor is forgotten.
 * @throws {MishapError} with the end of the consoles, when one is, however `body` ended.
 */
export async function whileAwake<T>(
  address: LabAddress,
  stop: AbortSignal,
  body: (stop: AbortSignal) => Promise<T>,
  pause = PAUSE,
): Promise<T> {
  if (address.accelerator === "kvm") return await body(stop);
  const forgotten = new AbortController();
  const over = new AbortController();
  const watch = watchProcessors(monitorOf(address), over.signal, pause).then(
    (why) => {
      if (why !== undefined) forgotten.abort(new MishapError(`${why}: run it again`));
    },
    (error) => forgotten.abort(error),
  );
  const [ended] = await Promise.allSettled([body(AbortSignal.any([stop, forgotten.signal]))]);
  over.abort();
  await watch;
  if (forgotten.signal.aborted) {
    const { reason } = forgotten.signal;
    if (!(reason instanceof MishapError)) throw reason;
    throw new MishapError(await explainConsoles(reason.message, address.consoles));
  }
  if (ended.status === "rejected") throw ended.reason;
  return ended.value;
}

/** Looks at the processors until one is forgotten, and gives the reason; or until the signal. */
async function watchProcessors(
  monitor: string,
  over: AbortSignal,
  pause: number,
): Promise<string | undefined> {
  const history = new History();
  while (!over.aborted) {
    const processor = history.take(await look(monitor));
    if (processor !== undefined) {
      return `QEMU lost an interrupt: processor ${processor} of the VM has halted, ` +
        "and does not get what is due";
    }
    // It is rejected when the watch is over, and for no other reason.
    await delay(pause, undefined, { signal: over }).catch(() => {});
  }
  return undefined;
}

/** What was seen of the processors. */
export class History {
  #seen = new Map<number, readonly [what: string, times: number]>();

  /** Takes what one look showed, and gives the processor that is forgotten, if one is. */
  take(waiting: Waiting): number | undefined {
    this.#seen = new Map(
      [...waiting].map(([processor, what]) => {
        const [before, times = 0] = this.#seen.get(processor) ?? [];
        return [processor, [what, before === what ? times + 1 : 1]];
      }),
    );
    return [...this.#seen].find(([, [, times]]) => times >= TIMES)?.[0];
  }
}

/** The processors that wait now; none where the VM does not say: it may be about to end. */
async function look(path: string): Promise<Waiting> {
  try {
    using monitor = await Qmp.connect(path);
    const ask = async (command: string) =>
      String(await monitor.execute("human-monitor-command", { "command-line": command }));
    const registers = await ask("info registers -a");
    const found = new Map<number, string>();
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

/** EFLAGS.IF: a processor that halts without it waits for no interrupt. */
const INTERRUPTS_ENABLED = 0x200;

/** Processors that have halted until an interrupt comes, from the monitor's `info registers -a`. */
export function halted(registers: string): number[] {
  return registers.split(/^CPU#/m).slice(1).flatMap((text) => {
    const [, flags = "0"] = /\bR?FL=([0-9a-f]+)/.exec(text) ?? [];
    const waits = (parseInt(flags, 16) & INTERRUPTS_ENABLED) !== 0 && /\bHLT=1\b/.test(text);
    return waits ? [parseInt(text)] : [];
  });
}

/**
 * What interrupt a processor should have got by now, from the monitor's `info lapic`: one is
 * pending and none is being served, or the timer has run out. Linux zeroes the count of a timer that
 * it stops.
 */
export function interruptDue(lapic: string): string | undefined {
  const pending = /^IRR\s+(.*\d)/m.exec(lapic)?.[1]?.trim();
  const served = /^ISR\s+.*\d/m.test(lapic);
  const timer = /initial_count = ([1-9]\d*) current_count = 0\b/.exec(lapic)?.[1];
  if (served || (pending === undefined && timer === undefined)) return undefined;
  return `pending: ${pending}; timer: ${timer}`;
}
