/**
 * What a mutation is: sockets that err on purpose, the case that must notice, and on which side.
 * A mutation changes a class of sockets, whatever family these are of.
 *
 * @module
 */
import type { Role } from "../../core/case.ts";
import type { SideState } from "../../core/outcome.ts";
import { type ErrnoName, errnoNumber, SysError } from "../../sys/errno.ts";
import { TimedSysError } from "../../sys/descriptor.ts";
import type { Surroundings } from "../../kit/environment.ts";
import type { Socket } from "../../sys/socket.ts";
import type { Bytes } from "../../sys/structs.ts";

/** Derives a class of sockets that errs. */
export type Mutate = (Base: typeof Socket) => typeof Socket;

/** Where the cases are played: AF_UNIX in AF_VSOCK's place, or AF_VSOCK on loopback in a VM. */
export type Ground =
  | "unix"
  /** As the lab boots it: a host that has the driver of a guest, too, and no device. */
  | "vsock"
  /** A host without that driver; only where connections lead is another there. */
  | "vsock-host";

/** A wrongness and what is to be noticed of it. */
export interface Mutation {
  /** The case that must notice. */
  readonly id: string;
  /** The side that has the broken sockets. */
  readonly on: Role;
  /** What is broken, to be read after "a client whose" or "a server whose". */
  readonly what: string;
  readonly mutate: Mutate;
  /** What the side that notices must say. */
  readonly reason: RegExp;
  /** The side that must notice. */
  readonly noticed: Role;
  /** How that side ends. */
  readonly state: SideState;
  /** Its deadline in milliseconds, where it notices only by waiting: a shorter one than usual. */
  readonly deadline?: number;
  /** Why it cannot be noticed with the driver of a guest that has no device. */
  readonly unseenWithDriver?: string;
  /** What is broken besides sockets: what else that side runs on. */
  readonly around?: Partial<Surroundings>;
}

/** A mutation as the tables have it; who notices is who has it, and fails, unless they say so. */
export type Row = readonly [
  id: string,
  on: Role,
  what: string,
  mutate: Mutate,
  reason: RegExp,
  more?: Partial<Pick<Mutation, "noticed" | "state" | "deadline" | "unseenWithDriver" | "around">>,
];

/**
 * A wrongness that is not a socket's, such as a ring's or a dump's, and that a test of its own
 * shows.
 */
export interface ShownElsewhere extends Pick<Mutation, "id" | "on" | "what" | "noticed"> {
  /** The file of the test, from the root of the repository. */
  readonly file: string;
  /** What the file has in it of the test's name. */
  readonly test: string;
}

/** The mutations of some rows. */
export function mutationsOf(rows: readonly Row[]): Mutation[] {
  return rows.map(([id, on, what, mutate, reason, more]) => ({
    ...{ id, on, what, mutate, reason, noticed: on, state: "fail" },
    ...more,
  }));
}

/** The error that a call would have failed with, after so many milliseconds. */
export function failure(call: string, name: ErrnoName, milliseconds = 0): TimedSysError {
  const nanoseconds = BigInt(Math.round(milliseconds * 1e6));
  return new TimedSysError(call, { result: -errnoNumber(name), nanoseconds, interrupted: false });
}

/** Whether an error is that of a call which failed with this errno. */
export function failedWith(error: unknown, name: ErrnoName): error is SysError {
  return error instanceof SysError && error.code === name;
}

type Method = {
  [Name in keyof Socket]: Socket[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Socket & string];
type Arguments<M extends Method> = Parameters<Socket[M]>;
type Result<M extends Method> = ReturnType<Socket[M]>;

/**
 * One call does something else.
 *
 * @param body is given the call as it was, then its arguments.
 */
export function replacing<M extends Method>(
  method: M,
  body: (original: (...args: Arguments<M>) => Result<M>, ...args: Arguments<M>) => Result<M>,
): Mutate {
  return (Base) => {
    class Replaced extends Base {}
    const original = Base.prototype[method] as (...args: Arguments<M>) => Result<M>;
    Object.defineProperty(Replaced.prototype, method, {
      value(this: Socket, ...args: Arguments<M>): Result<M> {
        return body((...passed) => original.apply(this, passed), ...args);
      },
    });
    return Replaced;
  };
}

/** Whatever a call fails with is handled otherwise; `handle` gives a result or throws. */
function onFailure<M extends Method>(
  method: M,
  handle: (error: unknown, args: Arguments<M>) => Awaited<Result<M>>,
): Mutate {
  return replacing(method, (original, ...args) => {
    try {
      const result: unknown = original(...args);
      if (!(result instanceof Promise)) return result as Result<M>;
      return result.catch((error) => handle(error, args)) as Result<M>;
    } catch (error) {
      return handle(error, args) as Result<M>;
    }
  });
}

/**
 * A call fails with another errno than it must.
 *
 * @param from the errno that it fails with, or several.
 */
export function errsWith<M extends Method>(
  method: M,
  from: ErrnoName | readonly ErrnoName[],
  to: ErrnoName,
): Mutate {
  return onFailure<M>(method, (error) => {
    for (const name of [from].flat()) {
      if (failedWith(error, name)) throw failure(error.call, to);
    }
    throw error;
  });
}

/** A call never fails; `result` is made from its arguments. */
export function neverFails<M extends Method>(
  method: M,
  result: (...args: Arguments<M>) => Awaited<Result<M>>,
): Mutate {
  return onFailure(method, (_error, args) => result(...args));
}

/** A call is made and then fails all the same. */
export function failsAfterwards<M extends Method>(method: M, name: ErrnoName): Mutate {
  return replacing<M>(method, (original, ...args) => {
    const fail = (): never => {
      throw failure(`${method}(3)`, name);
    };
    const result: unknown = original(...args);
    return result instanceof Promise ? result.then(fail) as never : fail();
  });
}

/** Both, the second on top of the first. */
export function both(first: Mutate, second: Mutate): Mutate {
  return (Base) => second(first(Base));
}

/** An option can be set and is given back, but it changes nothing. */
export function optionWithoutEffect(level: number, option: number): Mutate {
  return (Base) =>
    class extends Base {
      #kept: Bytes | undefined;

      override setsockopt(ofLevel: number, which: number, value: Bytes): void {
        if (ofLevel === level && which === option) this.#kept = value.slice();
        else super.setsockopt(ofLevel, which, value);
      }

      override getsockopt(ofLevel: number, which: number, size: number): Bytes {
        const isIt = ofLevel === level && which === option;
        return isIt && this.#kept ? this.#kept : super.getsockopt(ofLevel, which, size);
      }
    };
}

/** An option is given back as something else than was set. */
export function optionNotKept(level: number, option: number, value: Bytes): Mutate {
  return replacing(
    "getsockopt",
    (original, ofLevel, which, size) =>
      ofLevel === level && which === option ? value.slice() : original(ofLevel, which, size),
  );
}

/** poll() returns at once, and nothing has happened. */
export const pollNeverWakes: Mutate = replacing("poll", () => Promise.resolve(0));
