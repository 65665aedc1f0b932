/**
 * Options in memory that is not there, and SO_ZEROCOPY's values.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type ConformanceCase,
  defineCase,
  forBothTypes,
  int,
  kernel,
  man,
  SO_KEEPALIVE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  SO_ZEROCOPY,
  SOL_SOCKET,
} from "../../kit/mod.ts";

/** An address in the page that nobody has. */
const NOWHERE = 16n;

/** Options by name, level, number, and how large they are. */
const OPTIONS = [
  ["SO_VM_SOCKETS_BUFFER_SIZE", AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, 8],
  ["SO_VM_SOCKETS_CONNECT_TIMEOUT", AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, 16],
  ["SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 4],
] as const;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `options/memory/${type}-not-there`,
      title: `options of a ${type} socket in memory that is not there fail with EFAULT`,
      requirement:
        "getsockopt() and setsockopt() MUST fail with EFAULT for memory that is not there, EINVAL for a " +
        "negative length, and change nothing",
      refs: [man("setsockopt", 2, "EFAULT"), kernel("vsock_connectible_getsockopt")],
      does: {
        client:
          `checks EFAULT for three options of a ${type} socket whose value or length lies at address ` +
          "16, EINVAL for length -1, and the same values afterwards",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        for (const [name, level, option, size] of OPTIONS) {
          const before = socket.getsockopt(level, option, size);
          const set = (length: number) => () => socket.setsockoptAt(level, option, NOWHERE, length);
          await check.fails("EFAULT", `setsockopt(${name}) at address 16`, set(size));
          await check.fails("EINVAL", `setsockopt(${name}) with -1 bytes`, set(-1));
          const value = () => socket.getsockoptAt(level, option, NOWHERE, int(size));
          await check.fails("EFAULT", `getsockopt(${name}) into address 16`, value);
          const length = () => socket.getsockoptAt(level, option, bytes(size), NOWHERE);
          await check.fails("EFAULT", `getsockopt(${name}) with its length at address 16`, length);
          const negative = () => socket.getsockoptAt(level, option, bytes(size), int(-1));
          await check.fails("EINVAL", `getsockopt(${name}) with -1 bytes`, negative);
          check.sameBytes(socket.getsockopt(level, option, size), before, `${name} afterwards`);
        }
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `options/zerocopy/${type}-values`,
      title: `SO_ZEROCOPY of a ${type} socket is 0 or 1`,
      requirement:
        "SO_ZEROCOPY MUST fail with EINVAL for what is neither 0 nor 1, and for too few bytes",
      refs: [man("setsockopt", 2, "EINVAL"), kernel("vsock_connectible_setsockopt")],
      needs: ["zerocopy"],
      does: {
        client:
          `checks that SO_ZEROCOPY of a ${type} socket is 0 at first, 1 and 0 when set so, and ` +
          "EINVAL with 2, -1 and 2 bytes",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        check.equal(socket.getInt(SOL_SOCKET, SO_ZEROCOPY), 0, "SO_ZEROCOPY at first");
        for (const value of [1, 0]) await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, value);
        for (const value of [2, -1]) {
          const set = () => socket.setInt(SOL_SOCKET, SO_ZEROCOPY, value);
          await check.fails("EINVAL", `SO_ZEROCOPY ${value}`, set);
        }
        const short = () => socket.setsockopt(SOL_SOCKET, SO_ZEROCOPY, bytes(2));
        await check.fails("EINVAL", "SO_ZEROCOPY with 2 bytes", short);
        check.equal(socket.getInt(SOL_SOCKET, SO_ZEROCOPY), 0, "SO_ZEROCOPY afterwards");
      },
    })
  ),
];
