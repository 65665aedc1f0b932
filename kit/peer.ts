/**
 * The other side of a case, over the control channel.
 *
 * @module
 */
import { type CaseLines, LineQueue, unlessAborted } from "../control/lines.ts";
import type { CallContext } from "../sys/descriptor.ts";

/** How long calls may occupy this thread before other code has to run, in milliseconds. */
const MOMENT = 200;

/** The maximum number of values in a list from the other side. */
const MAX_NUMBERS = 1000;

/** The signal that ends a wait for the other side, and the callback for steps. */
export type PeerContext = Required<Pick<CallContext, "signal" | "trace" | "begun">>;

/** Talks to the other side in the lines that the kernel's tests use. */
export class Peer {
  readonly #lines: CaseLines;
  readonly #context: PeerContext;
  /** When letOthersRun() last let other code run. */
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
   * @throws {Error} if a different line arrives.
   */
  async expectln(line: string): Promise<void> {
    const got = await this.#read(`wait for the peer's ${line}`);
    if (got !== line) {
      throw new Error(`expected "${line}" on the control channel, got ${JSON.stringify(got)}`);
    }
  }

  /**
   * Waits for a line, whatever it says.
   *
   * @param what it is to be, for whoever waits.
   */
  readln(what: string): Promise<string> {
    return this.#read(`wait for ${what} from the peer`);
  }

  /**
   * Lets others run, where that was not so a moment ago. Whoever makes calls on this thread in a
   * loop has to ask for it: what the other side has to say, its failure above all, is not heard
   * before.
   *
   * @throws the reason for which this side ends.
   */
  async letOthersRun(): Promise<void> {
    if (performance.now() - this.#pause < MOMENT) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#pause = performance.now();
    this.#context.signal.throwIfAborted();
  }

  /** Writes a list of numbers: their count, then each. */
  async writeNumbers(values: readonly number[]): Promise<void> {
    for (const value of [values.length, ...values]) await this.writeUlong(value);
  }

  /** Waits for a list written by {@linkcode writeNumbers}. */
  async readNumbers(): Promise<number[]> {
    const values: number[] = [];
    for (let left = await this.readCount(MAX_NUMBERS); left > 0; left--) {
      values.push(Number(await this.readUlong()));
    }
    return values;
  }

  /** Writes an unsigned 64-bit number as a line. */
  async writeUlong(value: bigint | number): Promise<void> {
    await this.writeln(`${BigInt.asUintN(64, BigInt(value))}`);
  }

  /**
   * Waits for a number.
   *
   * @throws {Error} if the line is not a number.
   */
  async readUlong(): Promise<bigint> {
    const line = await this.#read("wait for a number from the peer");
    if (!/^\d{1,20}$/.test(line)) {
      throw new Error(`expected a number on the control channel, got ${JSON.stringify(line)}`);
    }
    return BigInt.asUintN(64, BigInt(line));
  }

  /**
   * Waits for a count or a size.
   *
   * @param max the largest value that is accepted, so that a peer cannot exhaust memory.
   * @throws {Error} if the value is larger.
   */
  async readCount(max: number): Promise<number> {
    const count = await this.readUlong();
    if (count > max) throw new Error(`the peer sent ${count}, but the maximum is ${max}`);
    return Number(count);
  }

  #read(what: string): Promise<string> {
    return this.#begin(what, () => this.#lines.read(this.#context.signal));
  }

  /** Performs a step that may wait for the other side. */
  #begin<T>(what: string, act: () => Promise<T>): Promise<T> {
    const { trace, begun } = this.#context;
    trace(what);
    const promise = act();
    begun(what, promise);
    return promise;
  }
}
