/**
 * The bounds of SO_RCVLOWAT; `stream/rcvlowat` has what it does.
 *
 * @module
 */
import {
  AF_VSOCK,
  type ConformanceCase,
  defineCase,
  forBothTypes,
  kernel,
  man,
  SO_RCVLOWAT,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SOL_SOCKET,
} from "../../kit/mod.ts";

/** The buffer of a new socket, in bytes. */
const BUFFER = 262_144;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `options/rcvlowat/${type}-bounds`,
      title: `SO_RCVLOWAT of a ${type} socket is at least 1 and no more than its buffer`,
      requirement:
        "SO_RCVLOWAT MUST be 1 at first and where 0 is set, and EINVAL where it is more than the " +
        "buffer",
      refs: [man("socket", 7, "SO_RCVLOWAT"), kernel("vsock_set_rcvlowat")],
      does: {
        client:
          `claims that SO_RCVLOWAT of a ${type} socket is 1 at first and after 0, keeps 2 and 262144, ` +
          "and is EINVAL with 262145, 2147483647 and -1, and with 1001 when the buffer is 1000",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        const lowat = () => socket.getInt(SOL_SOCKET, SO_RCVLOWAT);
        check.equal(lowat(), 1, "SO_RCVLOWAT at first");
        for (const value of [2, BUFFER]) {
          await check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, value);
        }
        const refuses = async (value: number) => {
          const before = lowat();
          const set = () => socket.setInt(SOL_SOCKET, SO_RCVLOWAT, value);
          await check.fails("EINVAL", `SO_RCVLOWAT ${value}`, set);
          check.equal(lowat(), before, `SO_RCVLOWAT after ${value} was refused`);
        };
        for (const value of [BUFFER + 1, 0x7fffffff, -1]) await refuses(value);
        socket.setInt(SOL_SOCKET, SO_RCVLOWAT, 0);
        check.equal(lowat(), 1, "SO_RCVLOWAT after 0");
        socket.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, 1000n);
        await check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, 1000);
        await refuses(1001);
      },
    })
  ),
];
