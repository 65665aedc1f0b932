/**
 * The other side of a case, over the control channel.
 *
 * @module
 */
import { type CaseLines, LineQueue, unlessAborted } from "../control/lines.ts";
import type { CallContext } from "../sys/descriptor.ts";

/** How long calls on this thread may follow one another until others run, in milliseconds. */
const MOMENT = 200;

/** Most numbers in a list of the other side's. */
const MAX_NUMBERS = 1000;

/** What ends a wait for the other side, and who is told of each step. */
export type PeerContext = Required<Pick<CallContext, "signal" | "trace" | "begun">>;

/** Talks to the other side in the lines that the kernel's tests use. */
export class Peer {
  readonly #lines: CaseLines;
  readonly #context: PeerContext;
  /** When others ran last, by letOthersRun(). */
  #pause = performance.now();

  /** The other side of one case. */
  constructor(lines: CaseLines, context: PeerContext) {
    this.#lines = lines;
    this.#context = context;
  }

  /** Two, each the other's, for two halves of one side that both run here. */
  halves(): [Peer, Peer] {
    const [one, other] = [new LineQueue(), new LineQueue()];
    const lines = (from: LineQueue, to: LineQueue): CaseLines => ({
      write: (line) => Promise.resolve(to.push(line)),
      read: (signal) => from.read(signal),
    });
    return [new Peer(lines(one, other), this.#context), new Peer(lines(other, one), this.#context)];
  }

  /** Writes a line. */
  async writeln(line: string): Promise<void> {
    const { signal } = this.#context;
    await this.#begin(
      `tell the peer ${line}`,
      () => unlessAborted(this.#lines.write(line), signal),
    );
  }

  /**
   * Waits for a line.
   *
   * @throws {Error} when another one comes.
   */
  async expectln(line: string): Promise<void> {
    const got = await this.#read(`wait for the peer's ${line}`);
    if (got !== line) {
      throw new Error(`expected "${line}" on the control channel, got ${JSON.stringify(got)}`);
    }
  }

  /**
   * Lets others run, where that was not so a moment ago. Whoever makes calls on this thread in a
   * loop has to ask for it: what the other side has to say, its failure above all, is not heard
   * before.
   *
   * @throws the reason of this side's end.
   */
  async letOthersRun(): Promise<void> {
    if (performance.now() - this.#pause < MOMENT) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#pause = performance.now();
    this.#context.signal.throwIfAborted();
  }

  /** Writes how many numbers there are, then each. */
  async writeNumbers(values: readonly number[]): Promise<void> {
    for (const value of [values.length, ...values]) await this.writeUlong(value);
  }

  /** Waits for what {@linkcode writeNumbers} writes. */
  async readNumbers(): Promise<number[]> {
    const values: number[] = [];
    for (let left = await this.readCount(MAX_NUMBERS); left > 0; left--) {
      values.push(Number(await this.readUlong()));
    }
    return values;
  }

  /** Writes a number as a line; numbers are unsigned and have 64 bits. */
  async writeUlong(value: bigint | number): Promise<void> {
    await this.writeln(`${BigInt.asUintN(64, BigInt(value))}`);
  }

  /**
   * Waits for a number.
   *
   * @throws {Error} when the line is none.
   */
  async readUlong(): Promise<bigint> {
    const line = await this.#read("wait for a number from the peer");
    if (!/^\d{1,20}$/.test(line)) {
      throw new Error(`expected a number on the control channel, got ${JSON.stringify(line)}`);
    }
    return BigInt.asUintN(64, BigInt(line));
  }

  /**
   * Waits for how much or how many there will be.
   *
   * @param max no more than this is taken, so that a peer cannot ask for all memory.
   * @throws {Error} when it is more.
   */
  async readCount(max: number): Promise<number> {
    const count = await this.readUlong();
    if (count > max) throw new Error(`the peer says ${count}, where ${max} is the most`);
    return Number(count);
  }

  #read(what: string): Promise<string> {
    return this.#begin(what, () => this.#lines.read(this.#context.signal));
  }

  /** Takes a step that may wait for the other side. */
  #begin<T>(what: string, act: () => Promise<T>): Promise<T> {
    const { trace, begun } = this.#context;
    trace(what);
    const promise = act();
    begun(what, promise);
    return promise;
  }
}
