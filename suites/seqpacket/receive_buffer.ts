/**
 * Receive buffers that are not all there.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  Mapping,
  pageSize,
  upstream,
} from "../../kit/mod.ts";
import { receiveNowhere, sendToNowhere } from "../_shared/null_buffer.ts";

const PAGES = 3;
const FIRST = 0x61;
const SECOND = 0x62;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** The first message goes into a buffer with a hole, the second into a whole one. */
  defineCase({
    id: "seqpacket/receive-buffer/hole-costs-one-message",
    title: "a read() into a buffer with a hole is EFAULT and costs that message only",
    requirement:
      "read() into unmapped memory MUST fail with EFAULT; the next MUST get the next message",
    refs: [
      upstream(
        "SOCK_SEQPACKET invalid receive buffer",
        "the hole is mapped without access instead of unmapped, since another thread of the process " +
          "could map something of its own there; the kernel sees the same fault",
      ),
      man("read", 2, "EFAULT"),
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    needs: ["seqpacket"],
    does: {
      client: "connects, and sends two messages of three pages each",
      server:
        "accepts, claims that read() is EFAULT with a buffer of three pages whose middle one " +
        "cannot be accessed, and that the next read() gives all of the second message",
    },
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
  }),
  /** Address 0 costs the message. */
  defineCase({
    id: "seqpacket/receive-buffer/null-costs-one-message",
    title: "recv() at address 0 is EFAULT and costs that message only",
    requirement:
      "recv() into unmapped memory MUST fail with EFAULT and leave nothing of the message",
    refs: [
      upstream("SOCK_SEQPACKET test invalid buffer"),
      man("recv", 2, "EFAULT"),
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    needs: ["seqpacket"],
    does: {
      client:
        "connects, claims that recv() at address 0 is EFAULT, and that recv(MSG_DONTWAIT) then is " +
        "EAGAIN, for the message is gone",
      server:
        "accepts, sends a message of 512 bytes, and keeps the connection until the client is done",
    },
    client: (context) => receiveNowhere("seqpacket", context),
    server: (context) => sendToNowhere("seqpacket", context),
  }),
];
