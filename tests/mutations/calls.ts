/**
 * Calls that err by a little, which the cases of several families must notice.
 *
 * @module
 */
import { MSG_PEEK } from "../../sys/constants.ts";
import { type Bytes, bytes } from "../../sys/structs.ts";
import { failedWith, type Mutate, replacing } from "./mutation.ts";

/** A window has room for a byte more than it has, the first time that it is full. */
export const windowTakesAByteMore: Mutate = (Base) =>
  class extends Base {
    #wasFull = false;

    override sendHere(data: Bytes, flags?: number): number {
      try {
        return super.sendHere(data, flags);
      } catch (error) {
        if (this.#wasFull || !failedWith(error, "EAGAIN")) throw error;
        this.#wasFull = true;
        return 1;
      }
    }
  };

/** send() says a byte less than it took. */
export const sendCountsLess: Mutate = replacing(
  "send",
  async (send, data, flags) => await send(data, flags) - 1,
);

/** recv() says a byte less than it gave. */
export const recvCountsLess: Mutate = replacing(
  "recv",
  async (recv, into, flags) => Math.max(0, await recv(into, flags) - 1),
);

/** sendmsg() leaves out its last buffer, and says that it took all. */
export const sendmsgLosesABuffer: Mutate = replacing("sendmsg", async (sendmsg, vectors, flags) => {
  await sendmsg(vectors.slice(0, -1), flags);
  return vectors.reduce((sum, { length }) => sum + length, 0);
});

/** A bit of what is sent without waiting is another. */
export const sendHereFlipsABit: Mutate = replacing(
  "sendHere",
  (send, data, flags) =>
    send(data.map((byte, i) => i === data.length >> 1 ? byte ^ 1 : byte), flags),
);

/** recv() leaves what it gives. */
export const recvLeavesData: Mutate = replacing(
  "recv",
  (recv, into, flags = 0) => recv(into, flags | MSG_PEEK),
);

/** recv() knows no flags. */
export const recvForgetsFlags: Mutate = replacing("recv", (recv, into) => recv(into));

/** send() does nothing, and says that it took all. */
export const sendDoesNothing: Mutate = replacing(
  "send",
  (_send, { length }) => Promise.resolve(length),
);

/** A send() of no bytes sends one. */
export const emptySendSendsAByte: Mutate = replacing("send", async (send, data, flags) => {
  if (data.length > 0) return await send(data, flags);
  await send(bytes(1), flags);
  return 0;
});

/** poll() never sees these events. */
export function pollHides(events: number): Mutate {
  return replacing("poll", async (poll, ...args) => await poll(...args) & ~events);
}

/** A call that another module makes on a socket says one less than it did. */
export function countsLess(symbol: string): Mutate {
  return replacing("callBlocking", async (call, name, ...args) => {
    const completion = await call(name, ...args);
    if (name !== symbol || completion.result <= 0) return completion;
    return { ...completion, result: completion.result - 1 };
  });
}

/** MSG_PEEK of recvmsg() takes the message out. */
export const recvmsgPeekConsumes: Mutate = replacing(
  "recvmsg",
  (recvmsg, vectors, flags = 0, control) => recvmsg(vectors, flags & ~MSG_PEEK, control),
);

/** recvmsg() never has a flag. */
export function recvmsgForgets(flag: number): Mutate {
  return replacing("recvmsg", async (recvmsg, ...args) => {
    const message = await recvmsg(...args);
    return { ...message, flags: message.flags & ~flag };
  });
}

/** recvmsg() gives the next message behind the first, where there is room. */
export const recvmsgMerges: Mutate = replacing("recvmsg", async (recvmsg, vectors, ...rest) => {
  const first = await recvmsg(vectors, ...rest);
  const [into] = vectors;
  if (!(into instanceof Uint8Array) || first.length >= into.length) return first;
  const second = await recvmsg([into.subarray(first.length)], ...rest);
  return { ...second, length: first.length + second.length };
});
