/**
 * An agent as what exploring needs: somebody who makes the calls of a program.
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

/** A program may wait for so many moments, and for a connection that is not answered, in ms. */
const PLAY_TIME = 30_000;

/** The puppet is lost, or reports that it cannot go on. */
export class PuppetLostError extends ExpectedError {
  override readonly name = "PuppetLostError";
  /** What its agent reports. */
  readonly report: SideReport;
  /** The calls of the program that was under way. */
  readonly calls: readonly SocketCall[];

  constructor(report: SideReport, calls: readonly SocketCall[]) {
    super(`the agent makes no more calls: ${report.reasons.join("; ")}`);
    this.report = report;
    this.calls = calls;
  }
}

/** A program that has been given to an agent. */
interface Under {
  readonly calls: readonly SocketCall[];
  readonly played: PromiseWithResolvers<Played>;
}

/** Plays programs on an agent, which answers them in order. */
export class PuppetPlayer implements Player {
  readonly #end: End;
  readonly #run: number;
  readonly #under: Under[] = [];
  /** What is to be sent as soon as the agent takes it; undefined from then on. */
  #early: string[] | undefined = [];
  readonly #report: Promise<SideReport>;
  #lost: PuppetLostError | undefined;
  #isEnding = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Has an agent take programs.
   *
   * @param port the first of the AF_VSOCK ports that they use.
   * @param milliseconds how long that may last at most.
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

  /** Has no more programs, and waits for what the agent says at last: faults of its kernel, too. */
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

  /** Gives up an agent that does not answer in time. */
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
