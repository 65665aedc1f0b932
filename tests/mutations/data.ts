/**
 * Wrong ways to send, receive and peek, which the cases of several families must notice.
 *
 * @module
 */
import { MSG_PEEK } from "../../sys/constants.ts";
import type { RawMemory } from "../../sys/socket.ts";
import { type Bytes, bytes } from "../../sys/structs.ts";
import { failedWith, failure, type Mutate, neverFails, replacing } from "./mutation.ts";

/** The last byte of every send() is lost. */
export const sendLosesLastByte: Mutate = replacing("send", async (send, data, flags) => {
  if (!(data instanceof Uint8Array)) return await send(data, flags);
  await send(data.slice(0, -1), flags);
  return data.length;
});

/** A bit in the middle of every send() is another. */
export const sendFlipsABit: Mutate = replacing(
  "send",
  (send, data, flags) => send(data instanceof Uint8Array ? flipped(data) : data, flags),
);

/** send() succeeds whatever happens. */
export const sendTakesAnything: Mutate = neverFails("send", (data) => data.length);

/** The end of a connection is ECONNRESET. */
export const endIsAReset: Mutate = replacing("recv", async (recv, into, flags) => {
  const count = await recv(into, flags);
  if (count === 0) throw failure("recv(3, 1, 0)", "ECONNRESET");
  return count;
});

/** There is no end: a byte comes instead of it. */
export const endIsDataAgain: Mutate = replacing(
  "recv",
  async (recv, into, flags) => await recv(into, flags) || 1,
);

/** The last byte that recv() gives is another. */
export const recvChangesData: Mutate = replacing("recv", async (recv, into, flags) => {
  const count = await recv(into, flags);
  if (into instanceof Uint8Array && count > 0) flipLast(into.subarray(0, count));
  return count;
});

/** The last byte that read() gives is another. */
export const readChangesData: Mutate = replacing("readTimed", async (read, into) => {
  const completion = await read(into);
  if (into instanceof Uint8Array && completion.result > 0) {
    flipLast(into.subarray(0, completion.result));
  }
  return completion;
});

/** MSG_PEEK takes the data out. */
export const peekConsumes: Mutate = replacing(
  "recv",
  (recv, into, flags = 0) => recv(into, flags & ~MSG_PEEK),
);

/** MSG_PEEK where nothing is gives 0 instead of EAGAIN. */
export const peekOfNothingIsTheEnd: Mutate = replacing("recv", async (recv, into, flags) => {
  try {
    return await recv(into, flags);
  } catch (error) {
    if (failedWith(error, "EAGAIN")) return 0;
    throw error;
  }
});

/** MSG_PEEK shows something else than there is. */
export const peekShowsOtherData: Mutate = replacing("recv", async (recv, into, flags) => {
  const count = await recv(into, flags);
  if (into instanceof Uint8Array && flags === MSG_PEEK) into[0] = (into[0] ?? 0) ^ 1;
  return count;
});

/** MSG_PEEK begins with what was already received. */
export const peekBeginsAnew: Mutate = (Base) =>
  class extends Base {
    #received = bytes(0);

    override async recv(into: Bytes | RawMemory, flags = 0): Promise<number> {
      if (!(into instanceof Uint8Array)) return await super.recv(into, flags);
      if ((flags & MSG_PEEK) === 0) {
        const count = await super.recv(into, flags);
        this.#received = joined(this.#received, into.subarray(0, count));
        return count;
      }
      const rest = bytes(into.length);
      const count = await super.recv(rest, flags);
      const shown = joined(this.#received, rest.subarray(0, count)).subarray(0, into.length);
      into.set(shown);
      return shown.length;
    }
  };

function joined(first: Bytes, second: Bytes): Bytes {
  const all = bytes(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function flipped(data: Bytes): Bytes {
  return data.map((byte, i) => i === data.length >> 1 ? byte ^ 1 : byte);
}

function flipLast(data: Bytes): void {
  data[data.length - 1] = (data[data.length - 1] ?? 0) ^ 1;
}
