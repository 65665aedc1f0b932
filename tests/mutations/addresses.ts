/**
 * Sockets that are bound, connected or named otherwise than they must be.
 *
 * @module
 */
import { VMADDR_CID_ANY, VMADDR_CID_HOST, VMADDR_CID_LOCAL } from "../../sys/constants.ts";
import type { Address } from "../../sys/structs.ts";
import { failure, type Mutate, neverFails, replacing } from "./mutation.ts";

/** bind() never fails. */
export const bindAnyway = neverFails("bind", () => {});
/** connect() never fails. */
export const connectAnyway = neverFails("connect", () => {});
/** bind() takes every CID for any. */
export const bindIgnoresCid = replacing("bind", (bind, to) => bind({ ...to, cid: VMADDR_CID_ANY }));
/** bind() does nothing. */
export const bindDoesNothing = replacing("bind", () => {});
/** getsockname() gives something else. */
export const namedAs = (name: Partial<Address>) =>
  replacing("getsockname", (getsockname) => ({ ...getsockname(), ...name }));

export const refusesLocalCid = replacing("bind", (bind, to) => {
  if (to.cid === VMADDR_CID_LOCAL) throw failure("bind(3)", "EADDRNOTAVAIL");
  bind(to);
});

/** accept() names another client. */
export const acceptsFrom = (from: Partial<Address>): Mutate =>
  replacing("accept", async (accept) => {
    const { socket, address } = await accept();
    return { socket, address: { ...address, ...from } };
  });

/** A connection comes from another machine than it does. */
export const comesFromHost = replacing("getpeername", (getpeername) => {
  return { ...getpeername(), cid: VMADDR_CID_HOST };
});

/** Unconnected sockets have a peer. */
export const alwaysHasPeer = neverFails("getpeername", () => ({ cid: 2, port: 1 }));

/** A bound socket can be bound elsewhere: the rest of its life it says so. */
export const bindMoves: Mutate = (Base) =>
  class extends Base {
    #moved: Address | undefined;

    override bind(to: Address): void {
      try {
        super.bind(to);
      } catch {
        this.#moved = to;
      }
    }

    override getsockname(): Address {
      return this.#moved ?? super.getsockname();
    }
  };

/** A port is taken at every CID by a socket at one. */
export const portIsTakenEverywhere: Mutate = (Base) => {
  const taken = new Map<number, Set<Address>>();
  return class extends Base {
    #own: Address | undefined;

    override bind(to: Address): void {
      const others = taken.get(to.port) ?? new Set();
      if (others.size > 0) throw failure("bind(3)", "EADDRINUSE");
      super.bind(to);
      taken.set(to.port, others.add(this.#own = to));
    }

    override [Symbol.dispose](): void {
      if (this.#own !== undefined) taken.get(this.#own.port)?.delete(this.#own);
      super[Symbol.dispose]();
    }
  };
};

/** An address without its flags. */
const withoutFlags = ({ cid, port }: Address): Address => ({ cid, port });
export const bindIgnoresFlags = replacing("bind", (bind, to) => bind(withoutFlags(to)));
export const connectIgnoresFlags = replacing("connect", (connect, to) => connect(withoutFlags(to)));
