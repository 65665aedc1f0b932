/**
 * Options of SOL_SOCKET, and those that AF_VSOCK does not have.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  failsAfter,
  forBothTypes,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  kernel,
  man,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDTIMEO,
  SO_TYPE,
  SO_VM_SOCKETS_NONBLOCK_TXRX,
  SO_VM_SOCKETS_PEER_HOST_VM_ID,
  SO_VM_SOCKETS_TRUSTED,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  type Socket,
  SOL_SOCKET,
  TCP_NODELAY,
  timedSleep,
} from "../../kit/mod.ts";
import { returnByte } from "../_shared/return_byte.ts";

/** Options that a vsock socket does not have, by name, level and number. */
const UNKNOWN: readonly (readonly [name: string, level: number, option: number])[] = [
  ["SO_VM_SOCKETS_PEER_HOST_VM_ID", AF_VSOCK, SO_VM_SOCKETS_PEER_HOST_VM_ID],
  ["SO_VM_SOCKETS_TRUSTED", AF_VSOCK, SO_VM_SOCKETS_TRUSTED],
  ["SO_VM_SOCKETS_NONBLOCK_TXRX", AF_VSOCK, SO_VM_SOCKETS_NONBLOCK_TXRX],
  ["option 99 of AF_VSOCK", AF_VSOCK, 99],
  ["option -1 of AF_VSOCK", AF_VSOCK, -1],
  ["option 999 of SOL_SOCKET", SOL_SOCKET, 999],
  ["TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY],
  ["IP_TOS", IPPROTO_IP, IP_TOS],
  ["IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY],
];

/** Claims that none of those can be read or set. */
async function refusesUnknown({ check }: CaseContext, socket: Socket): Promise<void> {
  for (const [name, level, option] of UNKNOWN) {
    const set = () => socket.setsockopt(level, option, bytes(8));
    await check.fails("ENOPROTOOPT", `setsockopt(${name})`, set);
    const get = () => socket.getsockopt(level, option, 8).length;
    await check.fails("ENOPROTOOPT", `getsockopt(${name})`, get);
  }
}

/** Claims what a socket says that it is. */
function tellsKind({ check }: CaseContext, socket: Socket, what: string, listens = false): void {
  const type = socket.type === "stream" ? SOCK_STREAM : SOCK_SEQPACKET;
  const kinds = [
    ["SO_TYPE", SO_TYPE, type],
    ["SO_DOMAIN", SO_DOMAIN, AF_VSOCK],
    ["SO_PROTOCOL", SO_PROTOCOL, 0],
    ["SO_ACCEPTCONN", SO_ACCEPTCONN, listens ? 1 : 0],
    ["SO_ERROR", SO_ERROR, 0],
  ] as const;
  for (const [name, option, value] of kinds) {
    check.equal(socket.getInt(SOL_SOCKET, option), value, `${name} of ${what}`);
  }
}

/** SO_RCVTIMEO when recv() begins, and what it is set to then, in milliseconds. */
const EARLIER = 300;
const LATER = 700;
/** The default window, in bytes. */
const WINDOW = 262_144;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `options/socket/${type}-kind`,
      title: `a ${type} socket tells what it is`,
      requirement:
        "SO_TYPE, SO_DOMAIN, SO_PROTOCOL and SO_ACCEPTCONN MUST tell what a socket is, and not be set",
      refs: [man("socket", 7, "SO_DOMAIN"), kernel("vsock_create")],
      needs: connecting(type),
      does: {
        client:
          `checks what SO_TYPE, SO_DOMAIN (40), SO_PROTOCOL (0), SO_ACCEPTCONN and SO_ERROR of a ` +
          `${type} socket are when it is new and when it is connected, and ENOPROTOOPT for setting ` +
          "the first four",
        server: "checks the same of a listener and of what it accepts",
      },
      async client(context) {
        const { vsock, check } = context;
        using unused = vsock.open(type);
        tellsKind(context, unused, "a new socket");
        for (const option of [SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN]) {
          const set = () => unused.setInt(SOL_SOCKET, option, 1);
          await check.fails("ENOPROTOOPT", `setting option ${option}`, set);
        }
        using socket = await vsock.connect(type);
        tellsKind(context, socket, "a connected socket");
        await check.receivesEnd(socket);
      },
      async server(context) {
        const { vsock, peer } = context;
        using listener = vsock.listening(type);
        tellsKind(context, listener, "a listener", true);
        await peer.writeln("LISTENING");
        const { socket } = await listener.accept();
        using accepted = socket;
        tellsKind(context, accepted, "what was accepted");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `options/socket/${type}-unknown`,
      title: `options that AF_VSOCK does not have fail with ENOPROTOOPT on a ${type} socket`,
      requirement:
        "getsockopt() and setsockopt() of an option or a level that a socket lacks MUST be " +
        "ENOPROTOOPT, and leave its connection alone",
      refs: [man("setsockopt", 2, "ENOPROTOOPT"), kernel("vsock_connectible_setsockopt")],
      needs: connecting(type),
      does: {
        client:
          `checks ENOPROTOOPT for 9 options, three of them TCP's and IP's, on a new ${type} socket ` +
          "and on a connected one, and sends and receives a byte",
        server: "accepts, receives a byte, and sends one",
      },
      async client(context) {
        const { vsock, check } = context;
        using unused = vsock.open(type);
        await refusesUnknown(context, unused);
        using socket = await vsock.connect(type);
        await refusesUnknown(context, socket);
        await check.sendsByte(socket);
        await check.receivesByte(socket);
      },
      server: (context) => returnByte(context, type),
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `options/socket/${type}-portable`,
      title: `options that portable programs set can be set on a ${type} socket`,
      requirement:
        "SO_KEEPALIVE, SO_REUSEADDR, SO_RCVTIMEO and SO_SNDTIMEO MUST be kept, as far as they are " +
        "whole",
      refs: [man("socket", 7, "SO_KEEPALIVE"), kernel("vsock_create")],
      does: {
        client:
          `checks that SO_KEEPALIVE, SO_REUSEADDR, SO_RCVTIMEO and SO_SNDTIMEO of a ${type} socket ` +
          "can be set and are given back, that both times fail with EINVAL with 4 bytes and with none, and " +
          "SO_REUSEPORT fails with EOPNOTSUPP or kept",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        for (const option of [SO_KEEPALIVE, SO_REUSEADDR]) {
          await check.setsInt(socket, SOL_SOCKET, option, 1);
          await check.setsInt(socket, SOL_SOCKET, option, 0);
        }
        for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
          await check.setsTimeval(socket, SOL_SOCKET, option, 1500);
          for (const size of [0, 4]) {
            const set = () => socket.setsockopt(SOL_SOCKET, option, bytes(size));
            await check.fails("EINVAL", `option ${option} with ${size} bytes`, set);
          }
        }
        let code = "kept";
        try {
          socket.setInt(SOL_SOCKET, SO_REUSEPORT, 1);
        } catch (error) {
          code = (error as { code?: string }).code ?? "";
        }
        check.that(["kept", "EOPNOTSUPP"].includes(code), `SO_REUSEPORT: ${code}`);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `options/socket/${type}-reuseaddr`,
      title: `SO_REUSEADDR does not share a ${type} socket's port`,
      requirement:
        "bind() to a port that another socket has MUST fail with EADDRINUSE with SO_REUSEADDR, too",
      refs: [man("bind", 2, "EADDRINUSE"), kernel("__vsock_bind")],
      does: {
        client:
          `sets SO_REUSEADDR on two ${type} sockets, binds both to one port, and checks that the ` +
          "second bind() fails with EADDRINUSE",
      },
      async client({ vsock, check }) {
        using first = vsock.open(type);
        using second = vsock.open(type);
        for (const socket of [first, second]) socket.setInt(SOL_SOCKET, SO_REUSEADDR, 1);
        first.bind(vsock.localAddress());
        const bind = () => second.bind(vsock.localAddress());
        await check.fails("EADDRINUSE", "bind() of the second socket", bind);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `options/socket/${type}-rcvtimeo-of-waiting`,
      title: `recv() of a ${type} socket that waits keeps the SO_RCVTIMEO with which it began`,
      requirement: "SO_RCVTIMEO SHOULD be that of the calls that begin after it was set",
      refs: [man("socket", 7, "SO_RCVTIMEO"), kernel("vsock_connectible_wait_data")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, sets SO_RCVTIMEO to 300 ms, calls recv(), sets it to 700 ms ` +
          "meanwhile, and checks that recv() fails with EAGAIN after 300 ms, and the next after 700 ms",
        server: "accepts, sends nothing, and keeps the connection until the client is done",
      },
      async client({ vsock, peer, check }) {
        using socket = await vsock.connect(type);
        const receive = () => socket.recv(bytes(1));
        await failsAfter(check, "EAGAIN", EARLIER, "recv() that began before", async () => {
          socket.setTimeval(SOL_SOCKET, SO_RCVTIMEO, EARLIER);
          const setLater = async () => {
            await timedSleep(EARLIER / 3);
            socket.setTimeval(SOL_SOCKET, SO_RCVTIMEO, LATER);
          };
          const [waiting] = await Promise.allSettled([receive(), setLater()]);
          if (waiting.status === "rejected") throw waiting.reason;
        });
        await failsAfter(check, "EAGAIN", LATER, "recv() that began afterwards", receive);
        await peer.writeln("DONE");
      },
      async server({ vsock, peer }) {
        using _socket = await vsock.accept(type);
        await peer.expectln("DONE");
      },
    })
  ),
  defineCase({
    id: "options/socket/stream-buffers-bound-nothing",
    title: "SO_SNDBUF and SO_RCVBUF do not bound a connection",
    requirement: "a connection's window MUST be its AF_VSOCK buffer, whatever SO_SNDBUF says",
    refs: [man("vsock", 7, "SO_VM_SOCKETS_BUFFER_SIZE"), kernel("vsock_connectible_sendmsg")],
    does: {
      client:
        "sets SO_SNDBUF and SO_RCVBUF of a stream socket to 1, connects, and checks that just " +
        "262144 bytes can be sent without waiting, and that all arrive",
      server:
        "sets both to 1 on a listener, accepts, and receives all when the client can send no more",
    },
    async client({ vsock, peer, check, random }) {
      using socket = vsock.open("stream");
      for (const option of [SO_SNDBUF, SO_RCVBUF]) socket.setInt(SOL_SOCKET, option, 1);
      await peer.expectln("LISTENING");
      await socket.connect(vsock.peerAddress());
      const data = random.bytes(WINDOW + 1);
      let sent = 0;
      const send = () => socket.sendHere(data.subarray(sent));
      while (sent < WINDOW) sent += await check.succeeds(`send() after ${sent} bytes`, send);
      check.equal(sent, WINDOW, "what can be sent");
      await check.fails("EAGAIN", "send() beyond the window", send);
      await peer.writeln("FULL");
      await check.receivesEnd(socket);
    },
    async server({ vsock, peer, check, random }) {
      using listener = vsock.bound("stream");
      for (const option of [SO_SNDBUF, SO_RCVBUF]) listener.setInt(SOL_SOCKET, option, 1);
      listener.listen(1);
      await peer.writeln("LISTENING");
      const { socket } = await listener.accept();
      using accepted = socket;
      await peer.expectln("FULL");
      const data = await check.receives(accepted, WINDOW);
      check.sameBytes(data, random.bytes(WINDOW + 1).subarray(0, WINDOW), "what arrived");
    },
  }),
];
