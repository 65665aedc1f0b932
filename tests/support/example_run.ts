/**
 * The events of a made-up run with every outcome, for the tests of outputs.
 *
 * @module
 */
import type { EventSink } from "../../core/event.ts";
import { countOutcomes, type Outcome, type Verdict } from "../../core/outcome.ts";
import type { Direction } from "../../core/plan.ts";

/** The cases of the run in each direction, and how each ends. */
const ENDINGS: readonly (readonly [string, Outcome, readonly string[]])[] = [
  ["stream/connect/refused", "pass", []],
  ["stream/close/keeps-data", "fail", ["client (host): recv(1): expected 0, got 1", "server: ok"]],
  ["seqpacket/bounds/kept", "skip", ["no SEQPACKET", "the guest is too old"]],
  ["seqpacket/rcvtimeo/ends", "warn", ["it was 300 ms late"]],
  ["stream/msg-peek/leaves", "broken", ["bind(3): EADDRINUSE"]],
  ["stream/shutdown/half", "timeout", ["it had not ended after 10 s", "last step: recv(3, 1, 0)"]],
  ["stream/nasty/text", "fail", ["a\nnot ok 1 forged\u001b[2J # SKIP no\u2028\u0085"]],
];

/** The directions of the run, with the number of cases that the plan has in each. */
export const EXAMPLE_GROUPS: readonly (readonly [Direction, number])[] = [
  ["host-server", ENDINGS.length],
  ["guest-server", 2],
];

/** Plays the run; `stopAfter` cases of it, where it is to be stopped. */
export function playExample(sink: EventSink, stopAfter: number = Infinity): void {
  const all = [
    ...ENDINGS.map((ending) => ["host-server", ...ending] as const),
    ...ENDINGS.slice(0, 1).map((ending) => ["guest-server", ...ending] as const),
    ["guest-server", "stream/close/keeps-data", "pass", []] as const,
  ];
  const facts = { kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
  const ends = [{ name: "host", ...facts }, { name: "guest", ...facts, localCid: 3 }];
  sink({ type: "run-start", topology: "guest-host", seed: 42, total: all.length, ends });
  const verdicts: Verdict[] = [];
  for (const [direction, id, outcome, reasons] of all.slice(0, stopAfter)) {
    const run = { number: verdicts.length + 1, id, direction };
    const verdict: Verdict = { outcome, reasons, milliseconds: 10 ** verdicts.length };
    sink({ type: "case-start", run, title: id });
    sink({ type: "case-end", run, title: id, verdict });
    verdicts.push(verdict);
  }
  const notRun = all.length - verdicts.length;
  if (notRun > 0) sink({ type: "run-stopped", reason: "interrupted", notRun });
  sink({ type: "run-end", counts: countOutcomes(verdicts), milliseconds: 184_000 });
}
