/**
 * KTAP on one level, as kselftest's own programs write it (TAP version 13): for readers that know
 * nothing of subtests. docs/kselftest.md says which those are, and how they treat each line.
 *
 * @module
 */
import { oneLine } from "../core/clean.ts";
import type { CaseRun, RunEvent } from "../core/event.ts";
import type { Counts, Outcome, Verdict } from "../core/outcome.ts";
import { factList, retryText, warningsOf } from "./run_facts.ts";
import { endText } from "./text.ts";
import { RetryCount } from "../core/run_facts.ts";

/** What stands behind `#` for each outcome, in front of the time. */
const DIRECTIVES: Readonly<Record<Outcome, string>> = {
  pass: "",
  fail: "",
  "unexpected-pass": "",
  warn: "warn ",
  retried: "retried ",
  // In small letters: netdev's runner takes " # SKIP" anywhere for a skip of the whole program.
  skip: "skip",
  broken: "ERROR ",
  timeout: "TIMEOUT ",
  "expected-fail": "XFAIL ",
};

const OK: ReadonlySet<Outcome> = new Set(["pass", "warn", "skip", "retried", "expected-fail"]);

/** Folds the events of a run into lines on one level. */
export class KtapFlatWriter {
  readonly #write: (line: string) => void;
  readonly #total: number;
  #number = 0;
  #bail: string | undefined;
  readonly #retries = new RetryCount();

  /**
   * A writer for one run.
   *
   * @param total how many cases its plan has, in all directions.
   * @param write takes lines without their ends.
   */
  constructor(total: number, write: (line: string) => void) {
    this.#total = total;
    this.#write = write;
  }

  /** Takes the next event. */
  readonly sink = (event: RunEvent): void => {
    switch (event.type) {
      // As KtapWriter: there is one result for each case.
      case "round-start":
      case "case-start":
        break;
      case "run-start":
        this.#head();
        this.#notes([
          ...event.ends.map(endText),
          ...warningsOf(event.ends),
          ...factList(event).map(([name, value]) => `${name}: ${value}`),
          `seed: ${event.seed}`,
        ]);
        break;
      case "retry":
        this.#retries.add(event);
        break;
      case "run-not-started":
        this.#head();
        this.#notes(this.#retries.all.map((retry) => `done again: ${retryText(retry)}`));
        this.#write(`Bail out! ${harmless(event.reason)}`);
        break;
      case "case-end":
        this.#case(event.run, event.verdict);
        break;
      case "run-stopped":
        this.#bail = `${harmless(event.reason)} (${event.notRun} cases did not run)`;
        break;
      case "run-end":
        this.#notes(this.#retries.all.map((retry) => `done again: ${retryText(retry)}`));
        this.#write(totals(event.counts));
        if (this.#bail !== undefined) this.#write(`Bail out! ${this.#bail}`);
        break;
    }
  };

  #head(): void {
    this.#write("TAP version 13");
    this.#write(`1..${this.#total}`);
  }

  /** Each has a name in front, so that no reader takes it for a result. */
  #notes(lines: readonly string[]): void {
    for (const line of lines) this.#write(`# ${harmless(line)}`);
  }

  #case({ id, direction }: CaseRun, { outcome, reasons, milliseconds }: Verdict): void {
    const name = `${direction}/${id}`;
    // Each names the case: readers differ in whether such a line is of the result above or below.
    if (outcome !== "pass") {
      for (const reason of reasons) this.#write(`# ${name}: ${harmless(reason)}`);
    }
    const result = OK.has(outcome) ? "ok" : "not ok";
    // Nothing more behind "skip": a reader makes that a part of the name.
    const time = outcome === "skip" ? "" : `time=${Math.round(milliseconds)}ms`;
    this.#write(`${result} ${++this.#number} ${name} # ${DIRECTIVES[outcome]}${time}`);
  }
}

/** The last line of a program of kselftest's. */
function totals(counts: Counts): string {
  const { pass, warn, retried, fail, timeout, broken, skip } = counts;
  return `# Totals: pass:${pass + warn + retried} fail:${fail + timeout} ` +
    `xfail:${counts["expected-fail"]} xpass:${counts["unexpected-pass"]} ` +
    `skip:${skip} error:${broken}`;
}

/** Text in which no reader finds a directive, or one of the words that it looks for everywhere. */
function harmless(text: string): string {
  return oneLine(text).replace(/#(?=\s*(?:skip|todo))/gi, "")
    .replace(/\[( ?(?:fail|skip|pass|okay|ok) ?)\]/gi, "($1)")
    .replace(/(?:SKIP|FAIL):/g, (word) => word.toLowerCase());
}
