/**
 * Closing: the data sent before it arrives, then the end, and nothing can be sent back.
 *
 * @module
 */
import { bytes, type CaseContext, defineCase, kernel, man, spec, upstream } from "../kit.ts";

async function sendAndClose(side: "connect" | "accept", { vsock, check }: CaseContext) {
  using socket = await vsock[side]("stream");
  await check.sendsByte(socket);
}

async function outlivePeer(side: "connect" | "accept", { vsock, check }: CaseContext) {
  using socket = await vsock[side]("stream");
  // Until the close has arrived a send may still succeed.
  await vsock.waitRemoteClose(socket);
  await check.fails("EPIPE", "send() after the peer closed", () => socket.send(bytes(1)));
  await check.receivesByte(socket);
  await check.receivesEnd(socket);
}

const SENDS = "sends a byte, and closes";
const OUTLIVES =
  "waits until the other side has closed, claims that send() is EPIPE, and receives the byte " +
  "and the end of file";

const refs = [
  man("send", 2, "EPIPE"),
  spec("5.10.6.5 Stream Sockets"),
  kernel("virtio_transport_recv_connected"),
];

/** The client closes. */
export const clientClose = defineCase({
  id: "stream/close/by-client-keeps-data",
  title: "data sent before the client's close() arrives, then the end",
  requirement: "what a client sent before close() MUST arrive, then end of file; send() is EPIPE",
  refs: [upstream("SOCK_STREAM client close"), ...refs],
  does: {
    client: `connects, ${SENDS}`,
    server: `accepts, ${OUTLIVES}`,
  },
  client: (context) => sendAndClose("connect", context),
  server: (context) => outlivePeer("accept", context),
});

/** The server closes. */
export const serverClose = defineCase({
  id: "stream/close/by-server-keeps-data",
  title: "data sent before the server's close() arrives, then the end",
  requirement: "what a server sent before close() MUST arrive, then end of file; send() is EPIPE",
  refs: [upstream("SOCK_STREAM server close"), ...refs],
  does: {
    client: `connects, ${OUTLIVES}`,
    server: `accepts, ${SENDS}`,
  },
  client: (context) => outlivePeer("connect", context),
  server: (context) => sendAndClose("accept", context),
});
