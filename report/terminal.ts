/**
 * The run as people watch it: a line for every verdict as it falls, the reasons below it.
 *
 * @module
 */
import { styleText } from "node:util";
import type { RunEvent } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { countsText, DIRECTION_TEXT, duration, endText, oneLine } from "./text.ts";

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
  skip: ["skip", "cyan"],
};

/** Folds the events of a run into text. */
export class TerminalWriter {
  readonly #screen: Screen;
  #direction: Direction | undefined;
  #total = 0;

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
      case "case-start":
        if (event.run.direction !== this.#direction) {
          this.#direction = event.run.direction;
          const { direction } = event.run;
          this.#line(`\n${this.#style("bold", direction)}: ${DIRECTION_TEXT[direction]}`);
        }
        if (this.#screen.live) {
          const progress = `${event.run.number}/${this.#total}`;
          this.#screen.write(`  ${this.#style("dim", "....")}  ${event.run.id} (${progress})`);
        }
        break;
      case "case-end": {
        const { outcome, reasons, milliseconds } = event.verdict;
        const [label, colour] = LABELS[outcome];
        const time = this.#style("dim", duration(milliseconds).padStart(8));
        this.#clear();
        this.#line(`  ${this.#style(colour, label)}  ${time}  ${event.run.id}`);
        for (const reason of reasons) this.#line(`                  ${oneLine(reason)}`);
        break;
      }
      case "run-stopped":
        this.#clear();
        this.#line(`\nstopped: ${oneLine(event.reason)} (${event.notRun} cases did not run)`);
        break;
      case "run-end":
        this.#line(`\n${countsText(event.counts)} in ${duration(event.milliseconds)}`);
        break;
    }
  };

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

/** Standard output or standard error as a screen. */
export function screenOf(stream: typeof Deno.stdout | typeof Deno.stderr): Screen {
  const encoder = new TextEncoder();
  return {
    live: stream.isTerminal() && !Deno.noColor,
    write(text) {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
    },
  };
}
