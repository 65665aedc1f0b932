/**
 * The window: exactly how much can be sent to a peer that does not read, virtio 1.3, 5.10.6.3.
 *
 * @module
 */
import {
  acceptWith,
  AF_VSOCK,
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  connectWith,
  defineCase,
  fillAgain,
  fillWindow,
  forBothTypes,
  kernel,
  MSG_DONTWAIT,
  POLLOUT,
  readToEnd,
  seesEvents,
  SHUT_WR,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  type Socket,
  type SocketType,
  spec,
  WINDOW,
} from "../../kit/mod.ts";

const REFS = [
  spec("5.10.6.3 Buffer Space Management"),
  kernel("virtio_transport_get_credit"),
];
const LARGE = 2 * WINDOW;
const SMALL = 64 * 1024;

/** Sets a buffer's size, above its usual limit if need be. */
async function setBuffer(socket: Socket, size: number, { check }: CaseContext) {
  if (size > WINDOW) {
    await check.setsU64(socket, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, BigInt(size));
  }
  await check.setsU64(socket, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, BigInt(size));
}

/** Fills a window that must have so much room, and no more, and sees that it is full. */
async function fills(context: CaseContext, socket: Socket, expected: number, what: string) {
  context.check.equal(await fillAgain(context, socket, expected), expected, what);
  context.check.equal(await fillWindow(context, socket), 0, `${what}, once more`);
  await seesEvents(context, socket, POLLOUT, 0, "of a sender whose window is full");
}

/** Fills its window, twice: when the server has read all it is as large as before. */
async function fillTwice(type: SocketType, context: CaseContext) {
  const { vsock, peer } = context;
  using socket = await vsock.connect(type);
  await fills(context, socket, WINDOW, "what fits into the window");
  await peer.writeln("FULL");
  await peer.expectln("READ");
  await fills(context, socket, WINDOW, "what fits into the window when it was read empty");
  socket.shutdown(SHUT_WR);
  await peer.writeln("FULL");
  await peer.expectln("READ");
}

/** Reads what was sent when the client says so, and fills the client's window meanwhile. */
async function readTwice(type: SocketType, context: CaseContext) {
  const { vsock, peer, check } = context;
  using socket = await vsock.accept(type);
  await peer.expectln("FULL");
  await fills(context, socket, WINDOW, "what fits into the window the other way");
  let left = WINDOW;
  while (left > 0) {
    left -= await check.succeeds("recv()", () => socket.recv(bytes(SMALL), MSG_DONTWAIT));
  }
  check.equal(left, 0, "what is left of the window's bytes");
  await peer.writeln("READ");
  await peer.expectln("FULL");
  const rest = await readToEnd(context, socket, WINDOW);
  check.equal(rest.length, WINDOW, "how much came after that");
  await peer.writeln("READ");
}

const fillsExactly = forBothTypes((type) =>
  defineCase({
    id: `flow/window/${type}-fills-exactly`,
    title: "a sender can send its peer's whole window and not a byte more, again and again",
    requirement:
      "a sender MUST be able to send as much as the peer's buffer holds, and no more, then EAGAIN",
    refs: REFS,
    needs: connecting(type, "known-place"),
    does: {
      client: `connects a ${type} socket, sends until EAGAIN, twice, with the server reading all ` +
        "between, and checks that it takes 262144 bytes each time and POLLOUT is then off",
      server: "accepts, checks that 262144 bytes fit the other way too, and reads what was sent, " +
        "twice",
    },
    client: (context) => fillTwice(type, context),
    server: (context) => readTwice(type, context),
  })
);

/** Draws a size of buffer from the seed, of whole pieces where messages must not be torn. */
function drawn({ random }: CaseContext, type: SocketType): number {
  return type === "stream" ? 1024 + random.below(WINDOW - 1024) : 4096 * (1 + random.below(63));
}

/** The peer's buffer, of a drawn size, is what can be sent: told before there is a connection. */
const boundByPeers = forBothTypes((type) =>
  defineCase({
    id: `flow/window/${type}-bound-by-peers-buffer`,
    title: "a buffer set before the connection is what the peer may send, in both directions",
    requirement:
      "what a side says of its buffer as it connects MUST be exactly what its peer can send",
    refs: REFS,
    needs: connecting(type, "known-place"),
    does: {
      client: `connects a ${type} socket with a buffer of a drawn size, after setting it, raises ` +
        "its own again, and checks that exactly the server's size can be sent",
      server:
        "listens with a buffer of another drawn size, raises its own when the client is done, " +
        "and checks that exactly the client's size can be sent",
    },
    async client(context) {
      const { peer } = context;
      const [clients, servers] = [drawn(context, type), drawn(context, type)];
      using socket = await connectWith(
        context,
        type,
        (opened) => opened.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, BigInt(clients)),
      );
      await peer.expectln("FILLED");
      await setBuffer(socket, WINDOW, context);
      await fills(context, socket, servers, "what fits into the server's buffer");
      await peer.writeln("FILLED");
      await peer.expectln("DONE");
    },
    async server(context) {
      const { peer, check } = context;
      const [clients, servers] = [drawn(context, type), drawn(context, type)];
      using socket = await acceptWith(
        context,
        type,
        (listener) => listener.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, BigInt(servers)),
      );
      const own = Math.min(clients, servers);
      check.equal(await fillWindow(context, socket), own, "what fits into the client's buffer");
      await peer.writeln("FILLED");
      await peer.expectln("FILLED");
      await peer.writeln("DONE");
    },
  })
);

