/**
 * The run as people watch it: a line for every verdict as it falls, the reasons below it.
 *
 * @module
 */
import { styleText } from "node:util";
import { oneLine } from "../core/clean.ts";
import type { CaseRun, RunEvent } from "../core/event.ts";
import type { Outcome, Verdict } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { type Round, RoundTable } from "../core/round.ts";
import { againText, factList, warningsOf } from "./run_facts.ts";
import { type Ended, summaryLines } from "./summary.ts";
import { countsText, DIRECTION_TEXT, endText } from "./text.ts";
import type { Screen } from "./screen.ts";
import { duration } from "../core/duration.ts";
import { RetryCount } from "../core/run_facts.ts";

/** How a run is shown. */
export interface ShownAs {
  /** Only what did not do well, and the end. */
  readonly quiet?: boolean | undefined;
  /** With all that is known of what the run was made on, as a report has it. */
  readonly full?: boolean | undefined;
}

const LABELS: Readonly<Record<Outcome, readonly [string, Parameters<typeof styleText>[0]]>> = {
  pass: ["pass", "green"],
  fail: ["FAIL", ["bold", "red"]],
  timeout: ["TIME", ["bold", "red"]],
  broken: ["BRKN", ["bold", "magenta"]],
  warn: ["warn", "yellow"],
  retried: ["retry", "yellow"],
  skip: ["skip", "cyan"],
  "expected-fail": ["xfail", "cyan"],
  "unexpected-pass": ["XPASS", ["bold", "red"]],
};

/** A label and a time together, in columns. */
const TIME_WIDTH = 12;

/** What is not worth a line when a case comes to it again. */
const QUIET: ReadonlySet<Outcome> = new Set(["pass", "skip", "expected-fail"]);

/** Folds the events of a run into text. */
export class TerminalWriter {
  readonly #screen: Screen;
  readonly #as: ShownAs;
  #direction: Direction | undefined;
  #start: Extract<RunEvent, { type: "run-start" }> | undefined;
  #round: Pick<Round, "number" | "seed"> | undefined;
  readonly #cases = new RoundTable();
  readonly #retries = new RetryCount();
  #stopped: string | undefined;

  /** A writer for one run, on a screen. */
  constructor(screen: Screen, as: ShownAs = {}) {
    this.#screen = screen;
    this.#as = as;
  }

