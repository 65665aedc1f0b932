/**
 * The run as people watch it: a line for every verdict as it falls, the reasons below it.
 *
 * @module
 */
import { styleText } from "node:util";
import { cleanLines, oneLine } from "../core/clean.ts";
import type { CaseRun, RunEvent } from "../core/event.ts";
import type { Outcome, Verdict } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { reasonOf } from "../core/reason.ts";
import { type Round, RoundTable } from "../core/round.ts";
import { againText, factList, RetryCount, warningsOf } from "./run_facts.ts";
import { type Ended, summaryLines } from "./summary.ts";
import { countsText, DIRECTION_TEXT, duration, endText } from "./text.ts";

/** Where the text goes. */
export interface Screen {
  /** Writes text as it is. */
  write(text: string): void;
  /** Whether a line can be written over. */
  readonly live: boolean;
  /** Whether colours are welcome; they are not where nothing says so. */
  readonly colour?: boolean;
  /** How many characters a line has now, where that is known. */
  readonly columns?: () => number | undefined;
}

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

/** Standard output or standard error. */
type StandardStream = typeof Deno.stdout | typeof Deno.stderr;

/** Standard output or standard error takes no more. */
export class OutputError extends Error {
  override readonly name = "OutputError";
  /** Whether that is because whoever read it has gone away, as `head` does. */
  readonly unread: boolean;

  constructor(stream: StandardStream, cause: unknown) {
    const name = stream === Deno.stderr ? "standard error" : "standard output";
    const unread = cause instanceof Deno.errors.BrokenPipe;
    const why = `Cannot write to ${name}: ${reasonOf(cause)}`;
    super(unread ? `nobody reads ${name} any more` : why, { cause });
    this.unread = unread;
  }
}

/**
 * Writes bytes to the end.
 *
 * @throws {OutputError} where that cannot be.
 */
export function writeTo(stream: StandardStream, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    throw new OutputError(stream, error);
  }
}

/** What a stream can show: where it goes, what $TERM calls that, and whether NO_COLOR is set. */
export function featuresOf(
  stream: { isTerminal: boolean; kind: string | undefined; noColour: boolean },
): Pick<Screen, "live" | "colour"> {
  // A dumb terminal would show the sequences as they are.
  const live = stream.isTerminal && stream.kind !== "dumb";
  return { live, colour: live && !stream.noColour };
}

/** What $TERM says, where this process may know. */
function kindOfTerminal(): string | undefined {
  try {
    return Deno.env.get("TERM");
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** How wide the terminal is now, where there is one. */
function columnsOf(): number | undefined {
  try {
    const { columns } = Deno.consoleSize();
    return columns === 0 ? undefined : columns;
  } catch {
    return undefined;
  }
}

/** Standard output or standard error as a screen; its `write` throws {@linkcode OutputError}. */
export function screenOf(stream: StandardStream): Screen {
  const encoder = new TextEncoder();
  return {
    ...featuresOf({
      isTerminal: stream.isTerminal(),
      kind: kindOfTerminal(),
      noColour: Deno.noColor,
    }),
    columns: columnsOf,
    write: (text) => writeTo(stream, encoder.encode(text)),
  };
}

/** Says something on standard error, whoever it is from. Where nobody reads that, there is nobody to be told. */
export function mention(text: string): void {
  try {
    writeTo(Deno.stderr, new TextEncoder().encode(cleanLines(text)));
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
  }
}
