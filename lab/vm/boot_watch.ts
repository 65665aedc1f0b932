import { MARKS } from "../layout.ts";

/** How long a VM that boots may write nothing, in milliseconds. */
export const MAX_SILENCE = 25_000;

/** Follows the consoles of a boot: the host's (or loopback's), and the guest's. */
export class BootWatch {
  readonly #names: readonly string[];
  readonly #maxSilence: number;
  /** For each console its length, and when it was first that long. */
  readonly #seen: { length: number; at: number }[];

  /**
   * @param names of the VMs: one, or a host and its guest.
   * @param now in milliseconds, of the VM's own time (lab/vm/own_time.ts).
   */
  constructor(names: readonly string[], now: number, maxSilence = MAX_SILENCE) {
    this.#names = names;
    this.#maxSilence = maxSilence;
    this.#seen = names.map(() => ({ length: 0, at: now }));
  }

  /**
   * Takes what the consoles hold by now.
   *
   * @returns which VM stands still, undefined where none does.
   */
  take(consoles: readonly string[], now: number): string | undefined {
    for (const [i, name] of this.#names.entries()) {
      const text = consoles[i] ?? "";
      const seen = this.#seen[i];
      if (seen === undefined) continue;
      // A guest begins when its host starts it.
      const waits = i > 0 && !(consoles[0] ?? "").includes(MARKS.guestStarted);
      if (text.length !== seen.length || waits || text.includes(MARKS.listening)) {
        seen.length = text.length;
        seen.at = now;
      } else if (now - seen.at > this.#maxSilence) {
        return `the ${name} has written nothing for ${Math.round((now - seen.at) / 1000)} s`;
      }
    }
    return undefined;
  }

  /** Whether the agents of all VMs listen. */
  isUp(consoles: readonly string[]): boolean {
    return this.#names.every((_, i) => consoles[i]?.includes(MARKS.listening));
  }

  /** How far the boot is, for people: the last line of the VM that booted last. */
  progress(consoles: readonly string[]): string {
    for (const [i, name] of [...this.#names.entries()].reverse()) {
      const line = (consoles[i] ?? "").trimEnd().split("\n").at(-1)?.trim() ?? "";
      if (line !== "") return `${name}: ${line.slice(0, SHOWN)}`;
    }
    return "no console output yet";
  }
}

/** How much of a console's line is shown, in characters. */
const SHOWN = 60;
