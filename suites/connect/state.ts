/**
 * connect(2) of a socket that is something else already.
 *
 * @module
 */
import {
  AF_UNSPEC,
  bytes,
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  kernel,
  man,
  SHUT_WR,
} from "../../kit/mod.ts";
import { returnByte } from "../_shared/return_byte.ts";

/** struct sockaddr with AF_UNSPEC, which dissolves other families' associations. */
function unspecified() {
  const name = bytes(16);
  new DataView(name.buffer).setUint16(0, AF_UNSPEC, true);
  return name;
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/state/${type}-connected`,
      title: `a connected ${type} socket stays so`,
      requirement: "connect() of a connected socket MUST fail with EISCONN, also to AF_UNSPEC",
      refs: [man("connect", 2, "EISCONN"), kernel("vsock_connect")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, checks that connect() to the same address, to another port ` +
          "and to AF_UNSPEC fails with EISCONN, and that getpeername() stays and a byte arrives",
        server: "accepts, receives a byte, and sends one back",
      },
      async client({ vsock, check }) {
        using socket = await vsock.connect(type);
        const name = socket.getpeername();
        for (const port of [name.port, name.port + 1]) {
          const connect = () => socket.connectHere(vsock.peerAddress(port));
          await check.fails("EISCONN", "connect() of a connected socket", connect);
        }
        const away = () => socket.connectName(unspecified(), 16);
        await check.fails("EISCONN", "connect() of a connected socket to AF_UNSPEC", away);
        check.equal(socket.getpeername(), name, "getpeername() afterwards");
        await check.sendsByte(socket);
        await check.receivesByte(socket);
      },
      server: (context) => returnByte(context, type),
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/state/${type}-listening`,
      title: `a ${type} listener does not connect`,
      requirement:
        "connect() of a listening socket MUST fail with EINVAL, and the socket go on listening",
      refs: [man("connect", 2, "ERRORS"), kernel("vsock_connect")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket when the server's connect() has failed`,
        server:
          `checks that connect() of a ${type} listener fails with EINVAL, and accepts the client from it ` +
          "afterwards",
      },
      async client({ vsock, check }) {
        using socket = await vsock.connect(type);
        await check.receivesEnd(socket);
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type);
        const connect = () => listener.connectHere(vsock.peerAddress());
        await check.fails("EINVAL", "connect() of a listener", connect);
        await peer.writeln("LISTENING");
        const { socket } = await check.succeeds("accept()", () => listener.accept());
        socket[Symbol.dispose]();
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/state/${type}-shut-down`,
      title: `a ${type} socket that has shut down does not connect again`,
      requirement: "connect() after shutdown() MUST fail, and leave the connection as it is",
      refs: [man("connect", 2, "EISCONN"), kernel("vsock_connect")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, shuts its sending side down, checks that connect() fails with EINVAL ` +
          "or EISCONN, and receives a byte",
        server: "accepts, sends a byte when the client has shut down, and waits for its close",
      },
      async client({ vsock, check }) {
        using socket = await vsock.connect(type);
        socket.shutdown(SHUT_WR);
        const connect = () => socket.connectHere(vsock.peerAddress());
        await check.fails(["EINVAL", "EISCONN"], "connect() after shutdown(SHUT_WR)", connect);
        await check.receivesByte(socket);
      },
      async server({ vsock, check }) {
        using socket = await vsock.accept(type);
        await vsock.waitRemoteClose(socket);
        await check.sendsByte(socket);
      },
    })
  ),
];
