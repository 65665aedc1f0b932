/**
 * Calls without a connection, and calls that AF_VSOCK does not have.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  int,
  intOf,
  kernel,
  man,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_OOB,
  SHUT_RDWR,
  SHUT_WR,
  SIOCINQ,
  SIOCOUTQ,
  type Socket,
} from "../../kit/mod.ts";

/** Data that is not received. */
const NOTHING = bytes(1);
/** An ioctl that no socket has. */
const UNKNOWN_REQUEST = 0x7ff;

/** Claims that a socket without a connection neither sends, receives nor shuts down. */
async function refusesData({ vsock, check }: CaseContext, socket: Socket, what: string) {
  const send = () => socket.send(NOTHING, MSG_NOSIGNAL | MSG_DONTWAIT);
  await check.fails("ENOTCONN", `send() of ${what}`, send);
  const recv = () => socket.recv(bytes(1), MSG_DONTWAIT);
  await check.fails("ENOTCONN", `recv() of ${what}`, recv);
  const peer = socket.family.encode(vsock.peerAddress());
  const sendTo = () => socket.sendTo(NOTHING, peer, MSG_NOSIGNAL);
  await check.fails("EOPNOTSUPP", `sendto() of ${what}`, sendTo);
  await check.fails("ENOTCONN", `shutdown() of ${what}`, () => socket.shutdown(SHUT_RDWR));
}

