/**
 * MSG_ZEROCOPY packets that arrive behind others.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  defineCase,
  djb2,
  kernel,
  MSG_PEEK,
  MSG_ZEROCOPY,
  POLLERR,
  SO_ZEROCOPY,
  SOL_SOCKET,
  spec,
  upstream,
} from "../../kit/mod.ts";

/** A packet whose memory has room for another one after it. */
const FIRST = 4096 + 1;
/** GOOD_COPY_LEN: a packet of at most this length may be appended to the previous one. */
const SECOND = 128;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** The second packet's data is not stored where a packet's data usually is. */
  defineCase({
    id: "zerocopy/coalescence/keeps-data",
    title: "a small MSG_ZEROCOPY packet behind a copied one arrives intact",
    requirement: "data sent with MSG_ZEROCOPY MUST arrive intact, even if packets are coalesced",
    refs: [
      upstream(
        "SOCK_STREAM virtio MSG_ZEROCOPY coalescence corruption",
        "waits for both packets with MSG_PEEK, which every kernel has, instead of SIOCINQ",
      ),
      spec("5.10.6.5 Stream Sockets"),
      kernel("virtio_transport_recv_pkt"),
    ],
    needs: [{ client: "zerocopy" }],
    does: {
      client:
        "connects, sets SO_ZEROCOPY, sends 4097 bytes without MSG_ZEROCOPY and 128 random ones " +
        "with it, tells the server the hash of the latter, and checks that poll() reports POLLERR",
      server:
        "accepts, peeks until all 4225 bytes have arrived, receives 4097, then 128, and checks " +
        "that the hash of the latter matches the client's",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, 1);
      await check.sends(socket, bytes(FIRST).fill(0x78));
      const data = random.bytes(SECOND);
      await check.sends(socket, data, MSG_ZEROCOPY);
      await peer.writeUlong(djb2(data));
      const revents = await check.succeeds("poll()", () => socket.poll(0, check.patience));
      check.flag(revents, POLLERR, "POLLERR after send(MSG_ZEROCOPY)");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.receives(socket, FIRST + SECOND, MSG_PEEK);
      await check.receives(socket, FIRST);
      const received = djb2(await check.receives(socket, SECOND));
      check.equal(received, await peer.readUlong(), "the hash of the data sent with MSG_ZEROCOPY");
    },
  }),
];
