/**
 * Wrong connections: how they begin, how they end, and what close() does about it.
 *
 * @module
 */
import type { Role } from "../../core/case.ts";
import { POLLRDHUP } from "../../sys/constants.ts";
import { call, type Completion } from "../../sys/libc.ts";
import type { RawMemory, Socket } from "../../sys/socket.ts";
import { type Address, type Bytes, bytes } from "../../sys/structs.ts";
import {
  endIsAReset,
  endIsDataAgain,
  peekShowsOtherData,
  sendFlipsABit,
  sendLosesLastByte,
  sendTakesAnything,
} from "./data.ts";
import {
  errsWith,
  failsAfterwards,
  failure,
  type Mutate,
  neverFails,
  pollNeverWakes,
  replacing,
  type Row,
} from "./mutation.ts";

const connectRefused = errsWith("connect", "ECONNRESET", "ECONNREFUSED");
const connectAnyway = neverFails("connect", () => {});
const closeFails = failsAfterwards("close", "EIO");

/** A socket whose connect() failed once fails for ever. */
const oneFailureIsForEver: Mutate = (Base) =>
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

const connectOnce: Mutate = (Base) => {
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
const lateConnectionsErr: Mutate = (Base) => {
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
const closeDropsData: Mutate = (Base) =>
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

const closeTakes = (nanoseconds: bigint): Mutate =>
  replacing("close", async (close) => ({ ...await close(), nanoseconds }));

const RESET = "stream/connect/refused-without-socket";
const BIND = "stream/connect/refused-by-bound-socket";
const HUNDRED = "stream/connect/hundred-at-once";
const AGAIN = "stream/connect/same-port-again";
const RETRY = "stream/connect/retry-after-failure";
const RACE = "stream/accept-queue/closed-while-connecting";
const CROWD = "stream/accept-queue/closed-all-the-time";
const CLIENT_CLOSE = "stream/close/by-client-keeps-data";
const LEFT = "stream/unread/close-leaves-nothing";
const SERVER_CLOSE = "stream/close/by-server-keeps-data";
const LINGER = "stream/linger/close-after-nothing-sent";
const UNREAD = "stream/linger/no-wait-for-unread";

function closing(id: string, reader: Role, writer: Role): Row[] {
  return [
    [id, reader, "end is a reset", endIsAReset, /ECONNRESET/],
    [id, reader, "end is data again", endIsDataAgain, /after the last byte: expected 0, got 1/],
    [id, reader, "data is lost at the end", closeDropsData, /end of file after 0 bytes/],
    [id, reader, "send() takes anything", sendTakesAnything, /expected EPIPE, but it returned 1/],
    [id, reader, "EPIPE is another errno", epipeIsReset, /expected EPIPE, got send.*ECONNRESET/],
    [id, writer, "send() loses the last byte", sendLosesLastByte, /end of file after 0 bytes/, {
      noticed: reader,
    }],
  ];
}

const epipeIsReset = errsWith("send", "EPIPE", "ECONNRESET");
const lingerFails = replacing("setLinger", () => {
  throw failure("setsockopt(3)", "ENOPROTOOPT");
});

/** Connecting and closing. */
export const CONNECTIONS: readonly Row[] = [
  ...[RESET, BIND].flatMap((id): Row[] => [
    [id, "client", "connect() is refused", connectRefused, /got connect\(.*ECONNREFUSED/],
    [id, "client", "connect() always succeeds", connectAnyway, /but it returned undefined/],
  ]),
  [HUNDRED, "client", "late connections err", lateConnectionsErr, /expected 65, got 0/],
  [HUNDRED, "client", "send() flips a bit", sendFlipsABit, /expected 65, got 64/, {
    noticed: "server",
  }],
  [
    AGAIN,
    "client",
    "closed socket keeps its port",
    portStaysTaken,
    /bind\(\) number 2.*EADDRINUSE/,
  ],
  [AGAIN, "client", "second connect() is reset", connectOnce, /connect\(\) number 2.*RESET/],
  [
    AGAIN,
    "client",
    "bind() does nothing",
    replacing("bind", () => {}),
    /the peer's port, number 1/,
    {
      noticed: "server",
    },
  ],
  [AGAIN, "server", "second accept() fails", acceptOnce, /accept\(\) number 2/],
  [RETRY, "client", "connect() is refused", connectRefused, /got connect\(.*ECONNREFUSED/],
  [RETRY, "client", "connect() always succeeds", connectAnyway, /but it returned undefined/],
  [
    RETRY,
    "client",
    "sockets fail for ever once they failed",
    oneFailureIsForEver,
    /connect\(\) on the same socket.*EINVAL/,
  ],
  [
    RACE,
    "client",
    "connect() times out",
    failsAfterwards("connect", "ETIMEDOUT"),
    /connect.*ETIMEDOUT/,
  ],
  [
    CROWD,
    "client",
    "connect() waits though it must not",
    replacing("connectHere", () => {}),
    /connect\(\) that does not wait: got undefined/,
  ],
  ...closing(CLIENT_CLOSE, "server", "client"),
  ...closing(SERVER_CLOSE, "client", "server"),
  [LINGER, "client", "SO_LINGER is unknown", lingerFails, /setsockopt\(SO_LINGER\).*ENOPROTOOPT/],
  [LINGER, "client", "close() fails", closeFails, /close\(\).*EIO/],
  [LINGER, "client", "close() ends nothing", closeEndsNothing, /had not ended[^]*poll/, {
    noticed: "server",
    state: "timeout",
  }],
  [LEFT, "server", "poll() never wakes up", pollNeverWakes, /POLLIN when all .* not set/],
  [LEFT, "server", "peek shows other data", peekShowsOtherData, /the unread data: byte 0/],
  [LEFT, "server", "close() fails", closeFails, /close\(\).*EIO/],
  [LEFT, "server", "close() ends nothing", closeEndsNothing, /had not ended[^]*poll/, {
    noticed: "client",
    state: "timeout",
  }],
  [LEFT, "client", "send() flips a bit", sendFlipsABit, /the unread data: byte 64/, {
    noticed: "server",
  }],
  [UNREAD, "client", "close() waits for the peer", closeTakes(5_000_000_000n), /took 5.00 s/],
  [UNREAD, "client", "unread data is lost at close()", sendLosesLastByte, /end of file after 0/, {
    noticed: "server",
  }],
  [UNREAD, "client", "close() fails", closeFails, /close\(\).*EIO/],
  [
    UNREAD,
    "client",
    "SIOCOUTQ counts what is unread",
    replacing("ioctlInt", () => 1),
    /after the data arrived: expected 0, got 1/,
  ],
];