/** Claims that shutdown(2) knows three ways. */
async function refusesWays({ check }: CaseContext, socket: Socket): Promise<void> {
  for (const how of [-1, 3, 4, 0x7fffffff]) {
    await check.fails("EINVAL", `shutdown(${how})`, () => socket.shutdown(how));
  }
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `errors/calls/${type}-unconnected`,
      title: `a ${type} socket without a connection carries nothing`,
      requirement:
        "send(), recv() and shutdown() MUST fail with ENOTCONN without a connection, and sendto() EOPNOTSUPP",
      refs: [man("send", 2, "ENOTCONN"), kernel("vsock_connectible_sendmsg")],
      does: {
        client:
          `checks that send(), recv() and shutdown() fail with ENOTCONN, and sendto() EOPNOTSUPP, on a ` +
          `${type} socket that is unbound, bound, listening, and refused by a port that nobody has`,
      },
      async client(context) {
        const { vsock, check } = context;
        using socket = vsock.open(type);
        await refusesData(context, socket, "an unbound socket");
        const { port } = vsock.peerAddress();
        socket.bind(vsock.localAddress(port + 1));
        await refusesData(context, socket, "a bound socket");
        socket.listen(1);
        await refusesData(context, socket, "a listener");
        await refusesWays(context, socket);
        using refused = vsock.open(type);
        const connect = () => refused.connect(vsock.peerAddress());
        await check.fails(["ECONNRESET", "ESOCKTNOSUPPORT"], "connect()", connect);
        await refusesData(context, refused, "a refused socket");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `errors/calls/${type}-shutdown-ways`,
      title: `shutdown() of a ${type} connection knows three ways, and can be repeated`,
      requirement:
        "shutdown() of an unknown way MUST fail with EINVAL and shut nothing down, and a repeated one succeed",
      refs: [man("shutdown", 2, "EINVAL"), kernel("vsock_shutdown")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, checks that shutdown() fails with EINVAL with -1, 3, 4 and 2147483647, ` +
          "sends a byte, and checks that shutdown(SHUT_WR) succeeds twice",
        server: "accepts, receives a byte, and the end",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        using socket = await vsock.connect(type);
        await refusesWays(context, socket);
        await check.sendsByte(socket);
        for (const what of ["shutdown(SHUT_WR)", "shutdown(SHUT_WR) again"]) {
          await check.succeeds(what, () => socket.shutdown(SHUT_WR));
        }
        await peer.expectln("DONE");
      },
      async server({ vsock, peer, check }) {
        using socket = await vsock.accept(type);
        await check.receivesByte(socket);
        await check.receivesEnd(socket);
        await peer.writeln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `errors/calls/${type}-out-of-band`,
      title: `a ${type} connection has no out-of-band data`,
      requirement:
        "MSG_OOB MUST fail with EOPNOTSUPP for send() and recv(), and send and consume nothing",
      refs: [man("send", 2, "EOPNOTSUPP"), kernel("vsock_connectible_sendmsg")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, checks that send(MSG_OOB) fails with EOPNOTSUPP, and sends a byte`,
        server:
          "accepts, checks that recv(MSG_OOB) fails with EOPNOTSUPP when the byte is there, receives it, " +
          "and then the end",
      },
      async client({ vsock, peer, check }) {
        using socket = await vsock.connect(type);
        const send = () => socket.send(NOTHING, MSG_OOB | MSG_NOSIGNAL);
        await check.fails("EOPNOTSUPP", "send(MSG_OOB)", send);
        await check.sendsByte(socket);
        await peer.writeln("SENT");
      },
      async server({ vsock, peer, check }) {
        using socket = await vsock.accept(type);
        await socket.poll();
        const recv = () => socket.recv(bytes(1), MSG_OOB | MSG_DONTWAIT);
        await check.fails("EOPNOTSUPP", "recv(MSG_OOB)", recv);
        await check.receivesByte(socket);
        await peer.expectln("SENT");
        await check.receivesEnd(socket);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `errors/calls/${type}-addressed`,
      title: `a ${type} connection takes no address with its data, and gives none`,
      requirement:
        "sendto() of a connected socket with an address MUST fail with EISCONN, and recvfrom() store no name",
      refs: [man("send", 2, "EISCONN"), kernel("vsock_connectible_sendmsg")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, checks that sendto() with the peer's address fails with EISCONN, and ` +
          "sends a byte",
        server: "accepts, and checks that recvfrom() gives the byte and a name of length 0",
      },
      async client({ vsock, check }) {
        using socket = await vsock.connect(type);
        const name = socket.family.encode(vsock.peerAddress());
        const sendTo = () => socket.sendTo(NOTHING, name, MSG_NOSIGNAL);
        await check.fails("EISCONN", "sendto() of a connected socket", sendTo);
        await check.sendsByte(socket);
        await check.receivesEnd(socket);
      },
      async server({ vsock, check }) {
        using socket = await vsock.accept(type);
        await socket.poll();
        const length = int(16);
        const recvFrom = () => socket.recvFrom(bytes(2), bytes(16), length);
        check.equal(await check.succeeds("recvfrom()", recvFrom), 1, "what recvfrom() gives");
        check.equal(intOf(length), 0, "the length of the name that recvfrom() stores");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `errors/calls/${type}-nothing`,
      title: `recv() of 0 bytes takes nothing from a ${type} connection`,
      requirement: "recv() with room for 0 bytes MUST be 0 and leave what is there",
      refs: [man("recv", 2, "RETURN VALUE"), kernel("vsock_connectible_recvmsg")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket, sends 10 bytes, and waits until the server has closed`,
        server:
          "accepts, checks that recv() of 0 bytes is 0 before and when data is there, and receives " +
          "the 10 bytes at once",
      },
      async client({ vsock, peer, check, random }) {
        using socket = await vsock.connect(type);
        await peer.expectln("SEND");
        await check.sends(socket, random.bytes(10));
        await check.receivesEnd(socket);
      },
      async server({ vsock, peer, check, random }) {
        using socket = await vsock.accept(type);
        const recv = () => socket.recv(bytes(0), MSG_DONTWAIT);
        check.equal(await check.succeeds("recv(0)", recv), 0, "recv(0) before there is data");
        await peer.writeln("SEND");
        await socket.poll();
        check.equal(await check.succeeds("recv(0)", recv), 0, "recv(0) when there is data");
        check.sameBytes(await check.receives(socket, 10), random.bytes(10), "the data");
      },
    })
  ),
  defineCase({
    id: "errors/calls/stream-send-nothing",
    title: "send() of 0 bytes sends nothing on a stream",
    requirement: "send() of 0 bytes MUST be 0, and the peer MUST NOT see an end or data",
    refs: [man("send", 2, "RETURN VALUE"), kernel("vsock_connectible_sendmsg")],
    does: {
      client: "connects a stream socket, checks that send() of 0 bytes is 0, and sends a byte",
      server:
        "accepts, checks that recv() fails with EAGAIN when the client has sent nothing, receives the byte, " +
        "and then the end",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("stream");
      const send = () => socket.send(bytes(0));
      check.equal(await check.succeeds("send(0)", send), 0, "what send(0) takes");
      await peer.writeln("SENT");
      await peer.expectln("NOTHING");
      await check.sendsByte(socket);
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("SENT");
      // What did come would have come before the control channel's line, or soon after.
      await socket.poll(undefined, 50);
      const recv = () => socket.recv(bytes(1), MSG_DONTWAIT);
      await check.fails("EAGAIN", "recv() when nothing was sent", recv);
      await peer.writeln("NOTHING");
      await check.receivesByte(socket);
      await check.receivesEnd(socket);
    },
  }),
  ...forBothTypes((type) =>
    defineCase({
      id: `errors/calls/${type}-ioctl`,
      title: `a ${type} socket refuses ioctls that it does not have, or not yet`,
      requirement:
        "ioctl() MUST fail with ENOTTY for an unknown request, and fail for SIOCINQ and SIOCOUTQ without a " +
        "connection",
      refs: [man("ioctl", 2, "ENOTTY"), kernel("vsock_ioctl")],
      does: {
        client:
          `checks that ioctl() of a ${type} socket fails with ENOTTY for request 0x7ff, and that SIOCINQ and ` +
          "SIOCOUTQ fail with EOPNOTSUPP, EINVAL or ENOTTY on an unbound socket and on a listener",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        for (const what of ["an unbound socket", "a listener"]) {
          const unknown = () => socket.ioctlInt(UNKNOWN_REQUEST);
          await check.fails("ENOTTY", `request 0x7ff of ${what}`, unknown);
          for (const [name, request] of [["SIOCINQ", SIOCINQ], ["SIOCOUTQ", SIOCOUTQ]] as const) {
            const none = ["EOPNOTSUPP", "EINVAL", "ENOTTY"];
            await check.fails(none, `${name} of ${what}`, () => socket.ioctlInt(request));
          }
          if (what === "a listener") break;
          socket.bind(vsock.localAddress(vsock.peerAddress().port + 1));
          socket.listen(1);
        }
      },
    })
  ),
];
