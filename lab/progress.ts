/**
 * What the lab is doing, while it does it, and how long each phase took.
 *
 * @module
 */
import { cleanLines, oneLine } from "../core/clean.ts";
import { duration } from "../report/text.ts";
import type { Screen } from "../report/terminal.ts";

/** Tells people about phases, and keeps their times. */
export class Progress {
  readonly #screen: Screen;
  readonly #started = performance.now();
  readonly #phases: [string, number][] = [];

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** One line of news. */
  say(text: string): void {
    this.#screen.write(`lab: ${cleanLines(text)}\n`);
  }

  /**
   * Does something that takes a while, and says so before and after.
   *
   * @param name the phase's name in {@linkcode summary}.
   */
  async phase<T>(name: string, text: string, body: () => Promise<T>): Promise<T> {
    const started = performance.now();
    this.#screen.write(`lab: ${oneLine(text)} ...`);
    try {
      const result = await body();
      const time = performance.now() - started;
      this.#phases.push([name, time]);
      this.#screen.write(` ${duration(time)}\n`);
      return result;
    } catch (error) {
      this.#screen.write(` failed after ${duration(performance.now() - started)}\n`);
      throw error;
    }
  }

  /** The time since the command was given and what it went into, when the first verdict falls. */
  summary(): string {
    const total = performance.now() - this.#started;
    const rest = total - this.#phases.reduce((sum, [, time]) => sum + time, 0);
    const parts = [...this.#phases, ["first case", rest] as const]
      .map(([name, time]) => `${name} ${duration(time)}`);
    return `first verdict after ${duration(total)} (${parts.join(", ")})`;
  }
}
