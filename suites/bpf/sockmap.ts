/**
 * Sockets in a sockmap of BPF: a program decides what becomes of what they receive.
 *
 * @module
 */
import {
  Blocked,
  type Bytes,
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  errorOfBlocking,
  forBothTypes,
  kernel,
  man,
  MSG_DONTWAIT,
  POLLIN,
  seesEvents,
  SO_RCVTIMEO,
  type Socket,
  type SocketType,
  SOL_SOCKET,
} from "../../kit/mod.ts";

/** How often how much is sent: more than five windows. */
const TIMES = 45;
const PIECE = 32_000;

/** How much a recv() waits for, in bytes, and how long at most, in milliseconds. */
const LENGTH = 10;
const PATIENCE = 1000;

const refs = [
  man("bpf", 2, "BPF_MAP_TYPE_SOCKMAP"),
  kernel("vsock_bpf_update_proto"),
  kernel("virtio_transport_read_skb"),
];

/** What both sides need for a type of socket: the server has the map. */
function needsOf(type: SocketType) {
  return type === "stream" ? [{ server: "sockmap" }] as const : [
    "seqpacket",
    { server: "sockmap" },
  ] as const;
}

/** Sends what the other side is to find in its map, piece by piece. */
async function sendsAll({ check, random }: CaseContext, socket: Socket): Promise<void> {
  for (let i = 0; i < TIMES; i++) await check.sends(socket, random.bytes(PIECE));
}

/** Receives a piece, whatever bounds it has. */
async function receivesPiece({ check }: CaseContext, socket: Socket): Promise<Bytes> {
  const data = bytes(PIECE);
  let deadline = performance.now() + check.patience;
  for (let got = 0; got < PIECE;) {
    const events = await check.succeeds("poll()", () => socket.poll(POLLIN, check.patience));
    if (events === 0 || performance.now() > deadline) {
      throw check.stop(`only ${got} of ${PIECE} bytes came`);
    }
    let count = 0;
    // Linux waits with the socket locked (K-11), so that nothing would come: this does not wait.
    const code = await errorOfBlocking(async () => {
      count = await socket.recv(data.subarray(got), MSG_DONTWAIT);
    });
    if (code !== undefined && code !== "EAGAIN") throw check.stop(`recv(): got ${code}`);
    if (count > 0) deadline = performance.now() + check.patience;
    got += count;
  }
  return data;
}

/** Check that all of that comes, and nothing more. */
async function receivesAll(context: CaseContext, socket: Socket): Promise<void> {
  const { check, random } = context;
  for (let i = 0; i < TIMES; i++) {
    check.sameBytes(await receivesPiece(context, socket), random.bytes(PIECE), `piece ${i}`);
  }
  await isEmpty(context, socket, "that was read empty");
}

/** Check that a socket has nothing to receive. */
async function isEmpty(context: CaseContext, socket: Socket, which: string): Promise<void> {
  const { check } = context;
  await seesEvents(context, socket, POLLIN, 0, `of a socket ${which}`);
  const receive = () => socket.recv(bytes(1), MSG_DONTWAIT);
  await check.fails("EAGAIN", `recv() of a socket ${which}`, receive);
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `bpf/sockmap/${type}-passes-data`,
      title: `a ${type} socket in a sockmap whose program passes all receives it all`,
      requirement:
        "data that a sockmap's program passes MUST arrive whole, and count as read for the sender",
      refs: [...refs, kernel("vsock_bpf_recvmsg")],
      needs: needsOf(type),
      does: {
        client: `connects a ${type} socket, sends 1440000 bytes, and when the server has taken ` +
          "its socket out of the map a byte",
        server:
          "accepts, puts the socket into a sockmap that passes all, checks that all bytes come " +
          "and poll() and recv() then see nothing, takes it out, and receives the byte",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        using socket = await vsock.connect(type);
        await peer.expectln("MAPPED");
        await sendsAll(context, socket);
        await peer.expectln("REMOVED");
        await check.sendsByte(socket);
        await peer.expectln("DONE");
      },
      async server(context) {
        const { vsock, peer, check } = context;
        using map = vsock.sockMap(1);
        using socket = await vsock.accept(type);
        await check.succeeds("BPF_MAP_UPDATE_ELEM", () => map.insert(0, socket));
        await peer.writeln("MAPPED");
        await receivesAll(context, socket);
        await check.succeeds("BPF_MAP_DELETE_ELEM", () => map.remove(0));
        await peer.writeln("REMOVED");
        await check.receivesByte(socket);
        await peer.writeln("DONE");
      },
    })
  ),
  defineCase({
    id: "bpf/sockmap/takes-connected-alone",
    title: "a sockmap takes no socket without a connection",
    requirement:
      "BPF_MAP_UPDATE_ELEM MUST fail with EOPNOTSUPP for a socket that has no connection or listens",
    refs: [man("bpf", 2, "BPF_MAP_TYPE_SOCKMAP"), kernel("vsock_bpf_update_proto")],
    needs: [{ client: "sockmap" }],
    does: {
      client: "checks that a sockmap refuses a fresh socket, a bound one and a listener with " +
        "EOPNOTSUPP, and that it takes one that is connected, which still sends a byte",
      server: "accepts, and receives a byte",
    },
    async client({ vsock, check }) {
      using map = vsock.sockMap(1);
      using fresh = vsock.open("stream");
      await check.fails("EOPNOTSUPP", "a fresh socket", () => map.insert(0, fresh));
      const { cid, port } = vsock.localAddress();
      using bound = vsock.bound("stream", { cid, port: port + 1 });
      await check.fails("EOPNOTSUPP", "a bound socket", () => map.insert(0, bound));
      bound.listen(1);
      await check.fails("EOPNOTSUPP", "a listener", () => map.insert(0, bound));
      using connected = await vsock.connect("stream");
      await check.succeeds("a connected socket", () => map.insert(0, connected));
      await check.sendsByte(connected);
    },
    async server({ vsock, check }) {
      using socket = await vsock.accept("stream");
      await check.receivesByte(socket);
    },
  }),
  defineCase({
    id: "bpf/sockmap/waiting-reader-is-woken",
    title: "recv() that waits on a socket in a sockmap is woken by data",
    requirement: "recv() that waits on a socket in a sockmap MUST return what then comes",
    refs: [man("recv", 2, "DESCRIPTION"), kernel("vsock_bpf_recvmsg")],
    needs: [{ server: "sockmap" }],
    // Where the kernel waits with the socket locked nothing else gets through meanwhile.
    alone: "it may hold up all other connections for a second",
    does: {
      client: "connects, and sends 10 bytes when the server's recv() waits",
      server: "accepts, puts the socket into a sockmap that passes all, and checks that recv() " +
        "with SO_RCVTIMEO 1 s waits and then gives the 10 bytes",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("stream");
      await peer.expectln("WAITS");
      await check.sends(socket, bytes(LENGTH));
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check }) {
      using map = vsock.sockMap(1);
      using socket = await vsock.accept("stream");
      await check.succeeds("BPF_MAP_UPDATE_ELEM", () => map.insert(0, socket));
      await check.setsTimeval(socket, SOL_SOCKET, SO_RCVTIMEO, PATIENCE);
      const blocked = new Blocked(() => socket.recv(bytes(LENGTH)));
      check.that(await blocked.sleeps(), "recv() does not wait");
      await peer.writeln("WAITS");
      const count = await check.succeeds("recv() that waits", () => blocked.result);
      check.equal(count, LENGTH, "what recv() gives");
      await peer.writeln("DONE");
    },
  }),
];
