/**
 * Errors that are others than they must be, or none, and memory that is not there.
 *
 * @module
 */
import { MSG_DONTWAIT, MSG_OOB } from "../../sys/constants.ts";
import type { SocketType } from "../../sys/socket.ts";
import { bytes } from "../../sys/structs.ts";
import { errsWith, failsAfterwards, neverFails, replacing, type Row } from "./mutation.ts";

const sendsOob = replacing("send", (send, data, flags = 0) => send(data, flags & ~MSG_OOB));
const receivesOob = replacing("recv", (recv, into, flags = 0) => recv(into, flags & ~MSG_OOB));
const ignoresName = replacing("sendTo", (_sendTo, data) => data.length);
const storesNoLength = replacing("recvFrom", (recv, into) => recv(into, null, null));
const takesAByte = replacing("recv", async (recv, into, flags) => {
  if (into.length > 0) return await recv(into, flags);
  await recv(bytes(1), MSG_DONTWAIT);
  return 0;
});
const sendsAByte = replacing("send", async (send, data, flags) => {
  return data.length > 0 ? await send(data, flags) : await send(bytes(1), flags) - 1;
});
const saysMore = replacing("sendmsg", async (send, ...args) => await send(...args) + 1);

function ofCalls(type: SocketType): Row[] {
  const id = (claim: string) => `errors/calls/${type}-${claim}`;
  const isPipe = errsWith("send", "ENOTCONN", "EPIPE");
  const shuts = neverFails("shutdown", () => {});
  const ioctls = neverFails("ioctlInt", () => 0);
  return [
    [
      id("unconnected"),
      "client",
      "send() is EPIPE",
      isPipe,
      /send.* a listener: expected ENOTCONN/,
    ],
    [id("shutdown-ways"), "client", "shutdown() knows every way", shuts, /shutdown\(3\): .*EINVAL/],
    [id("out-of-band"), "client", "MSG_OOB is ignored", sendsOob, /send\(MSG_OOB\): .*EOPNOTSUPP/],
    [
      id("out-of-band"),
      "server",
      "MSG_OOB is ignored",
      receivesOob,
      /recv\(MSG_OOB\): .*EOPNOTSUPP/,
    ],
    [id("addressed"), "client", "sendto() ignores its name", ignoresName, /expected EISCONN, but/],
    [
      id("addressed"),
      "server",
      "recvfrom() stores no length",
      storesNoLength,
      /expected 0, got 16/,
    ],
    [id("nothing"), "server", "recv(0) takes a byte", takesAByte, /recv\(0\): .*EAGAIN/],
    [id("ioctl"), "client", "ioctl() takes any request", ioctls, /0x7ff of a listener: .*ENOTTY/],
  ];
}

function ofMemory(type: SocketType): Row[] {
  const id = (claim: string) => `errors/memory/${type}-${claim}`;
  const send = errsWith("sendmsg", "EFAULT", "ENOMEM");
  const receive = errsWith("recvmsg", "EFAULT", "ENOMEM");
  return [
    [id("send"), "client", "bad memory is ENOMEM", send, /element 2: expected EFAULT, got/],
    [id("receive"), "server", "bad memory is ENOMEM", receive, /element 2: expected EFAULT, got/],
    [id("peek"), "server", "bad memory is ENOMEM", receive, /element 2: expected EFAULT, got/],
  ];
}

/** Errors. */
export const mutations: readonly Row[] = [
  ...(["stream", "seqpacket"] as const).flatMap((type) => [...ofCalls(type), ...ofMemory(type)]),
  [
    "errors/calls/stream-send-nothing",
    "client",
    "send(0) sends a byte",
    sendsAByte,
    /nothing was sent: expected EAGAIN/,
    { noticed: "server" },
  ],
  [
    "errors/memory/stream-receive-part",
    "server",
    "recvmsg() fails at a hole",
    failsAfterwards("recvmsg", "EFAULT"),
    /1000 bytes and a hole: .*EFAULT/,
  ],
  [
    "errors/memory/stream-send-part",
    "client",
    "send() says more than it took",
    saysMore,
    /what send\(\) took: byte/,
    { noticed: "server" },
  ],
];
