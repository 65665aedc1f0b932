/**
 * Data is the same behind a transport, whatever the sizes of sends and receives.
 *
 * @module
 */
import {
  type Bytes,
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  kernel,
  man,
  MSG_MORE,
  MSG_PEEK,
  pollEvents,
  POLLIN,
  receiveSlowly,
  sendfile,
  type Socket,
  type SocketType,
  spec,
  splice,
  timedSleep,
  WINDOW,
} from "../../kit/mod.ts";

/**
 * Around 128 bytes the kernel begins to give packets memory of their own; a receive buffer of
 * virtio's is 4096 bytes with 44 of them for the header; above 32 KiB a packet is in pages; 64 KiB is
 * the largest packet, 256 KiB the window.
 */
const EDGES: readonly number[] = [
  ...[1, 2, 127, 128, 129, 4051, 4052, 4053, 4095, 4096, 4097, 8191, 8192, 8193],
  ...[32_767, 32_768, 32_769, 65_491, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073],
  ...[WINDOW - 1, WINDOW],
];
/** More than the window: for streams. */
const BEYOND = [WINDOW + 1, 1_000_000];

/** Sends data of each size, each with one call that must take all of it. */
async function sendEach(
  context: CaseContext,
  socket: Socket,
  sizes: readonly number[],
  data: Bytes,
) {
  const { check } = context;
  let at = 0;
  for (const size of sizes) {
    const part = data.subarray(at, at += size);
    const taken = await check.succeeds(`send(${size})`, () => socket.send(part));
    check.equal(taken, size, `what one send(${size}) took`);
  }
}

