/**
 * Determines how a QEMU ended, from its exit status or from its host's console.
 *
 * @module
 */
import { signalName } from "../../core/signal_name.ts";
import { MARKS } from "../layout.ts";

/** What a host writes when its guest is gone. */
export const GUEST_GONE = [MARKS.guestEnded, MARKS.guestStuck];

/** How a QEMU ended. */
export interface QemuEnd {
  /** For people, with its last output. */
  readonly text: string;
  /** Whether it was killed by a signal, or exited with an error. */
  readonly isFault: boolean;
}

/**
 * How a process ended, from its exit status as in a shell.
 *
 * @param who the name of the process, for people.
 * @param words its last output.
 */
export function qemuEnd(who: string, status: number, words: string): QemuEnd {
  const signal = status - 128;
  const how = signal > 0 ? `signal ${signalName(signal) ?? signal}` : `exit code ${status}`;
  const said = words.trim();
  return { text: `${who} ended (${how})${said === "" ? "" : `: ${said}`}`, isFault: status !== 0 };
}

/** How the guest's QEMU ended, from its host's console. */
export function guestEnd(console: string): QemuEnd {
  const lines = console.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => GUEST_GONE.some((mark) => line.includes(mark)));
  const words = lines.slice(0, at).filter((line) => /^qemu-system|^\*\*|Assertion/.test(line));
  const status = /\((\d+)\)/.exec(lines[at]?.slice(lines[at].indexOf(MARKS.guestEnded)) ?? "")?.[1];
  if (!lines[at]?.includes(MARKS.guestEnded) || status === undefined) {
    return { text: `the guest's QEMU: ${lines[at] ?? ""}`, isFault: true };
  }
  return qemuEnd("the guest's QEMU", Number(status), words.slice(-WORDS).join("\n"));
}

/** The number of last lines that are kept. */
const WORDS = 8;
