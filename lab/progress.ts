/**
 * Shows what the lab is doing, and how long each phase took.
 *
 * @module
 */
import { cleanLines, oneLine } from "../core/clean.ts";
import type { Screen } from "../report/screen.ts";
import { duration } from "../core/duration.ts";

/** How often the status line on a terminal is updated, in milliseconds. */
const LIVE_PAUSE = 500;
/** How often the status is logged if the output is not a terminal, in milliseconds. */
const PLAIN_PAUSE = 5000;

/** A phase that has not finished. */
interface Phase {
  readonly text: string;
  readonly started: number;
  detail: string;
}

/** Receives the progress of a phase, such as "12 of 35 MB". */
export type Detail = (text: string) => void;

/**
 * Shows phases, several of which may run at the same time, and records how long they took. Its
 * signal ends them all.
 */
export class Progress {
  readonly #screen: Screen;
  /** Aborted when what is being prepared is no longer needed. */
  readonly stop: AbortSignal;
  readonly #started = performance.now();
  readonly #phases: [string, number][] = [];
  readonly #open = new Set<Phase>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(screen: Screen, stop: AbortSignal = new AbortController().signal) {
    this.#screen = screen;
    this.stop = stop;
  }

  /** Writes one line. */
  log(text: string): void {
    this.#line(`lab: ${text}`);
  }

  /**
   * Runs a phase, and shows its progress and how long it took.
   *
   * @param name the phase's name in {@linkcode summary}.
   * @param body may report its progress.
   */
  async phase<T>(name: string, text: string, body: (detail: Detail) => Promise<T>): Promise<T> {
    this.stop.throwIfAborted();
    const phase: Phase = { text, started: performance.now(), detail: "" };
    this.#open.add(phase);
    this.#show();
    this.#tick();
    const close = (how: string) => {
      const time = performance.now() - phase.started;
      this.#open.delete(phase);
      this.#tick();
      this.#line(`lab: ${text} ... ${how}${duration(time)}`);
      return time;
    };
    try {
      const result = await body((detail) => {
        phase.detail = detail;
      });
      this.#phases.push([name, close("")]);
      return result;
    } catch (error) {
      close(this.stop.aborted ? "stopped after " : "failed after ");
      throw error;
    }
  }

  /** Writes a permanent line above the status line. */
  #line(text: string): void {
    this.#screen.write(`${this.#screen.live ? "\r\x1b[2K" : ""}${cleanLines(text)}\n`);
    this.#show();
  }

  #show(): void {
    if (!this.#screen.live || this.#open.size === 0) return;
    const text = `lab: ${[...this.#open].map(goingOn).join("; ")}`;
    const width = columns() - 1;
    const shown = text.length > width ? `${text.slice(0, width - 1)}…` : text;
    this.#screen.write(`\r\x1b[2K${shown}`);
  }

  /** Runs a timer while there are open phases. */
  #tick(): void {
    if (this.#open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const { live } = this.#screen;
    this.#timer ??= setInterval(() => {
      if (live) this.#show();
      else this.#logOpen();
    }, live ? LIVE_PAUSE : PLAIN_PAUSE);
  }

  /** Writes one line about all phases that have been running for a while. */
  #logOpen(): void {
    const long = [...this.#open].filter(({ started }) =>
      performance.now() - started > PLAIN_PAUSE / 2
    );
    if (long.length > 0) this.#screen.write(`lab: (${long.map(goingOn).join("; ")})\n`);
  }

  /** The time from the command to the first verdict, and how it was spent. */
  summary(): string {
    const total = performance.now() - this.#started;
    const parts = this.#phases.map(([name, time]) => `${name} ${duration(time)}`);
    return `first verdict after ${duration(total)} (${parts.join(", ")})`;
  }
}

/** Options for cached(), for the case that another process is making the same entry. */
export function waiting(progress: Progress) {
  return { signal: progress.stop, onWait: (what: string) => progress.log(what) };
}

function goingOn({ text, started, detail }: Phase): string {
  const time = `${Math.round((performance.now() - started) / 1000)} s`;
  return oneLine(`${text}: ${detail === "" ? time : `${time}, ${detail}`}`);
}

/** The width of the terminal. */
function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80;
  }
}
