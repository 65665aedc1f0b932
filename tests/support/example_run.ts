/**
 * The events and the report of a made-up run with every outcome, for the tests of outputs.
 *
 * @module
 */
import { type CaseInfo, man, upstream } from "../../core/case.ts";
import type { EndFacts, EventSink, RunFacts } from "../../core/event.ts";
import { countOutcomes, type Outcome, type Verdict } from "../../core/outcome.ts";
import type { Direction, Planned } from "../../core/plan.ts";
import { VERSION } from "../../core/version.ts";
import {
  ReportBuilder,
  reportNotStarted,
  type RunReport,
  type RunSetting,
} from "../../report/model.ts";

/** The cases of the run in each direction, and how each ends. */
const ENDINGS: readonly (readonly [string, Outcome, readonly string[]])[] = [
  ["stream/connect/refused", "pass", []],
  ["stream/close/keeps-data", "fail", ["client (host): recv(1): expected 0, got 1", "server: ok"]],
  ["seqpacket/bounds/kept", "skip", ["no SEQPACKET", "the guest is too old"]],
  ["seqpacket/rcvtimeo/ends", "warn", ["it was 300 ms late"]],
  ["stream/msg-peek/leaves", "broken", ["bind(3): EADDRINUSE"]],
  ["stream/shutdown/half", "timeout", ["it had not ended after 10 s", "last step: recv(3, 1, 0)"]],
  ["stream/known/fails", "expected-fail", ["known: never mended (x:3)", "client (host): no"]],
  ["stream/known/passes", "unexpected-pass", ["it passed, but x:4 says that it fails"]],
  ["stream/nasty/text", "fail", ["a\nnot ok 1 forged\u001b[2J # SKIP no\u2028\u0085"]],
];

/** The directions of the run, with the number of cases that the plan has in each. */
export const EXAMPLE_GROUPS: readonly (readonly [Direction, number])[] = [
  ["host-server", ENDINGS.length],
  ["guest-server", 3],
];

const ALL = [
  ...ENDINGS.map((ending) => ["host-server", ...ending] as const),
  ...ENDINGS.slice(0, 1).map((ending) => ["guest-server", ...ending] as const),
  ["guest-server", "stream/close/keeps-data", "pass", []] as const,
  ["guest-server", "stream/lost/held", "retried", ["run again: its VM was lost"]] as const,
];

const MACHINE = { kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const ENDS: readonly EndFacts[] = [
  { name: "host", ...MACHINE, taint: 0 },
  {
    name: "guest",
    ...MACHINE,
    localCid: 3,
    uname: "Linux 7.3.4 #1 SMP x86_64",
    commandLine: "console=ttyS0 <quiet> x=`y`",
    config: { path: "/proc/config.gz", sha256: "0123456789abcdef".repeat(4) },
    taint: 2 ** 9 + 2 ** 12,
    faultsBefore: [["WARNING: a\u001b[2J at <b>", "Call Trace:"]],
  },
];
const FACTS: RunFacts = {
  tool: VERSION,
  commit: "0123456789abcdef0123456789abcdef01234567-dirty",
  again: ["lab", "--kernel", "./my kernel"],
  lab: {
    kernel: "./my kernel",
    vms: [
      {
        name: "host",
        accelerator: "tcg",
        qemu: "QEMU emulator version 10.0.2",
        command: ["/usr/bin/qemu-system-x86_64", "-append", "console=ttyS0 quiet"],
        console: "/cache/host.log",
      },
      { name: "guest", console: "/cache/guest.log" },
    ],
  },
};

function infoOf(id: string): CaseInfo {
  const binding = id.endsWith("ends") ? "SHOULD" : "MUST";
  const ported = id.endsWith("kept") ? [upstream("SOCK_SEQPACKET msg bounds")] : [];
  return {
    id,
    title: `<b>${id}</b> & more`,
    requirement: `it ${binding} work`,
    refs: [man("recv", 2, "x"), ...ported],
  };
}

/** The plan of the run. */
export const EXAMPLE_PLAN: readonly Planned[] = ALL.map(([direction, id]) => ({
  case: infoOf(id),
  direction,
}));

/**
 * Plays the run; `stopAfter` cases of it, where it is to be stopped, and `during` the next one
 * rather than before it.
 */
export function playExample(sink: EventSink, stopAfter: number = Infinity, during = false): void {
  sink({ type: "retry", what: "boot", why: "the guest's QEMU ended: \u001b[2Jno" });
  sink({
    type: "run-start",
    topology: "guest-host",
    seed: 42,
    total: ALL.length,
    ends: ENDS,
    ...FACTS,
  });
  const verdicts: Verdict[] = [];
  const begin = ([direction, id]: typeof ALL[number]) => {
    const run = { number: verdicts.length + 1, id, direction };
    sink({ type: "case-start", run, title: infoOf(id).title });
    return run;
  };
  for (const entry of ALL.slice(0, stopAfter)) {
    const run = begin(entry);
    const verdict = verdictOf(entry[2], entry[3], 10 ** verdicts.length);
    sink({ type: "case-end", run, title: infoOf(run.id).title, verdict });
    verdicts.push(verdict);
  }
  const next = ALL[verdicts.length];
  if (next !== undefined) {
    if (during) begin(next);
    sink({ type: "run-stopped", reason: "interrupted", notRun: ALL.length - verdicts.length });
  }
  sink({ type: "run-end", counts: countOutcomes(verdicts), milliseconds: 184_000 });
}

function verdictOf(outcome: Outcome, reasons: readonly string[], milliseconds: number): Verdict {
  if (outcome === "skip") return { outcome, reasons, milliseconds };
  const state = outcome === "warn" || outcome === "expected-fail"
    ? "fail"
    : outcome === "unexpected-pass" || outcome === "retried"
    ? "pass"
    : outcome;
  const server = { state: "pass", reasons: [], step: "", milliseconds: 1 } as const;
  const step = state === "pass" ? "" : "recv(3, 1, 0)";
  return { outcome, reasons, milliseconds, sides: { client: { ...server, state, step }, server } };
}

const SETTING: RunSetting = {
  argv: ["run", "--peer-cid", "3"],
  startedAt: new Date("2026-03-01T12:00:00.000Z"),
  caseTimeout: 10_000,
  plan: EXAMPLE_PLAN,
};

/** The report where the run did not begin. */
export function exampleNotStarted(reason: string): RunReport {
  const intended = { ...SETTING, topology: "guest-host", seed: 42 } as const;
  return { ...reportNotStarted(intended, reason), milliseconds: 2000 };
}

/** The report of the run, or of its beginning. */
export function exampleReport(stopAfter?: number, during?: boolean): RunReport {
  const builder = new ReportBuilder(SETTING);
  playExample(builder.sink, stopAfter, during);
  const report = builder.report();
  if (report === undefined) throw new Error("the example did not begin");
  return report;
}
