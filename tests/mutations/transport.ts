/**
 * What the cases of transport/ must notice.
 *
 * @module
 */
import type { Address } from "../../sys/structs.ts";
import { errsWith, failedWith, failure, type Mutate, neverFails, type Row } from "./mutation.ts";
import type { ShownElsewhere } from "./mutation.ts";

const RELEASE = "transport/change/release-of-unbound-socket";
const INTERRUPTED = "transport/change/after-interrupted-connect";

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

/** Sockets that go wrong on their way between transports. */
export const mutations: readonly Row[] = [
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

/** A connect() that was interrupted, and goes on. */
export const shownElsewhere: readonly ShownElsewhere[] = [
  {
    id: "transport/change/refused-after-interrupted-connect",
    on: "client",
    what: "connect() to where no transport leads goes on",
    noticed: "client",
    file: "suites/transport/change_test.ts",
    test: "transport/change/refused-after-interrupted-connect fails where it goes on",
  },
];
