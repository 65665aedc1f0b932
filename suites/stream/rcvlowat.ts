/**
 * SO_RCVLOWAT on a stream.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  MSG_DONTWAIT,
  POLLIN,
  POLLRDNORM,
  SO_RCVLOWAT,
  SOL_SOCKET,
  upstream,
} from "../../kit/mod.ts";

const LOW_WATER = 128;
const EVENTS = POLLIN | POLLRDNORM;
/** How long poll() must not wake up for a single byte, in milliseconds. */
const QUIET_TIME = 1000;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** A single byte is not enough; once the rest arrives, everything can be read at once. */
  defineCase({
    id: "stream/rcvlowat/poll-waits-for-all",
    title: "poll() wakes up when SO_RCVLOWAT bytes have arrived, not earlier",
    requirement: "poll() MUST NOT report POLLIN until SO_RCVLOWAT bytes can be received at once",
    refs: [
      upstream("SOCK_STREAM poll() + SO_RCVLOWAT"),
      man("socket", 7, "SO_RCVLOWAT"),
      kernel("virtio_transport_notify_poll_in"),
    ],
    does: {
      client:
        "connects, sets SO_RCVLOWAT to 128, and checks that poll() reports nothing for 1 s while " +
        "there is only 1 byte, and POLLIN and POLLRDNORM when all 128 are there, which one " +
        "recv() returns",
      server: "accepts, sends 1 byte, and once the client has polled sends 127 more, one at a time",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("stream");
      await check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, LOW_WATER);
      await peer.expectln("SRVSENT");
      const early = await check.succeeds("poll()", () => socket.poll(EVENTS, QUIET_TIME));
      check.equal(early, 0, `revents with 1 byte of ${LOW_WATER}`);
      await peer.writeln("CLNSENT");
      const late = await check.succeeds("poll()", () => socket.poll(EVENTS));
      check.equal(late, EVENTS, `revents with all ${LOW_WATER} bytes`);
      await check.receivesAtOnce(socket, LOW_WATER, MSG_DONTWAIT);
      await peer.writeln("POLLDONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.sendsByte(socket);
      await peer.writeln("SRVSENT");
      await peer.expectln("CLNSENT");
      for (let i = 1; i < LOW_WATER; i++) await check.sendsByte(socket);
      await peer.expectln("POLLDONE");
    },
  }),
];
