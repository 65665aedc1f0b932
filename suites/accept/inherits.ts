/**
 * What an accepted socket has of its listener.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  kernel,
  man,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_MIN_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  SOL_SOCKET,
  spec,
} from "../../kit/mod.ts";

/** Sizes in bytes that a listener is given, none of them the usual one. */
const SIZES = [
  [SO_VM_SOCKETS_BUFFER_MAX_SIZE, 1_000_000n],
  [SO_VM_SOCKETS_BUFFER_MIN_SIZE, 4096n],
  [SO_VM_SOCKETS_BUFFER_SIZE, 300_000n],
] as const;
/** The time of connect(), in milliseconds. */
const TIME = 7000;
/** A window in bytes, and how much goes through it. */
const WINDOW = 1024;
const MUCH = 10_000;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/inherits/${type}-options`,
      title: `an accepted ${type} socket has its listener's buffers, and not its SO_RCVLOWAT`,
      requirement:
        "accept() MUST give a socket with the sizes and the connect time of its listener, and with " +
        "SO_RCVLOWAT 1 and SO_RCVTIMEO 0",
      refs: [man("vsock", 7, "SO_VM_SOCKETS_BUFFER_SIZE"), kernel("__vsock_create")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket, and waits until the server has closed it`,
        server:
          `sets the three sizes, the connect time, SO_RCVLOWAT and SO_RCVTIMEO of a ${type} ` +
          "listener, accepts, and checks that what it gets has the first four, and the usual two",
      },
      async client({ vsock, check }) {
        using socket = await vsock.connect(type);
        await check.receivesEnd(socket);
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type);
        for (const [option, size] of SIZES) await check.setsU64(listener, AF_VSOCK, option, size);
        await check.setsTimeval(listener, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, TIME);
        await check.setsInt(listener, SOL_SOCKET, SO_RCVLOWAT, 100);
        await check.setsTimeval(listener, SOL_SOCKET, SO_RCVTIMEO, TIME);
        await peer.writeln("LISTENING");
        await listener.poll();
        const { socket } = await check.succeeds("accept()", () => listener.accept());
        using accepted = socket;
        for (const [option, size] of SIZES) {
          check.equal(accepted.getU64(AF_VSOCK, option), size, `option ${option} after accept()`);
        }
        const time = accepted.getTimeval(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT);
        check.equal(time, TIME, "the connect time after accept(), in milliseconds");
        check.equal(accepted.getInt(SOL_SOCKET, SO_RCVLOWAT), 1, "SO_RCVLOWAT after accept()");
        const wait = accepted.getTimeval(SOL_SOCKET, SO_RCVTIMEO);
        check.equal(wait, 0, "SO_RCVTIMEO after accept(), in milliseconds");
      },
    })
  ),
  defineCase({
    id: "accept/inherits/stream-window",
    title: "a listener's buffer is the window of each connection from the start",
    requirement:
      "a peer MUST send no more than the buffer size that the listener had, and all of it in the end",
    refs: [spec("5.10.6.3 Buffer Space Management"), kernel("virtio_transport_stream_has_space")],
    does: {
      client:
        "connects a stream socket, checks that it can send just 1024 of 10000 bytes without " +
        "waiting, then sends the rest",
      server:
        "sets the buffer of a listener to 1024 bytes, accepts, and receives 10000 bytes when the " +
        "client can send no more",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      const data = random.bytes(MUCH);
      const first = await check.succeeds("send()", () => socket.sendHere(data));
      check.equal(first, WINDOW, "what send() takes of 10000 bytes");
      await check.fails("EAGAIN", "send() beyond the window", () => socket.sendHere(bytes(1)));
      await peer.writeln("FULL");
      await check.sends(socket, data.subarray(first));
      await check.receivesEnd(socket);
    },
    async server({ vsock, peer, check, random }) {
      using listener = vsock.bound("stream");
      listener.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, BigInt(WINDOW));
      listener.listen(1);
      await peer.writeln("LISTENING");
      const { socket } = await check.succeeds("accept()", () => listener.accept());
      using accepted = socket;
      await peer.expectln("FULL");
      const data = await check.receives(accepted, MUCH);
      check.sameBytes(data, random.bytes(MUCH), "what came through the window");
    },
  }),
  defineCase({
    id: "accept/inherits/seqpacket-window",
    title: "a listener's buffer bounds the messages of each connection",
    requirement:
      "a message larger than the listener's buffer MUST fail with EMSGSIZE, one as large arrive",
    refs: [man("send", 2, "EMSGSIZE"), kernel("virtio_transport_seqpacket_enqueue")],
    needs: ["seqpacket"],
    does: {
      client:
        "connects a seqpacket socket, checks that a message of 1025 bytes fails with EMSGSIZE, and sends " +
        "one of 1024",
      server:
        "sets the buffer of a listener to 1024 bytes, accepts, and receives a message of that size",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("seqpacket");
      const large = () => socket.send(bytes(WINDOW + 1));
      await check.fails("EMSGSIZE", "send() of 1025 bytes", large);
      await check.sends(socket, random.bytes(WINDOW));
      await peer.writeln("SENT");
      await check.receivesEnd(socket);
    },
    async server({ vsock, peer, check, random }) {
      using listener = vsock.bound("seqpacket");
      listener.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, BigInt(WINDOW));
      listener.listen(1);
      await peer.writeln("LISTENING");
      const { socket } = await check.succeeds("accept()", () => listener.accept());
      using accepted = socket;
      await peer.expectln("SENT");
      const data = await check.receives(accepted, WINDOW, 0, 2 * WINDOW);
      check.sameBytes(data, random.bytes(WINDOW), "the message");
    },
  }),
];
