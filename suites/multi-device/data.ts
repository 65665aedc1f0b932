/**
 * Data through each of several devices.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  defineCase,
  djb2,
  kernel,
  Mapping,
  MSG_TRUNC,
  MSG_ZEROCOPY,
  pageSize,
  POLLERR,
  proposal,
  SO_ZEROCOPY,
  type Socket,
  type SocketType,
  SOL_SOCKET,
  spec,
  SysError,
  VMADDR_PORT_ANY,
} from "../kit.ts";
import { receivesCompletion } from "../kit/completion.ts";

/** Connects from each CID, and tells the server which. */
async function connectEach(
  type: SocketType,
  { vsock, peer, check }: CaseContext,
): Promise<(readonly [number, Socket])[]> {
  const cids = vsock.deviceCids();
  await peer.writeNumbers(cids);
  await peer.expectln("LISTENING");
  const sockets: (readonly [number, Socket])[] = [];
  for (const cid of cids) {
    const socket = vsock.bound(type, { cid, port: VMADDR_PORT_ANY });
    await check.succeeds(`connect() from CID ${cid}`, () => socket.connect(vsock.peerAddress()));
    sockets.push([cid, socket]);
  }
  return sockets;
}

/** Accepts those, in the same order. */
async function acceptEach(type: SocketType, { vsock, peer, check }: CaseContext) {
  const cids = await peer.readNumbers();
  using listener = vsock.listening(type, cids.length);
  await peer.writeln("LISTENING");
  const sockets: (readonly [number, Socket])[] = [];
  for (const cid of cids) {
    const { socket, address } = await listener.accept();
    check.equal(address.cid, cid, "the CID of the client");
    sockets.push([cid, socket]);
  }
  return sockets;
}

/** Sizes of messages: the last is read with MSG_TRUNC into half of it. */
const SIZES = [1, 4052, 4053, 65_536, 3, 1000];

/** Bounds and MSG_TRUNC. */
export const seqpacketBounds = defineCase({
  id: "multi-device/data/seqpacket-bounds",
  title: "messages keep their boundaries and their length through each device",
  requirement:
    "messages sent through each device MUST arrive whole and alone; MSG_TRUNC MUST give " +
    "the real length",
  refs: [proposal("4/5"), spec("5.10.6.6 Seqpacket Sockets")],
  needs: ["seqpacket", { client: "several-devices" }],
  async client(context) {
    const { peer, check, random } = context;
    const sockets = await connectEach("seqpacket", context);
    for (const size of SIZES) {
      for (const [, socket] of sockets) {
        const message = random.bytes(size);
        await check.sends(socket, message);
        await peer.writeUlong(djb2(message));
      }
    }
    await peer.expectln("DONE");
  },
  async server(context) {
    const { peer, check } = context;
    using stack = new DisposableStack();
    const sockets = await acceptEach("seqpacket", context);
    for (const [, socket] of sockets) stack.use(socket);
    for (const [i, size] of SIZES.entries()) {
      for (const [cid, socket] of sockets) {
        const sum = await peer.readUlong();
        const isLast = i === SIZES.length - 1;
        const into = bytes(isLast ? size / 2 : 2 * size);
        const receive = () => socket.recvmsg([into], isLast ? MSG_TRUNC : 0);
        const { length, flags } = await check.succeeds("recvmsg()", receive);
        check.equal(length, size, `the length of a message from CID ${cid}`);
        if (isLast) check.flag(flags, MSG_TRUNC, "MSG_TRUNC in msg_flags");
        else check.equal(djb2(into.subarray(0, length)), sum, `a message from CID ${cid}`);
      }
    }
    await peer.writeln("DONE");
  },
});

/** How long a completion may take, in milliseconds. */
const COMPLETION_TIME = 5000;
/** Pages that are sent without being copied. */
const PAGES = 8;

/** MSG_ZEROCOPY. */
export const zerocopyEach = defineCase({
  id: "multi-device/data/zerocopy",
  title: "MSG_ZEROCOPY sends and completes through each device",
  requirement:
    "send(MSG_ZEROCOPY) through each device MUST carry the data and report that it did " +
    "not copy it",
  refs: [proposal("3/5"), kernel("virtio_transport_can_msgzerocopy")],
  needs: [{ client: "several-devices" }, { client: "zerocopy" }],
  async client(context) {
    const { peer, check, random } = context;
    const sockets = await connectEach("stream", context);
    const length = PAGES * pageSize();
    for (const [cid, socket] of sockets) {
      await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, 1);
      using memory = new Mapping(length);
      const data = random.bytes(length);
      memory.bytes().set(data);
      await check.succeeds("send(MSG_ZEROCOPY)", () => socket.send(memory.bytes(), MSG_ZEROCOPY));
      await peer.writeUlong(djb2(data));
      await peer.expectln("RECEIVED");
      const revents = await socket.poll(0, COMPLETION_TIME);
      check.flag(revents, POLLERR, `POLLERR at CID ${cid} after what was sent was received`);
      await receivesCompletion(check, socket, false, `CID ${cid}`);
    }
  },
  async server(context) {
    const { peer, check } = context;
    using stack = new DisposableStack();
    const sockets = await acceptEach("stream", context);
    for (const [, socket] of sockets) stack.use(socket);
    for (const [cid, socket] of sockets) {
      const sum = await peer.readUlong();
      const data = await check.receives(socket, PAGES * pageSize());
      check.equal(djb2(data), sum, `the data from CID ${cid}`);
      await peer.writeln("RECEIVED");
    }
  },
});

