/**
 * The exchange of a wire case as a sequence diagram in text: who sent what, and what was wrong with
 * it. Time runs down the page.
 *
 * @module
 */
import { DRAWN } from "../core/outcome.ts";
import { describePacket, opName, type Packet } from "../wire/packet.ts";
import type { Check } from "./check.ts";

/** How many lines are kept: the last ones, since a case ends soon after what fails it. */
const KEPT = 24;
/** The length of an arrow, in characters; the longest name of an operation fits. */
const ARROW = 20;

/** A packet that was sent or came, or a failed check. */
type Entry =
  | { readonly by: "guest" | "host"; readonly packet: Packet }
  | { readonly by: "check"; readonly mismatch: string };

/** What the raw guests of a case and the host exchange. */
export class WireExchange {
  readonly #check: Check;
  readonly #entries: Entry[] = [];
  #mismatches = 0;
  #left = 0;

  /** @param check whose failed checks are placed where they were made. */
  constructor(check: Check) {
    this.#check = check;
  }

  /** Takes note of a packet that a side sent. */
  note(by: "guest" | "host", packet: Packet): void {
    this.#noteMismatches();
    this.#add({ by, packet });
  }

  /** The diagram, from top to bottom: one line a packet, and one a failed check. */
  get lines(): string[] {
    this.#noteMismatches();
    const left = this.#left === 0 ? [] : [`(${this.#left} earlier lines are not shown)`];
    return [...left, ...this.#entries.map(lineOf)].map((line) => `${DRAWN}${line}`);
  }

  #noteMismatches(): void {
    const { mismatches } = this.#check;
    for (const mismatch of mismatches.slice(this.#mismatches)) this.#add({ by: "check", mismatch });
    this.#mismatches = mismatches.length;
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length <= KEPT) return;
    this.#entries.shift();
    this.#left++;
  }
}

function lineOf(entry: Entry): string {
  if (entry.by === "check") return `✗ ${entry.mismatch}`;
  const { by, packet } = entry;
  const name = opName(packet.op);
  const rest = describePacket(packet).slice(name.length + 1);
  const arrow = by === "guest"
    ? `──${name}`.padEnd(ARROW, "─") + "▶"
    : "◀" + `${name}──`.padStart(ARROW, "─");
  return `guest ${arrow} host ${rest}`;
}