  /** Takes the next event. */
  readonly sink = (event: RunEvent): void => {
    switch (event.type) {
      case "run-start":
        this.#head(this.#start = event);
        break;
      case "round-start": {
        const { round, rounds, seed } = event;
        this.#round = { number: round, seed };
        this.#direction = undefined;
        const of = rounds === undefined ? "" : ` of ${rounds}`;
        this.#line(this.#style("bold", `\nround ${round}${of}, seed ${seed}`));
        break;
      }
      case "case-start":
        this.#begun(event.run);
        break;
      case "case-end":
        this.#ended(event.run, event.verdict, event.seed);
        break;
      case "case-amended":
        this.#cases.of(event.run).amend(event.verdict);
        this.#show(event.run, event.verdict);
        break;
      case "retry":
        this.#retries.add(event);
        break;
      case "run-not-started":
        this.#line(`did not start: ${oneLine(event.reason)}`);
        for (const line of summaryLines([], this.#retries.all, String)) this.#line(line);
        break;
      case "run-stopped":
        this.#clear();
        this.#stopped = `stopped: ${oneLine(event.reason)} (${event.notRun} cases did not run)`;
        break;
      case "run-end":
        this.#end(event);
        break;
    }
  };

  #head(event: Extract<RunEvent, { type: "run-start" }>): void {
    const { quiet, full } = this.#as;
    if (!quiet) this.#lines(event.ends.map(endText));
    this.#lines(warningsOf(event.ends));
    if (full) this.#lines(factList(event).map(([name, value]) => `${name}: ${value}`));
    if (!quiet) this.#line(`${event.total} cases, seed ${event.seed}`);
  }

  #begun({ id, number, direction }: CaseRun): void {
    if (this.#isFirstRound && !this.#as.quiet) this.#startDirection(direction);
    if (!this.#screen.live) return;
    // Several may be under way at once: the line has the last that began.
    this.#clear();
    const text = `  ....  ${id} (${number}/${this.#start?.total ?? 0})`;
    // A line that wraps cannot be written over.
    const room = (this.#screen.columns?.() ?? Infinity) - 1;
    const shown = text.length <= room ? text : text.slice(0, Math.max(room, 0));
    this.#screen.write(this.#style("dim", shown.slice(0, 6)) + shown.slice(6));
  }

  #ended(run: CaseRun, verdict: Verdict, seed = this.#start?.seed ?? 0): void {
    this.#cases.of(run).add(verdict, this.#round ?? { number: 1, seed });
    const isQuiet = (!this.#isFirstRound || this.#as.quiet) && QUIET.has(verdict.outcome);
    if (isQuiet) this.#clear();
    else this.#show(run, verdict);
  }

  #show(run: CaseRun, { outcome, reasons, milliseconds }: Verdict): void {
    this.#clear();
    this.#startDirection(run.direction);
    const [label] = LABELS[outcome];
    const time = this.#style("dim", duration(milliseconds).padStart(TIME_WIDTH - label.length));
    this.#line(`  ${this.#label(outcome)}  ${time}  ${run.id}`);
    for (const reason of reasons) this.#line(`                  ${oneLine(reason)}`);
  }

  #end({ counts, milliseconds }: Extract<RunEvent, { type: "run-end" }>): void {
    if (this.#round !== undefined) this.#flaky();
    const ended = this.#cases.all().flatMap(({ run, rounds: { verdict, seed } }): Ended[] => {
      if (verdict === undefined) return [];
      const again = againText(this.#start ?? {}, { ...run, seed });
      return [{ run, verdict, ...(again === undefined ? {} : { again }) }];
    });
    const retries = this.#retries.all;
    const lines = summaryLines(ended, retries, (outcome) => this.#label(outcome));
    for (const line of lines) this.#line(line);
    if (this.#stopped !== undefined) this.#line(`\n${this.#stopped}`);
    const again = retries.reduce((sum, { times = 1 }) => sum + times, 0);
    const often = again === 0 ? "" : `; ${again} done again`;
    this.#line(`\n${countsText(counts)} in ${duration(milliseconds)}${often}`);
  }

  #startDirection(direction: Direction): void {
    if (direction === this.#direction) return;
    this.#direction = direction;
    this.#line(`\n${this.#style("bold", direction)}: ${DIRECTION_TEXT[direction]}`);
  }

  /** Names the cases whose outcome differed from round to round. */
  #flaky(): void {
    const flaky = this.#cases.flaky();
    this.#line(`\n${flaky.length} flaky`);
    for (const { run, rounds } of flaky) {
      this.#line(`  ${run.id} (${run.direction})`);
      this.#line(`                  ${oneLine(rounds.verdict?.reasons[0] ?? "")}`);
    }
  }

  get #isFirstRound(): boolean {
    return this.#round === undefined || this.#round.number === 1;
  }

  #label(outcome: Outcome): string {
    const [label, colour] = LABELS[outcome];
    return this.#style(colour, label);
  }

  #lines(lines: readonly string[]): void {
    for (const line of lines) this.#line(oneLine(line));
  }

  #line(text: string): void {
    this.#screen.write(`${text}\n`);
  }

  #clear(): void {
    if (this.#screen.live) this.#screen.write("\r\x1b[2K");
  }

  #style(format: Parameters<typeof styleText>[0], text: string): string {
    return this.#screen.colour ? styleText(format, text, { validateStream: false }) : text;
  }
}
