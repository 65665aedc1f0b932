/**
 * KTAP, version 1 (Documentation/dev-tools/ktap.rst): one subtest for every direction.
 *
 * @module
 */
import { oneLine } from "../core/clean.ts";
import type { RunEvent } from "../core/event.ts";
import { inBrief, type Outcome, type Verdict } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { factList, retryText, warningsOf } from "./run_facts.ts";
import { endText } from "./text.ts";
import { RetryCount } from "../core/run_facts.ts";

const OK: ReadonlySet<Outcome> = new Set(["pass", "warn", "skip", "retried", "expected-fail"]);

/** Folds the events of a run into KTAP lines. */
export class KtapWriter {
  readonly #write: (line: string) => void;
  readonly #directions: readonly (readonly [Direction, number])[];
  #direction: Direction | undefined;
  #number = 0;
  #group = 0;
  #groupOk = true;
  #groupRan = false;
  readonly #retries = new RetryCount();

  /**
   * A writer for one run.
   *
   * @param directions the directions of the plan in order, each with its number of cases.
   * @param write takes lines without their ends.
   */
  constructor(
    directions: readonly (readonly [Direction, number])[],
    write: (line: string) => void,
  ) {
    this.#directions = directions;
    this.#write = write;
  }

  /** Takes the next event. */
  readonly sink = (event: RunEvent): void => {
    switch (event.type) {
      // KTAP has one result for each case: with several rounds it is written from the report.
      case "round-start":
        break;
      // A line cannot be taken back: withAmended() sees to it that none need be.
      case "case-amended":
        break;
      case "run-start":
        this.#write("KTAP version 1");
        this.#write(`1..${this.#directions.length}`);
        for (const end of event.ends) this.#note(endText(end));
        for (const warning of warningsOf(event.ends)) this.#note(warning);
        for (const [name, value] of factList(event)) this.#note(`${name}: ${value}`);
        this.#write(`# seed: ${event.seed}`);
        break;
      case "run-not-started":
        this.#write("KTAP version 1");
        this.#write(`1..${this.#directions.length}`);
        this.#again();
        this.#write(`Bail out! ${oneLine(event.reason)}`);
        break;
      case "case-start":
        if (event.run.direction !== this.#direction) this.#startGroup(event.run.direction);
        break;
      case "case-end":
        this.#case(event.run.id, event.verdict);
        break;
      case "run-stopped":
        this.#groupOk = false;
        this.#write(`# stopped: ${oneLine(event.reason)} (${event.notRun} cases did not run)`);
        break;
      case "retry":
        this.#retries.add(event);
        break;
      case "run-end":
        this.#endGroup();
        this.#again();
        break;
    }
  };

  #note(text: string): void {
    this.#write(`# ${oneLine(text)}`);
  }

  /** What was done again: outcomes do not say it of what no case needed alone. */
  #again(): void {
    for (const retry of this.#retries.all) this.#note(`done again: ${retryText(retry)}`);
  }

  #startGroup(direction: Direction): void {
    this.#endGroup();
    this.#direction = direction;
    const count = this.#directions.find(([name]) => name === direction)?.[1] ?? 0;
    this.#write("  KTAP version 1");
    // In front of the version the name would open a level of its own for the kernel's parser.
    this.#write(`  # Subtest: ${direction}`);
    this.#write(`  1..${count}`);
  }

  #endGroup(): void {
    if (this.#direction === undefined) return;
    this.#group++;
    const result = `${this.#groupOk ? "ok" : "not ok"} ${this.#group} ${this.#direction}`;
    const isSkipped = this.#groupOk && !this.#groupRan;
    this.#write(isSkipped ? `${result} # SKIP all of its cases were skipped` : result);
    this.#direction = undefined;
    this.#number = 0;
    this.#groupOk = true;
    this.#groupRan = false;
  }

  #case(id: string, verdict: Verdict): void {
    this.#number++;
    if (verdict.outcome !== "skip") this.#groupRan = true;
    if (!OK.has(verdict.outcome)) {
      this.#groupOk = false;
      // A reader takes the diagnostics above a result line for that result's.
      for (const reason of verdict.reasons) this.#write(`  # ${oneLine(reason)}`);
    }
    const result = OK.has(verdict.outcome) ? "ok" : "not ok";
    this.#write(`  ${result} ${this.#number} ${id}${directive(verdict)}`);
  }
}

function directive(verdict: Verdict): string {
  const why = oneLine(inBrief(verdict)).replaceAll("#", "");
  switch (verdict.outcome) {
    case "pass":
    case "fail":
    case "unexpected-pass":
      return "";
    case "expected-fail":
      return ` # XFAIL ${why}`;
    case "warn":
      return ` # warn: ${why}`;
    case "retried":
      return ` # retried: ${why}`;
    case "skip":
      return ` # SKIP ${why}`;
    case "broken":
      return ` # ERROR ${why}`;
    case "timeout":
      return ` # TIMEOUT ${why}`;
  }
}
