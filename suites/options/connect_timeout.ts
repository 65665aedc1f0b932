/**
 * SO_VM_SOCKETS_CONNECT_TIMEOUT as an option; `connect/timeout` has what it does.
 *
 * @module
 */
import {
  AF_VSOCK,
  type Bytes,
  bytes,
  type ConformanceCase,
  defineCase,
  forBothTypes,
  int,
  kernel,
  man,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW,
  timeval,
} from "../../kit/mod.ts";

/** What it is at first, in milliseconds. */
const DEFAULT_TIME = 2000;
/** The longest tick that a kernel can be built with, in milliseconds: CONFIG_HZ 100. */
const LONGEST_TICK = 10;

/** struct timeval with numbers that {@linkcode timeval} does not make. */
function timevalOf(seconds: bigint, microseconds: bigint): Bytes {
  const value = bytes(16);
  const view = new DataView(value.buffer);
  view.setBigInt64(0, seconds, true);
  view.setBigInt64(8, microseconds, true);
  return value;
}

const OUT_OF_RANGE = [
  ["-1 s", timevalOf(-1n, 0n)],
  ["1000000 us", timevalOf(0n, 1_000_000n)],
  ["the largest number of seconds", timevalOf((1n << 63n) - 1n, 0n)],
] as const;

/** The option under both its numbers. */
const NUMBERS = [SO_VM_SOCKETS_CONNECT_TIMEOUT, SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `options/connect-timeout/${type}-values`,
      title: `the connect time of a ${type} socket is 2 s, or what is set, in ticks`,
      requirement:
        "SO_VM_SOCKETS_CONNECT_TIMEOUT MUST be 2 s at first and where 0 is set, keep other times, and " +
        "be one option under both numbers",
      refs: [
        man("vsock", 7, "SO_VM_SOCKETS_CONNECT_TIMEOUT"),
        kernel("vsock_connectible_setsockopt"),
      ],
      does: {
        client:
          `checks that the connect time of a new ${type} socket is 2 s, that 1.5 s and 1 h are kept ` +
          "under either number, 0 is 2 s again, and 1 us is more than 0 and at most 10 ms",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        const time = (option: number) => socket.getTimeval(AF_VSOCK, option);
        for (const option of NUMBERS) check.equal(time(option), DEFAULT_TIME, "the time at first");
        for (const [set, get] of [NUMBERS, NUMBERS.toReversed()] as [number, number][]) {
          for (const milliseconds of [1500, 3_600_000]) {
            await check.setsTimeval(socket, AF_VSOCK, set, milliseconds);
            check.equal(time(get), milliseconds, "the time under the other number");
          }
          socket.setTimeval(AF_VSOCK, set, 0);
          check.equal(time(get), DEFAULT_TIME, "the time after 0");
          socket.setsockopt(AF_VSOCK, set, timevalOf(0n, 1n));
          const tick = time(get);
          check.that(tick > 0 && tick <= LONGEST_TICK, `1 us is kept as ${tick} ms`);
        }
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `options/connect-timeout/${type}-out-of-range`,
      title: `times that are none are refused as connect time of a ${type} socket`,
      requirement:
        "SO_VM_SOCKETS_CONNECT_TIMEOUT MUST fail with ERANGE for what is no time, EINVAL for too few bytes, " +
        "and stay as it was",
      refs: [
        man("vsock", 7, "SO_VM_SOCKETS_CONNECT_TIMEOUT"),
        kernel("vsock_connectible_setsockopt"),
      ],
      does: {
        client:
          `checks that the connect time of a ${type} socket fails with ERANGE with -1 s, 1000000 us and the ` +
          "largest number of seconds, EINVAL with 0, 8 and 15 bytes, and still 1.5 s afterwards",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        for (const option of NUMBERS) {
          socket.setTimeval(AF_VSOCK, option, 1500);
          for (const [what, value] of OUT_OF_RANGE) {
            const set = () => socket.setsockopt(AF_VSOCK, option, value);
            await check.fails("ERANGE", `setsockopt() with ${what}`, set);
          }
          for (const size of [0, 8, 15]) {
            const set = () => socket.setsockoptAt(AF_VSOCK, option, timeval(500), size);
            await check.fails("EINVAL", `setsockopt() with ${size} bytes`, set);
            const get = () => socket.getsockoptAt(AF_VSOCK, option, bytes(16), int(size));
            await check.fails("EINVAL", `getsockopt() with ${size} bytes`, get);
          }
          check.equal(socket.getTimeval(AF_VSOCK, option), 1500, "the time afterwards");
        }
      },
    })
  ),
];
