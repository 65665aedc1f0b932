/**
 * Sockets whose connections are wrong: how they begin, how they end, and what close() does.
 *
 * @module
 */
import { POLLRDHUP } from "../../sys/constants.ts";
import { call, type Completion } from "../../sys/libc.ts";
import type { RawMemory, Socket } from "../../sys/socket.ts";
import { type Address, type Bytes, bytes } from "../../sys/structs.ts";
import {
  errsWith,
  failsAfterwards,
  failure,
  type Mutate,
  neverFails,
  replacing,
} from "./mutation.ts";

export const connectRefused = errsWith("connect", "ECONNRESET", "ECONNREFUSED");
export const connectAnyway = neverFails("connect", () => {});
export const closeFails = failsAfterwards("close", "EIO");

/** A socket whose connect() failed once fails for ever. */
export const oneFailureIsForEver: Mutate = (Base) =>
  class extends Base {
    #failed = false;

    override async connect(address: Address): Promise<void> {
      if (this.#failed) throw failure("connect(3)", "EINVAL");
      await super.connect(address).catch((error) => {
        this.#failed = true;
        throw error;
      });
    }
  };

/** The port of a socket stays taken once that is closed. */
export const portStaysTaken: Mutate = (Base) => {
  const taken = new Set<number>();
  return class extends Base {
    override bind(address: Address): void {
      if (taken.has(address.port)) throw failure("bind(3)", "EADDRINUSE");
      super.bind(address);
      taken.add(address.port);
    }
  };
};

/** Whatever is counted may happen once, whichever socket does it. */
const once = (call: string) => {
  let made = 0;
  return () => {
    if (made++ > 0) throw failure(call, "ECONNRESET");
  };
};

export const connectOnce: Mutate = (Base) => {
  const count = once("connect(3)");
  return class extends Base {
    override async connect(address: Address): Promise<void> {
      count();
      await super.connect(address);
    }
  };
};

/** Only one accept() succeeds. */
export const acceptOnce: Mutate = (Base) => {
  const count = once("accept4(3)");
  return class extends Base {
    override async accept(): ReturnType<Socket["accept"]> {
      count();
      return await super.accept();
    }
  };
};

/** Every connection after the fiftieth carries another byte. */
export const lateConnectionsErr: Mutate = (Base) => {
  let made = 0;
  return class extends Base {
    #number = made++;

    override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
      const count = await super.recv(into, flags);
      if (into instanceof Uint8Array && this.#number >= 50) into[0] = 0;
      return count;
    }
  };
};

/** What came before the end is dropped when the end comes. */
export const closeDropsData: Mutate = (Base) =>
  class extends Base {
    override async poll(events?: number, milliseconds?: number): Promise<number> {
      const revents = await super.poll(events, milliseconds);
      if (revents & POLLRDHUP) await super.recv(bytes(4096));
      return revents;
    }
  };

/** close() returns and the connection stays. */
export const closeEndsNothing: Mutate = (Base) =>
  class extends Base {
    override close(): Promise<Completion> {
      // Its file has another descriptor, as after fork(2), so that the connection goes on.
      call("dup", this.fd);
      return super.close();
    }
  };

export const closeTakes = (nanoseconds: bigint): Mutate =>
  replacing("close", async (close) => ({ ...await close(), nanoseconds }));

export const epipeIsReset = errsWith("send", "EPIPE", "ECONNRESET");
export const lingerFails = replacing("setLinger", () => {
  throw failure("setsockopt(3)", "ENOPROTOOPT");
});
