/**
 * Claims: what a case says of the implementation. A claim that does not hold is written down and
 * the case goes on, so that one run shows all that is wrong, unless there is nothing to go on with.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";

/** Ends a case whose claim failed in a way that leaves nothing to go on with. */
export class ClaimError extends Error {
  /** Tells it from other errors. */
  override readonly name = "ClaimError";
}

/** An error that carries an errno's name, as SysError does. */
export interface Coded extends Error {
  /** The name, such as `ECONNRESET`. */
  readonly code: string;
}

/** Collects the claims of one side of a case. */
export class Check {
  readonly #mismatches: string[] = [];
  #claims = 0;

  /** What did not hold, one line each. */
  get mismatches(): readonly string[] {
    return this.#mismatches;
  }

  /** How many claims were made. */
  get claims(): number {
    return this.#claims;
  }

  /** Claims that something holds. */
  that(holds: boolean, what: string): void {
    this.#claims++;
    if (!holds) this.#mismatches.push(what);
  }

  /** Claims that a value is what it must be. */
  equal<T>(actual: T, expected: T, what: string): void {
    const holds = isDeepStrictEqual(actual, expected);
    this.that(holds, `${what}: expected ${show(expected)}, got ${show(actual)}`);
  }

  /** Claims that bytes are what they must be, and says where they begin to differ. */
  sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
    const at = expected.findIndex((byte, i) => actual[i] !== byte);
    if (actual.length !== expected.length) {
      this.that(false, `${what}: expected ${expected.length} bytes, got ${actual.length}`);
    } else {
      const hex = (bytes: Uint8Array) => `0x${bytes[at]?.toString(16).padStart(2, "0")}`;
      this.that(at < 0, `${what}: byte ${at} is ${hex(actual)}, expected ${hex(expected)}`);
    }
  }

  /** Claims that a flag is set among others. */
  flag(flags: number, flag: number, what: string): void {
    this.that((flags & flag) !== 0, `${what}: the flag is not set in 0x${flags.toString(16)}`);
  }

  /**
   * Claims that a call fails with one of these errnos.
   *
   * @returns the error, or undefined where the claim did not hold.
   */
  async fails(
    codes: string | readonly string[],
    what: string,
    call: () => unknown,
  ): Promise<Coded | undefined> {
    const expected = typeof codes === "string" ? [codes] : codes;
    try {
      const result = await call();
      this.that(
        false,
        `${what}: expected ${expected.join(" or ")}, but it returned ${show(result)}`,
      );
    } catch (error) {
      if (!isCoded(error)) throw error;
      const holds = expected.includes(error.code);
      this.that(holds, `${what}: expected ${expected.join(" or ")}, got ${error.message}`);
      if (holds) return error;
    }
    return undefined;
  }

  /**
   * Claims that a call succeeds.
   *
   * @returns its result.
   * @throws {ClaimError} where it fails, since then there is no result to go on with.
   */
  async succeeds<T>(what: string, call: () => T | Promise<T>): Promise<T> {
    try {
      const result = await call();
      this.that(true, what);
      return result;
    } catch (error) {
      if (!isCoded(error)) throw error;
      throw this.stop(`${what}: ${error.message}`);
    }
  }

  /** Writes down a claim that did not hold and makes the error that ends the case. */
  stop(what: string): ClaimError {
    this.that(false, what);
    return new ClaimError(what);
  }
}

function isCoded(error: unknown): error is Coded {
  return error instanceof Error && error.name === "SysError";
}

function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "object" && value !== null) {
    return JSON.stringify(value, (_, item) => typeof item === "bigint" ? `${item}` : item);
  }
  return typeof value === "string" ? `"${value}"` : String(value);
}
