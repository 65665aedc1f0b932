/**
 * What the cases of sockopt/ must notice.
 *
 * @module
 */
import { SO_ZEROCOPY, SOL_SOCKET } from "../../sys/constants.ts";
import { type Address, type Bytes, int } from "../../sys/structs.ts";
import type { Socket } from "../../sys/socket.ts";
import { failure, type Mutate, optionNotKept, type Row } from "./mutation.ts";

const ACCEPTED = "sockopt/zerocopy/on-accepted-socket";

/** A socket from accept() has no SO_ZEROCOPY. */
const notWhenAccepted: Mutate = (Base) =>
  class extends Base {
    #accepted = false;

    override async accept(): Promise<{ socket: Socket; address: Address }> {
      const accepted = await super.accept();
      if (#accepted in accepted.socket) accepted.socket.#accepted = true;
      return accepted;
    }

    override setsockopt(level: number, option: number, value: Bytes): void {
      if (this.#accepted) throw failure("setsockopt(3)", "EOPNOTSUPP");
      super.setsockopt(level, option, value);
    }
  };

/** Sockets that err with SO_ZEROCOPY. */
export const mutations: readonly Row[] = [
  [ACCEPTED, "server", "accepted socket has no SO_ZEROCOPY", notWhenAccepted, /set .*EOPNOTSUPP/],
  [
    ACCEPTED,
    "server",
    "SO_ZEROCOPY is not kept",
    optionNotKept(SOL_SOCKET, SO_ZEROCOPY, int(0)),
    /after setting it: expected 1, got 0/,
  ],
];
