/**
 * Wrong accounts of what is queued, and wrong sockets on their way between transports.
 *
 * @module
 */
import type { Address } from "../../sys/structs.ts";
import { sendLosesLastByte } from "./data.ts";
import {
  errsWith,
  failedWith,
  failure,
  type Mutate,
  neverFails,
  replacing,
  type Row,
} from "./mutation.ts";

const RELEASE = "transport/change/release-of-unbound-socket";
const INTERRUPTED = "transport/change/after-interrupted-connect";

/** What asks before a case whether there is such an ioctl uses connectHere(), and sees nothing. */
const failsOnceConnected: Mutate = (Base) =>
  class extends Base {
    #connected = false;

    override async connect(address: Address): Promise<void> {
      await super.connect(address);
      this.#connected = true;
    }

    override ioctlInt(request: number): number {
      if (this.#connected) throw failure("ioctl(3)", "EINVAL");
      return super.ioctlInt(request);
    }
  };

const always = (value: number) => replacing("ioctlInt", () => value);

function unsent(id: string): Row[] {
  return [
    [id, "client", "SIOCOUTQ counts what was received", always(64), /received all: expected 0/],
    [id, "client", "SIOCOUTQ fails once connected", failsOnceConnected, /received all: .*EINVAL/],
  ];
}

/** SIOCINQ gives what it gave first for ever. */
const countsWhatWasRead: Mutate = (Base) =>
  class extends Base {
    #first: number | undefined;

    override ioctlInt(request: number): number {
      const value = super.ioctlInt(request);
      if (value > 0) this.#first ??= value;
      return this.#first ?? value;
    }
  };

function unread(id: string): Row[] {
  return [
    [id, "client", "SIOCINQ is always 0", always(0), /before recv\(\): expected 64, got 0/],
    [id, "client", "SIOCINQ counts what was read", countsWhatWasRead, /after recv\(\): expected 0/],
    [id, "server", "send() loses a byte", sendLosesLastByte, /expected 64, got 63/, {
      noticed: "client",
    }],
  ];
}

/** A signal does not end connect(): it goes on until it has another result. */
const connectIsRestarted: Mutate = (Base) =>
  class extends Base {
    override connectHere(address: Address): void {
      for (;;) {
        try {
          return super.connectHere(address);
        } catch (error) {
          if (!failedWith(error, "EINTR")) throw error;
        }
      }
    }
  };

/** A connect() that found no port counts as one that goes on. */
const failureGoesOn: Mutate = (Base) =>
  class extends Base {
    #failed = false;

    override connectHere(address: Address): void {
      if (this.#failed) throw failure("connect(3)", "EALREADY");
      try {
        super.connectHere(address);
      } catch (error) {
        this.#failed = failedWith(error, "EADDRNOTAVAIL");
        throw error;
      }
    }
  };

/** connect() to a CID of one's own does not return an error. */
const connectAnyway = neverFails("connectHere", () => {});

/** What is queued, and transports that change. */
export const QUEUES: readonly Row[] = [
  ...unsent("ioctl/siocoutq/stream-zero-after-receipt"),
  ...unsent("ioctl/siocoutq/seqpacket-zero-after-receipt"),
  ...unread("ioctl/siocinq/stream-counts-unread"),
  ...unread("ioctl/siocinq/seqpacket-counts-unread"),
  [RELEASE, "client", "connect() finds a port", connectAnyway, /ENODEV, but it returned undefined/],
  [
    RELEASE,
    "client",
    "EADDRNOTAVAIL is another errno",
    errsWith("connectHere", "EADDRNOTAVAIL", "EADDRINUSE"),
    /without a free port: .*got connect.*EADDRINUSE/,
  ],
  [
    RELEASE,
    "client",
    "connect() that found no port goes on",
    failureGoesOn,
    /connect\(\) to CID 0 after one that failed: it is taken to go on, EALREADY/,
  ],
  [
    INTERRUPTED,
    "client",
    "EINTR is another errno",
    errsWith("connectHere", "EINTR", "EIO"),
    /expected EINTR or ECONNRESET, got EIO/,
  ],
  [
    INTERRUPTED,
    "client",
    "connect() is restarted by itself",
    connectIsRestarted,
    /no signal came in the midst of connect/,
    { state: "broken" },
  ],
  [
    INTERRUPTED,
    "server",
    "accept() on an empty queue is another errno",
    errsWith("acceptHere", "EAGAIN", "EINVAL"),
    /after the last connection: expected "EAGAIN", got "EINVAL"/,
  ],
];