/** Sends until nothing more is taken, and gives how much was. */
function fill(socket: Socket): number {
  const data = bytes(65_536);
  for (let sent = 0;;) {
    try {
      sent += socket.sendHere(data);
    } catch (error) {
      if (error instanceof SysError && error.code === "EAGAIN") return sent;
      throw error;
    }
  }
}

/** More than a receive buffer: it needs credit to come back. */
const MUCH = 4 * 262_144;

/** One device's peer does not read. */
export const stallsAlone = defineCase({
  id: "multi-device/data/stalls-alone",
  title: "a device whose peer does not read keeps no other waiting",
  requirement:
    "while the credit of a connection through one device is exhausted, data through the " +
    "others MUST flow",
  refs: [proposal("0/5"), spec("5.10.6.3 Buffer Space Management")],
  needs: [{ client: "several-devices" }],
  timeFactor: 2,
  async client(context) {
    const { peer, check, random } = context;
    const [stalled, ...others] = await connectEach("stream", context);
    if (stalled === undefined) return;
    const filled = await check.succeeds("send()", () => fill(stalled[1]));
    for (const [, socket] of others) {
      const data = random.bytes(MUCH);
      await check.sends(socket, data);
      await peer.writeUlong(djb2(data));
      await check.receivesByte(socket);
    }
    await peer.writeUlong(filled);
    await peer.expectln("DRAINED");
    await check.sendsByte(stalled[1]);
  },
  async server(context) {
    const { peer, check } = context;
    using stack = new DisposableStack();
    const [stalled, ...others] = await acceptEach("stream", context);
    if (stalled === undefined) return;
    for (const [, socket] of [stalled, ...others]) stack.use(socket);
    for (const [cid, socket] of others) {
      const data = await check.receives(socket, MUCH);
      check.equal(djb2(data), await peer.readUlong(), `the data from CID ${cid}`);
      await check.sendsByte(socket);
    }
    await check.receives(stalled[1], Number(await peer.readUlong()));
    await peer.writeln("DRAINED");
    await check.receivesByte(stalled[1]);
  },
});

/** Connections, over all devices together. */
const CONNECTIONS = 100;

/** Many at once. */
export const hundredOverAll = defineCase({
  id: "multi-device/data/hundred-connections",
  title: "100 connections over all devices at once carry their own data",
  requirement: "each of 100 connections through several devices MUST carry its own data, both ways",
  refs: [proposal("0/5"), kernel("virtio_transport_recv_pkt")],
  needs: [{ client: "several-devices" }],
  timeFactor: 4,
  async client({ vsock, peer, check }) {
    const cids = vsock.deviceCids();
    await peer.expectln("LISTENING");
    const sockets: Socket[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const cid = cids[i % cids.length] ?? 0;
      const socket = vsock.bound("stream", { cid, port: VMADDR_PORT_ANY });
      await check.succeeds(`connect() from CID ${cid}`, () => socket.connect(vsock.peerAddress()));
      await check.sends(socket, Uint8Array.of(i, cid % 256));
      sockets.push(socket);
    }
    await peer.writeln("CONNECTED");
    for (const [i, socket] of sockets.entries()) {
      const [index] = await check.receives(socket, 1);
      check.equal(index, i, "what came back");
    }
    await peer.writeln("DONE");
  },
  async server({ vsock, peer, check }) {
    using listener = vsock.listening("stream", CONNECTIONS);
    await peer.writeln("LISTENING");
    await peer.expectln("CONNECTED");
    using stack = new DisposableStack();
    const accepted: { socket: Socket; cid: number }[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const { socket, address } = await listener.accept();
      accepted.push({ socket: stack.use(socket), cid: address.cid });
    }
    for (const { socket, cid } of accepted.reverse()) {
      const [index = 0, from] = await check.receives(socket, 2);
      check.equal(from, cid % 256, `the CID that connection ${index} says it is from`);
      await check.sends(socket, Uint8Array.of(index));
    }
    await peer.expectln("DONE");
  },
});
