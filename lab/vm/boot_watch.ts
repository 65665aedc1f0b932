import { MARKS } from "../layout.ts";

/** A booting VM that writes nothing for this long has stalled, in milliseconds. */
export const MAX_SILENCE = 25_000;

/** Follows the consoles of a boot: the loopback VM's, or the host's and the guest's. */
export class BootWatch {
  readonly #names: readonly string[];
  readonly #maxSilence: number;
  /** For each console, its length and since when it has been that long. */
  readonly #seen: { length: number; at: number }[];

  /**
   * @param names the names of the VMs: one, or a host and its guest.
   * @param now the VM's own time in milliseconds (lab/vm/own_time.ts).
   */
  constructor(names: readonly string[], now: number, maxSilence = MAX_SILENCE) {
    this.#names = names;
    this.#maxSilence = maxSilence;
    this.#seen = names.map(() => ({ length: 0, at: now }));
  }

  /**
   * Compares the consoles' current texts with what was seen before.
   *
   * @returns a message about a VM that has stalled, if one has.
   */
  take(consoles: readonly string[], now: number): string | undefined {
    for (const [i, name] of this.#names.entries()) {
      const text = consoles[i] ?? "";
      const seen = this.#seen[i];
      if (seen === undefined) continue;
      // The guest's time starts when its host starts it.
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

  /** The boot's progress, for people: the last line of the innermost VM that has written any. */
  progress(consoles: readonly string[]): string {
    for (const [i, name] of [...this.#names.entries()].reverse()) {
      const line = (consoles[i] ?? "").trimEnd().split("\n").at(-1)?.trim() ?? "";
      if (line !== "") return `${name}: ${line.slice(0, SHOWN)}`;
    }
    return "no console output yet";
  }
}

/** The length to which a console's line is cut, in characters. */
const SHOWN = 60;
