/**
 * What the lab is doing, while it does it, and how long each phase took.
 *
 * @module
 */
import { cleanLines, oneLine } from "../core/clean.ts";
import type { Screen } from "../report/screen.ts";
import { duration } from "../core/duration.ts";

/** How often a line that can be overwritten is updated, in milliseconds. */
const LIVE_PAUSE = 500;
/** How often a line about what is under way is written elsewhere, in milliseconds. */
const PLAIN_PAUSE = 5000;

/** A phase that is under way. */
interface Phase {
  readonly text: string;
  readonly started: number;
  detail: string;
}

/** Takes how far a phase is: "12 of 35 MB". */
export type Detail = (text: string) => void;

/**
 * Shows phases, several of which may be under way at once, and keeps their times. It carries the
 * signal that ends them all.
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
   * Does something that takes a while, and shows that it goes on and how long it took.
   *
   * @param name the phase's name in {@linkcode summary}.
   * @param body may report how far it is.
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

  /** A line that stays, above the one that shows what is under way. */
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

  /** Keeps a timer while something is under way. */
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

  /** Writes one line for all that has been under way for a while. */
  #logOpen(): void {
    const long = [...this.#open].filter(({ started }) =>
      performance.now() - started > PLAIN_PAUSE / 2
    );
    if (long.length > 0) this.#screen.write(`lab: (${long.map(goingOn).join("; ")})\n`);
  }

  /** The time from the command to the first verdict, and what it was spent on. */
  summary(): string {
    const total = performance.now() - this.#started;
    const parts = this.#phases.map(([name, time]) => `${name} ${duration(time)}`);
    return `first verdict after ${duration(total)} (${parts.join(", ")})`;
  }
}

/** How something is waited for that another process is making, for cached(). */
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