/** Receives data of each size: of messages one at a time, each with room for more. */
async function receiveEach(
  context: CaseContext,
  socket: Socket,
  sizes: readonly number[],
  data: Bytes,
) {
  const { check } = context;
  let at = 0;
  for (const size of sizes) {
    const expected = data.subarray(at, at += size);
    const room = socket.type === "stream" ? size : size + 100;
    const into = bytes(room);
    let got = 0;
    do {
      const count = await check.succeeds(`recv(${room})`, () => socket.recv(into.subarray(got)));
      if (count === 0) throw check.stop(`recv(${room}): end of file`);
      got += count;
    } while (socket.type === "stream" && got < size);
    check.sameBytes(into.subarray(0, got), expected, `what was sent with one send(${size})`);
  }
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

const edges = forBothTypes((type) => {
  const sizes = type === "stream" ? [...EDGES, ...BEYOND] : EDGES;
  return defineCase({
    id: `flow/data/${type}-at-every-size`,
    title: "data is the same at every size at which the kernel changes its way",
    requirement: "what is sent MUST arrive whole, once and in order, whatever its size",
    refs: [
      spec("5.10.6.4 Receive and Transmit"),
      kernel("virtio_transport_send_pkt_info"),
      kernel("virtio_transport_recv_enqueue"),
    ],
    needs: connecting(type),
    timeFactor: 2,
    does: {
      client:
        `connects a ${type} socket, sends ${sizes.length} sizes from 1 byte to beyond where ` +
        "packets change, each with one send() that must take all, then receives the same",
      server: "accepts, checks that each size comes as it was sent, then sends the same back",
    },
    async client(context) {
      const { vsock, peer, random } = context;
      using socket = await vsock.connect(type);
      const data = random.bytes(sum(sizes));
      await sendEach(context, socket, sizes, data);
      await receiveEach(context, socket, sizes, data);
      await peer.writeln("DONE");
    },
    async server(context) {
      const { vsock, peer, random } = context;
      using socket = await vsock.accept(type);
      const data = random.bytes(sum(sizes));
      await receiveEach(context, socket, sizes, data);
      await sendEach(context, socket, sizes, data);
      await peer.expectln("DONE");
    },
  });
});

const DRAWN = 32;

/** Sizes between 1 and 128 KiB, as many of each order of magnitude. */
function drawnSizes({ random }: CaseContext): number[] {
  return Array.from({ length: DRAWN }, () => 1 + random.below(2 ** random.below(18)));
}

/** Sends and receives at once: neither may wait for the other. */
async function exchange(context: CaseContext, socket: Socket, isClient: boolean) {
  const { peer, random } = context;
  const sizes = [drawnSizes(context), drawnSizes(context)];
  // Four windows each way: each side has to read while its own sends wait.
  for (const each of sizes) while (sum(each) < 4 * WINDOW) each.push(WINDOW / 2);
  const data = sizes.map((each) => random.bytes(sum(each)));
  const [own, others] = isClient ? [0, 1] : [1, 0];
  await Promise.all([
    sendEach(context, socket, sizes[own] ?? [], data[own] ?? bytes(0)),
    receiveEach(context, socket, sizes[others] ?? [], data[others] ?? bytes(0)),
  ]);
  await peer.writeln("DONE");
  await peer.expectln("DONE");
}

const bothWays = forBothTypes((type) =>
  defineCase({
    id: `flow/data/${type}-both-ways-at-once`,
    title: "data flows both ways at once, beyond the windows, at drawn sizes",
    requirement: "each direction MUST flow by itself, also while the other waits for credit",
    refs: [spec("5.10.6.3 Buffer Space Management"), kernel("virtio_transport_recv_enqueue")],
    needs: connecting(type),
    timeFactor: 2,
    does: {
      client: `connects a ${type} socket, sends more than 1 MiB in pieces of drawn sizes and ` +
        "receives as much at the same time, and checks that each piece is right",
      server: "accepts, and does the same the other way",
    },
    async client(context) {
      using socket = await context.vsock.connect(type);
      await exchange(context, socket, true);
    },
    async server(context) {
      using socket = await context.vsock.accept(type);
      await exchange(context, socket, false);
    },
  })
);

/** A request, then much more back to a reader that pauses. */
function slowReader(type: SocketType, mebibytes: number, pause: number) {
  const total = mebibytes * 1024 * 1024;
  return defineCase({
    id: `flow/data/${mebibytes}-mib-to-a-slow-reader`,
    title: `${mebibytes} MiB reach a reader that pauses after each window`,
    requirement: "a reader that pauses MUST receive everything that was sent, in order",
    refs: [spec("5.10.6.3 Buffer Space Management"), kernel("virtio_transport_stream_dequeue")],
    ...mebibytes > 8 ? { slow: true, timeFactor: 3 } : {},
    does: {
      client:
        `connects, asks with 64 bytes, receives ${mebibytes} MiB with a pause of ${pause} ms ` +
        "after every 256 KiB, and checks that each byte is right",
      server: `accepts, receives the request, and sends ${mebibytes} MiB`,
    },
    async client(context) {
      const { vsock, check, random, peer } = context;
      using socket = await vsock.connect(type);
      const block = random.bytes(64 * 1024 + 1);
      await check.sends(socket, block.subarray(0, 64));
      for (let got = 0; got < total;) {
        const length = Math.min(WINDOW, total - got);
        const data = await receiveSlowly(context, socket, length, { pause });
        check.sameBytes(data, repeated(block, got, length), `what came from byte ${got} on`);
        got += length;
      }
      await peer.writeln("DONE");
    },
    async server({ vsock, check, random, peer }) {
      using socket = await vsock.accept(type);
      const block = random.bytes(64 * 1024 + 1);
      await check.receives(socket, 64);
      for (let sent = 0; sent < total; sent += WINDOW) {
        await check.sends(socket, repeated(block, sent, Math.min(WINDOW, total - sent)));
      }
      await peer.expectln("DONE");
    },
  });
}

/** The bytes of an endless repetition of a block, from a place on. */
function repeated(block: Bytes, from: number, length: number): Bytes {
  const data = bytes(length);
  for (let at = 0; at < length;) {
    const part = block.subarray((from + at) % block.length);
    data.set(part.subarray(0, length - at), at);
    at += Math.min(part.length, length - at);
  }
  return data;
}

const FILE_SIZE = 700_001;
const PEEKS = [1, 4052, 32_769, 65_537, 100_001];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...edges,
  ...bothWays,
  slowReader("stream", 4, 20),
  slowReader("stream", 32, 100),
  defineCase({
    id: "flow/data/sendfile-and-splice",
    title: "data moves between files, pipes and sockets within the kernel",
    requirement: "sendfile() to a socket and splice() from one MUST move every byte, then give 0",
    refs: [
      man("sendfile", 2, "DESCRIPTION"),
      man("splice", 2, "RETURN VALUE"),
      kernel("vsock_connectible_recvmsg"),
    ],
    does: {
      client:
        "connects, sends a file of 700001 bytes with sendfile() until that gives 0, and closes",
      server:
        "accepts, moves what comes into a pipe with splice(), checks that it reads the same " +
        "from there, and that splice() gives 0 at the end",
    },
    async client({ vsock, check, random, peer }) {
      using socket = await vsock.connect("stream");
      using file = await vsock.file(random.bytes(FILE_SIZE));
      let sent = 0;
      for (let count = 1; count > 0; sent += count) {
        count = await check.succeeds("sendfile()", () => sendfile(socket, file, FILE_SIZE));
      }
      check.equal(sent, FILE_SIZE, "what sendfile() sent");
      await socket.close();
      await peer.expectln("DONE");
    },
    async server({ vsock, check, random, peer }) {
      using socket = await vsock.accept("stream");
      const expected = random.bytes(FILE_SIZE);
      const { reader, writer } = vsock.pipe();
      using _writer = writer;
      using pipe = reader;
      const data = bytes(FILE_SIZE + 1);
      let got = 0;
      for (;;) {
        const moved = await check.succeeds("splice()", () => splice(socket, writer, 30_001));
        if (moved === 0) break;
        for (let left = moved; left > 0;) {
          const count = await pipe.read(data.subarray(got, got + left));
          [got, left] = [got + count, left - count];
        }
      }
      check.sameBytes(data.slice(0, got), expected, "what splice() moved");
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "flow/data/peeks-of-odd-sizes",
    title: "peeks into many packets show what is then read",
    requirement: "recv(MSG_PEEK) MUST show the bytes that come next, as far as they reach",
    refs: [man("recv", 2, "MSG_PEEK"), kernel("virtio_transport_stream_do_peek")],
    does: {
      client: "connects, and sends 200003 bytes with one send()",
      server: "accepts, peeks at 1, 4052, 32769, 65537 and 100001 bytes, between odd reads, and " +
        "checks that peeks and reads show the right bytes",
    },
    async client({ vsock, check, random, peer }) {
      using socket = await vsock.connect("stream");
      await check.sends(socket, random.bytes(200_003));
      await peer.expectln("DONE");
    },
    async server({ vsock, check, random, peer }) {
      using socket = await vsock.accept("stream");
      const expected = random.bytes(200_003);
      let at = 0;
      for (const size of PEEKS) {
        const seen = await check.receives(socket, size, MSG_PEEK);
        check.sameBytes(
          seen,
          expected.subarray(at, at + size),
          `what a peek at ${size} bytes shows`,
        );
        const read = 1 + random.below(10_001);
        const data = await check.receives(socket, read);
        check.sameBytes(
          data,
          expected.subarray(at, at += read),
          `what a read of ${read} bytes gives`,
        );
      }
      const rest = await check.receives(socket, expected.length - at);
      check.sameBytes(rest, expected.subarray(at), "the rest");
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "flow/data/small-sends-to-a-late-reader",
    title: "two thousand small sends reach a reader that starts late",
    requirement:
      "small packets that fit the peer's window MUST arrive, however late the peer reads them",
    refs: [spec("5.10.6.3 Buffer Space Management"), kernel("virtio_transport_recv_enqueue")],
    does: {
      client:
        "connects, makes 2000 sends of 100 bytes, less than the window, and checks that each " +
        "takes all",
      server: "accepts, waits until all are sent, and checks that all bytes come",
    },
    async client({ vsock, check, random, peer }) {
      using socket = await vsock.connect("stream");
      const data = random.bytes(200_000);
      const sendAll = async () => {
        let sent = 0;
        for (; sent < data.length; sent += 100) {
          if (socket.sendHere(data.subarray(sent, sent + 100)) !== 100) break;
          await peer.letOthersRun();
        }
        return sent;
      };
      check.equal(await check.succeeds("2000 sends of 100 bytes", sendAll), 200_000, "their bytes");
      await peer.writeln("SENT");
      await peer.expectln("DONE");
    },
    async server({ vsock, check, random, peer }) {
      using socket = await vsock.accept("stream");
      const expected = random.bytes(200_000);
      await peer.expectln("SENT");
      // What came too late to be queued behind the last packet would only now be refused.
      await timedSleep(50);
      check.sameBytes(await check.receives(socket, expected.length), expected, "what was received");
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "flow/data/msg-more-keeps-nothing-back",
    title: "MSG_MORE keeps nothing back",
    requirement: "what was sent with MSG_MORE SHOULD be there for the peer at once",
    refs: [man("send", 2, "MSG_MORE"), kernel("virtio_transport_send_pkt_info")],
    does: {
      client: "connects, sends 10 bytes with MSG_MORE, and nothing else until the server has them",
      server: "accepts, checks that poll() sees them, and that they are right",
    },
    async client({ vsock, check, random, peer }) {
      using socket = await vsock.connect("stream");
      await check.sends(socket, random.bytes(10), MSG_MORE);
      await peer.expectln("DONE");
    },
    async server({ vsock, check, random, peer }) {
      using socket = await vsock.accept("stream");
      const wait = () => socket.poll(POLLIN, check.patience);
      const seen = await check.succeeds("poll()", wait);
      check.equal(pollEvents(seen), "POLLIN", "poll() that waits for 10 bytes");
      check.sameBytes(await check.receives(socket, 10), random.bytes(10), "what was received");
      await peer.writeln("DONE");
    },
  }),
];