const boundByOwn = forBothTypes((type) =>
  defineCase({
    id: `flow/window/${type}-bound-by-own-buffer`,
    title: "a sender queues exactly its own buffer where the peer's is larger",
    requirement:
      "what is not yet read MUST NOT exceed the sender's own SO_VM_SOCKETS_BUFFER_SIZE, and SHOULD " +
      "reach it",
    refs: REFS,
    needs: connecting(type, "known-place"),
    does: {
      client:
        `connects a ${type} socket, sets its buffer to a drawn size, and checks that exactly ` +
        "that can be sent to a peer that does not read",
      server: "accepts, and reads nothing",
    },
    async client(context) {
      const { vsock, peer } = context;
      using socket = await vsock.connect(type);
      const size = drawn(context, type);
      await setBuffer(socket, size, context);
      await fills(context, socket, size, "what fits into one's own buffer");
      await peer.writeln("DONE");
    },
    async server({ vsock, peer }) {
      using _socket = await vsock.accept(type);
      await peer.expectln("DONE");
    },
  })
);

/** The window shrinks below what is in flight, and is filled again when all of that was read. */
const shrunk = forBothTypes((type) =>
  defineCase({
    id: `flow/window/${type}-shrunk-below-what-is-sent`,
    title: "a window that shrinks below what is in flight stops the sender until that was read",
    requirement: "a sender MUST NOT send more while more is in flight than the peer's buffer holds",
    refs: [...REFS, kernel("virtio_transport_notify_buffer_size")],
    needs: connecting(type, "known-place"),
    does: {
      client:
        `connects a ${type} socket, sends 128 KiB, and checks that when the server's buffer is 64 ` +
        "KiB send() is EAGAIN without POLLOUT, and that 64 KiB fit when all was read",
      server: "accepts, sets its buffer to 64 KiB when 128 KiB were sent, then reads them",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect(type);
      for (let sent = 0; sent < 2 * SMALL; sent += 4096) await check.sends(socket, bytes(4096));
      await peer.writeln("SENT");
      await peer.expectln("SHRUNK");
      await seesEvents(context, socket, POLLOUT, 0, "when more is in flight than the window holds");
      check.equal(await fillWindow(context, socket), 0, "what could be sent into no window");
      await peer.writeln("TRIED");
      await peer.expectln("READ");
      await fills(context, socket, SMALL, "what fits into the smaller window");
      await peer.writeln("DONE");
    },
    async server(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.accept(type);
      await peer.expectln("SENT");
      await setBuffer(socket, SMALL, context);
      await peer.writeln("SHRUNK");
      await peer.expectln("TRIED");
      for (let left = 2 * SMALL; left > 0; left -= 4096) await check.receives(socket, 4096);
      await peer.writeln("READ");
      await peer.expectln("DONE");
    },
  })
);

/** The window grows though nobody has read. */
const grown = forBothTypes((type) =>
  defineCase({
    id: `flow/window/${type}-grown-without-reading`,
    title: "a larger buffer lets a sender go on that had none left",
    requirement: "a receiver that enlarges its buffer MUST tell its peer, who may then send more",
    refs: [...REFS, kernel("virtio_transport_notify_buffer_size")],
    needs: connecting(type, "known-place"),
    does: {
      client:
        `connects a ${type} socket, sets its buffer to 512 KiB, fills the window of 256 KiB, ` +
        "and checks that exactly 256 KiB more fit when the server's grew",
      server: "accepts, sets its buffer to 512 KiB when the client's window is full",
    },
    async client(context) {
      const { vsock, peer } = context;
      using socket = await vsock.connect(type);
      await setBuffer(socket, LARGE, context);
      await fills(context, socket, WINDOW, "what fits into the window");
      await peer.writeln("FULL");
      await fills(context, socket, LARGE - WINDOW, "what fits when the window grew");
      await peer.writeln("DONE");
    },
    async server(context) {
      const { vsock, peer } = context;
      using socket = await vsock.accept(type);
      await peer.expectln("FULL");
      await setBuffer(socket, LARGE, context);
      await peer.expectln("DONE");
    },
  })
);

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...fillsExactly,
  ...boundByPeers,
  ...boundByOwn,
  ...shrunk,
  ...grown,
];
