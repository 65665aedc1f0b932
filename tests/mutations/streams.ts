/**
 * Sockets whose streams are wrong: their data, their low-water mark, their shutdown and their credit.
 *
 * @module
 */
import {
  AF_VSOCK,
  MSG_NOSIGNAL,
  SO_RCVLOWAT,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SOL_SOCKET,
} from "../../sys/constants.ts";
import type { RawMemory } from "../../sys/socket.ts";
import { type Bytes, bytes, int } from "../../sys/structs.ts";
import {
  both,
  failedWith,
  failure,
  type Mutate,
  optionNotKept,
  optionWithoutEffect,
  replacing,
} from "./mutation.ts";

export const rcvlowatWithoutEffect = optionWithoutEffect(SOL_SOCKET, SO_RCVLOWAT);
export const rcvlowatNotKept = optionNotKept(SOL_SOCKET, SO_RCVLOWAT, int(1));

/** Data that could not be stored anywhere is lost. */
export const nowhereLosesData: Mutate = (Base) =>
  class extends Base {
    override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
      try {
        return await super.recv(into, flags);
      } catch (error) {
        if (failedWith(error, "EFAULT")) await super.recv(bytes(into.length));
        throw error;
      }
    }
  };

/** What was read of a packet is there again when another is appended to it. */
export const partComesAgain: Mutate = (Base) =>
  class extends Base {
    #part: Bytes | undefined;

    override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
      if (!(into instanceof Uint8Array)) return await super.recv(into, flags);
      const part = this.#part;
      if (part === undefined) {
        const count = await super.recv(into, flags);
        this.#part = into.slice(0, count);
        return count;
      }
      const again = Math.min(part.length, into.length);
      into.set(part.subarray(0, again));
      this.#part = bytes(0);
      return again > 0 ? again : await super.recv(into, flags);
    }
  };

/** Only the first recv() that waits gives all its data; the second loses a byte. */
export const appendedIsLost: Mutate = (Base) =>
  class extends Base {
    #calls = 0;

    override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
      const count = await super.recv(into, flags);
      return ++this.#calls === 2 ? count - 1 : count;
    }
  };

/** A connection ends after so many sends that do not wait. */
export const resetAfter = (sends: number): Mutate => (Base) =>
  class extends Base {
    #sends = 0;

    override sendHere(data: Bytes, flags?: number): number {
      if (++this.#sends > sends) throw failure("send(3)", "ECONNRESET");
      return super.sendHere(data, flags);
    }
  };

export const sendHereDrops = replacing("sendHere", (send, data, flags) => {
  send(data.subarray(1), flags);
  return data.length;
});
export const sendHereChanges = replacing("sendHere", (send, data, flags) => {
  return send(data.map((byte) => byte ^ 1), flags);
});

export const noSigpipe = replacing(
  "send",
  (send, data, flags = 0) => send(data, flags | MSG_NOSIGNAL),
);
export const alwaysSigpipe = replacing("send", (send, data, flags = 0) => {
  return send(data, flags & ~MSG_NOSIGNAL);
});

export const sendTakesAPart = replacing("send", async (send, data, flags) => {
  if (!(data instanceof Uint8Array)) return await send(data, flags);
  return await send(data.subarray(0, Math.max(1, data.length >> 1)), flags);
});

export const ownBufferWithoutEffect = both(
  optionWithoutEffect(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE),
  optionWithoutEffect(AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE),
);

export const nothingFits = replacing("send", (_send, data, flags) => {
  return Promise.reject(failure(`send(3, ${data.length}, ${flags})`, "EAGAIN"));
});
