/**
 * Setting SO_ZEROCOPY.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  SO_ZEROCOPY,
  SOL_SOCKET,
  upstream,
} from "../../kit/mod.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Not all sockets come from socket(2). */
  defineCase({
    id: "sockopt/zerocopy/on-accepted-socket",
    title: "SO_ZEROCOPY can be set on a socket from accept()",
    requirement: "setsockopt(SO_ZEROCOPY) MUST succeed on an accepted socket as on any other",
    refs: [
      upstream("SOCK_STREAM accept()ed socket custom setsockopt()"),
      man("socket", 7, "SO_ZEROCOPY"),
      kernel("vsock_accept"),
    ],
    needs: [{ server: "zerocopy" }],
    does: {
      client: "connects, and closes at once",
      server:
        "accepts, and checks that SO_ZEROCOPY can be set on the socket from accept() and then " +
        "reads as 1",
    },
    async client({ vsock }) {
      using _socket = await vsock.connect("stream");
    },
    async server({ vsock, check }) {
      using socket = await vsock.accept("stream");
      await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, 1);
    },
  }),
];
