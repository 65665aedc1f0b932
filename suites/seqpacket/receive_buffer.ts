/**
 * Receive buffers that are not all there.
 *
 * @module
 */
import { bytes, defineCase, kernel, man, Mapping, pageSize, upstream } from "../kit.ts";

const PAGES = 3;
const FIRST = 0x61;
const SECOND = 0x62;

/** The first message goes into a buffer with a hole, the second into a whole one. */
export const holeDropsOneMessage = defineCase({
  id: "seqpacket/receive-buffer/hole-costs-one-message",
  title: "a read() into a buffer with a hole is EFAULT and costs that message only",
  requirement:
    "read() into unmapped memory MUST fail with EFAULT; the next MUST get the next message",
  refs: [
    upstream("SOCK_SEQPACKET invalid receive buffer"),
    man("read", 2, "EFAULT"),
    kernel("virtio_transport_seqpacket_do_dequeue"),
  ],
  needs: ["seqpacket"],
  async client({ vsock, check }) {
    using socket = await vsock.connect("seqpacket");
    for (const content of [FIRST, SECOND]) {
      await check.sends(socket, bytes(PAGES * pageSize()).fill(content));
    }
  },
  async server({ vsock, check }) {
    using socket = await vsock.accept("seqpacket");
    const page = pageSize();
    using broken = new Mapping(PAGES * page);
    broken.punch(page, page);
    using whole = new Mapping(PAGES * page);
    await check.fails("EFAULT", "read() into a hole", () => socket.readTimed(broken));
    const { result } = await check.succeeds("read()", () => socket.readTimed(whole));
    check.equal(result, whole.length, "the length of the second message");
    check.sameBytes(whole.bytes(), bytes(whole.length).fill(SECOND), "the second message");
  },
});
