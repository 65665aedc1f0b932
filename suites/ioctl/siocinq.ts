/**
 * SIOCINQ: how much has arrived but has not been read yet.
 *
 * @module
 */
import {
  type CaseContext,
  type ConformanceCase,
  defineCase,
  kernel,
  SIOCINQ,
  type SocketType,
  upstream,
} from "../../kit/mod.ts";

const LENGTH = 64;

async function askAndReceive(type: SocketType, { vsock, peer, check }: CaseContext) {
  using socket = await vsock.connect(type);
  await peer.expectln("SENT");
  await check.ioctlBecomes(socket, SIOCINQ, LENGTH, "ioctl(SIOCINQ) before recv()");
  await check.receives(socket, LENGTH);
  await check.ioctlBecomes(socket, SIOCINQ, 0, "ioctl(SIOCINQ) after recv()");
}

async function sendAndLeave(type: SocketType, { vsock, peer, check, random }: CaseContext) {
  using socket = await vsock.accept(type);
  await check.sends(socket, random.bytes(LENGTH));
  await peer.writeln("SENT");
}

function countsUnread(type: SocketType): ConformanceCase {
  const needs = type === "seqpacket" ? [type] as const : [];
  return defineCase({
    id: `ioctl/siocinq/${type}-counts-unread`,
    title: `SIOCINQ on a ${type} socket returns the number of unread bytes`,
    requirement:
      "ioctl(SIOCINQ) MUST return the number of unread bytes, and 0 once they have been read",
    refs: [
      upstream(`SOCK_${type.toUpperCase()} ioctl(SIOCINQ) functionality`),
      kernel("vsock_ioctl"),
    ],
    needs: [...needs, { client: "siocinq" }],
    does: {
      client:
        `connects a ${type} socket, checks that SIOCINQ becomes 64 once the server has sent, ` +
        "receives 64 bytes, and checks that it becomes 0",
      server: `accepts a ${type} connection, sends 64 random bytes, and closes`,
    },
    client: (context) => askAndReceive(type, context),
    server: (context) => sendAndLeave(type, context),
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** On a stream. */
  countsUnread("stream"),
  /** On messages. */
  countsUnread("seqpacket"),
];
