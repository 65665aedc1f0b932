/**
 * The run as people watch it: a line for every verdict as it falls, the reasons below it.
 *
 * @module
 */
import { styleText } from "node:util";
import { cleanLines, oneLine } from "../core/clean.ts";
import type { RunEvent } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { reasonOf } from "../core/reason.ts";
import { type Round, RoundTable } from "../core/round.ts";
import { countsText, DIRECTION_TEXT, duration, endText } from "./text.ts";

/** Where the text goes. */
export interface Screen {
  /** Writes text as it is. */
  write(text: string): void;
  /** Whether a line can be written over, and colours are welcome. */
  readonly live: boolean;
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
  #direction: Direction | undefined;
  #total = 0;
  #round: Pick<Round, "number" | "seed"> = { number: 1, seed: 0 };
  /** There where a run has several rounds. */
  #rounds: RoundTable | undefined;

  /** A writer for one run, on a screen. */
  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Takes the next event. */
  readonly sink = (event: RunEvent): void => {
    switch (event.type) {
      case "run-start":
        this.#total = event.total;
        for (const end of event.ends) this.#line(oneLine(endText(end)));
        this.#line(`${event.total} cases, seed ${event.seed}`);
        break;
      case "round-start": {
        const { round, rounds, seed } = event;
        this.#rounds ??= new RoundTable();
        this.#round = { number: round, seed };
        this.#direction = undefined;
        const of = rounds === undefined ? "" : ` of ${rounds}`;
        this.#line(this.#style("bold", `\nround ${round}${of}, seed ${seed}`));
        break;
      }
      case "case-start":
        if (this.#round.number === 1) this.#startDirection(event.run.direction);
        if (this.#screen.live) {
          const progress = `${event.run.number}/${this.#total}`;
          this.#screen.write(`  ${this.#style("dim", "....")}  ${event.run.id} (${progress})`);
        }
        break;
      case "case-end": {
        const { outcome, reasons, milliseconds } = event.verdict;
        const [label, colour] = LABELS[outcome];
        const width = TIME_WIDTH - label.length;
        const time = this.#style("dim", duration(milliseconds).padStart(width));
        this.#clear();
        this.#rounds?.of(event.run).add(event.verdict, this.#round);
        if (this.#round.number > 1 && QUIET.has(outcome)) break;
        this.#startDirection(event.run.direction);
        this.#line(`  ${this.#style(colour, label)}  ${time}  ${event.run.id}`);
        for (const reason of reasons) this.#line(`                  ${oneLine(reason)}`);
        break;
      }
      case "run-not-started":
        this.#line(`did not start: ${oneLine(event.reason)}`);
        break;
      case "run-stopped":
        this.#clear();
        this.#line(`\nstopped: ${oneLine(event.reason)} (${event.notRun} cases did not run)`);
        break;
      case "run-end":
        this.#flaky();
        this.#line(`\n${countsText(event.counts)} in ${duration(event.milliseconds)}`);
        break;
    }
  };

  #startDirection(direction: Direction): void {
    if (direction === this.#direction) return;
    this.#direction = direction;
    this.#line(`\n${this.#style("bold", direction)}: ${DIRECTION_TEXT[direction]}`);
  }

  /** Names the cases whose outcome differed from round to round. */
  #flaky(): void {
    if (this.#rounds === undefined) return;
    const flaky = this.#rounds.flaky();
    this.#line(`\n${flaky.length} flaky`);
    for (const { run, rounds } of flaky) {
      this.#line(`  ${run.id} (${run.direction})`);
      this.#line(`                  ${oneLine(rounds.verdict?.reasons[0] ?? "")}`);
    }
  }

  #line(text: string): void {
    this.#screen.write(`${text}\n`);
  }

  #clear(): void {
    if (this.#screen.live) this.#screen.write("\r\x1b[2K");
  }

  #style(format: Parameters<typeof styleText>[0], text: string): string {
    return this.#screen.live ? styleText(format, text, { validateStream: false }) : text;
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

/** Standard output or standard error as a screen; its `write` throws {@linkcode OutputError}. */
export function screenOf(stream: StandardStream): Screen {
  const encoder = new TextEncoder();
  return {
    live: stream.isTerminal() && !Deno.noColor,
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
