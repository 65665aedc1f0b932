/**
 * Plays programs of calls on an agent, for exploring.
 *
 * @module
 */
import { ExpectedError, reasonOf } from "../core/error.ts";
import type { SideReport } from "../core/outcome.ts";
import type { SocketCall } from "../core/socket_call.ts";
import { decodePlayed, encodeProgram, NO_MORE, PUPPET, READY } from "../control/puppet_wire.ts";
import type { Played, Program } from "../control/puppet_wire.ts";
import type { Player } from "../explore/explore.ts";
import type { End } from "../runner/end.ts";

/** The timeout of a program, whose calls may block for a moment each, in milliseconds. */
const PLAY_TIME = 30_000;

/** The puppet is lost, or reports that it cannot continue. */
export class PuppetLostError extends ExpectedError {
  override readonly name = "PuppetLostError";
  /** Its agent's report. */
  readonly report: SideReport;
  /** The calls of the program that was running. */
  readonly calls: readonly SocketCall[];

  constructor(report: SideReport, calls: readonly SocketCall[]) {
    super(`the agent makes no more calls: ${report.reasons.join("; ")}`);
    this.report = report;
    this.calls = calls;
  }
}

/** A program that was sent to an agent. */
interface Under {
  readonly calls: readonly SocketCall[];
  readonly played: PromiseWithResolvers<Played>;
}

/** Plays programs on an agent, which answers them in order. */
export class PuppetPlayer implements Player {
  readonly #end: End;
  readonly #run: number;
  readonly #under: Under[] = [];
  /** Lines to be sent as soon as the agent is ready; undefined after that. */
  #early: string[] | undefined = [];
  readonly #report: Promise<SideReport>;
  #lost: PuppetLostError | undefined;
  #isEnding = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts the puppet on an agent.
   *
   * @param port the first of the AF_VSOCK ports that programs use.
   * @param milliseconds how long the puppet may be used.
   */
  constructor(end: End, port: number, milliseconds: number, run = 1) {
    this.#end = end;
    this.#run = run;
    const start = { type: "start", run, id: PUPPET, role: "client", port, seed: 0 } as const;
    this.#report = end.run({ ...start, timeout: milliseconds }, {
      onLine: (line) => this.#answer(line),
      // A report follows.
      onLost: () => {},
    });
    this.#report.then((report) => {
      this.#lost = new PuppetLostError(report, this.#under[0]?.calls ?? []);
      for (const { played } of this.#under.splice(0)) played.reject(this.#lost);
    });
  }

  play(program: Program): Promise<Played> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const played = Promise.withResolvers<Played>();
    this.#under.push({ calls: program.calls, played });
    this.#send(encodeProgram(program));
    return played.promise;
  }

  /** Stops the puppet, and waits for the agent's report, which includes faults of its kernel. */
  async end(): Promise<SideReport> {
    this.#isEnding = true;
    this.#send(NO_MORE);
    const report = await this.#report;
    clearTimeout(this.#timer);
    return report;
  }

  #send(text: string): void {
    if (this.#early === undefined) this.#end.order({ type: "line", run: this.#run, text });
    else this.#early.push(text);
    this.#watch();
  }

  #answer(line: string): void {
    if (line === READY) {
      const early = this.#early ?? [];
      this.#early = undefined;
      early.forEach((text) => this.#send(text));
      return;
    }
    const first = this.#under.shift();
    this.#watch();
    if (first === undefined) return;
    try {
      first.played.resolve(decodePlayed(line, first.calls.length));
    } catch (error) {
      first.played.reject(error);
      this.#end.abandon(reasonOf(error));
    }
  }

  /** Gives up if the agent does not answer in time. */
  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#under.length === 0 && !this.#isEnding) return;
    const why = `it did not answer a program within ${PLAY_TIME / 1000} s`;
    this.#timer = setTimeout(() => this.#end.abandon(why), PLAY_TIME);
  }

  /** Stops waiting for answers; the agent is to be closed. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
