/**
 * Data by other calls than send() and recv() of one piece: files, pipes, peeks, many small ones.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  MSG_MORE,
  MSG_PEEK,
  pollEvents,
  POLLIN,
  sendfile,
  spec,
  splice,
  timedSleep,
} from "../../kit/mod.ts";

const FILE_SIZE = 700_001;
const PEEKS = [1, 4052, 32_769, 65_537, 100_001];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
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
