/**
 * accept() that waits, gives or keeps something else than it must.
 *
 * @module
 */
import { AF_VSOCK, POLLHUP, SO_VM_SOCKETS_BUFFER_SIZE, SOCK_CLOEXEC } from "../../sys/constants.ts";
import type { SocketType } from "../../sys/socket.ts";
import { acceptsFrom } from "./addresses.ts";
import { closeEndsNothing } from "./connections.ts";
import { recvChangesData } from "./data.ts";
import { errsWith, failure, neverFails, replacing, type Row } from "./mutation.ts";

const timesOutAtOnce = replacing("accept", () => {
  return Promise.reject(failure("accept4(3)", "EAGAIN", 1));
});
const ignoresFlags = replacing("acceptHere", (accept) => accept(SOCK_CLOEXEC));
const neverBlocks = replacing("isNonblocking", () => true);
const forgetsBuffer = replacing("accept", async (accept) => {
  const accepted = await accept();
  accepted.socket.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, 5000n);
  return accepted;
});
const hangsUp = replacing("poll", async (poll, ...args) => await poll(...args) | POLLHUP);

/** A buffer size that is set changes nothing. */
const ignoresBuffer = replacing("setU64", () => {});

function inState(type: SocketType): Row[] {
  const id = (claim: string) => `accept/state/${type}-${claim}`;
  const waits = errsWith("acceptHere", "EINVAL", "EAGAIN");
  const listens = neverFails("listen", () => {});
  const shutsDown = neverFails("shutdown", () => {});
  return [
    [id("not-listening"), "client", "accept() is EAGAIN", waits, /unbound socket: expected EINVAL/],
    [id("not-listening"), "server", "accept() is EAGAIN", waits, /accepted: expected EINVAL/],
    [
      id("listen"),
      "client",
      "listen() always succeeds",
      listens,
      /unbound socket: expected EINVAL/,
    ],
    [
      id("listen"),
      "server",
      "listen() is EBADF",
      errsWith("listen", "EINVAL", "EBADF"),
      /accepted/,
    ],
    [id("shutdown-of-listener"), "server", "listener shuts down", shutsDown, /expected ENOTCONN/],
  ];
}

function waiting(type: SocketType): Row[] {
  const id = (claim: string) => `accept/wait/${type}-${claim}`;
  const isInvalid = errsWith("acceptHere", "EAGAIN", "EINVAL");
  return [
    [id("nonblocking"), "server", "accept() is EINVAL", isInvalid, /a connection: expected EAGAIN/],
    [id("nonblocking"), "server", "O_NONBLOCK is inherited", neverBlocks, /O_NONBLOCK of what was/],
    [id("rcvtimeo"), "server", "accept() does not wait", timesOutAtOnce, /299 ms too early/],
    [id("flags"), "server", "accept4() ignores its flags", ignoresFlags, /FD_CLOEXEC after.* 0x0:/],
  ];
}

function having(type: SocketType): Row[] {
  const client = { noticed: "client" } as const;
  const window = type === "stream" ? /takes of 10000 bytes: .*1024, got/ : /1025 bytes: .*EMSGSIZE/;
  const inherits = `accept/inherits/${type}-options`;
  const queue = (claim: string) => `accept/queue/${type}-${claim}`;
  return [
    [inherits, "server", "accept() forgets the buffer", forgetsBuffer, /option 0 after accept\(\)/],
    [
      `accept/inherits/${type}-window`,
      "server",
      "buffer cannot be set",
      ignoresBuffer,
      window,
      client,
    ],
    [
      queue("first-come"),
      "server",
      "accept() gives another",
      acceptsFrom({ port: 9 }),
      /connection 0/,
    ],
    [
      queue("ended-before-accept"),
      "server",
      "recv() flips a bit",
      recvChangesData,
      /what the peer sent that has shut down: byte/,
    ],
    [
      queue("end-with-listener"),
      "server",
      "close() ends nothing",
      closeEndsNothing,
      /another listener: .*EADDRINUSE/,
    ],
    [
      queue("end-with-listener"),
      "client",
      "connection hangs up",
      hangsUp,
      /revents of connection 4/,
    ],
  ];
}

/** accept() and listen(). */
export const mutations: readonly Row[] = (["stream", "seqpacket"] as const).flatMap((type) => [
  ...inState(type),
  ...waiting(type),
  ...having(type),
]);
