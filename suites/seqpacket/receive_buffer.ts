/**
 * Receive buffers that do not exist, or only in part.
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
  /** The first message is read into a buffer with a hole, the second into an intact one. */
  defineCase({
    id: "seqpacket/receive-buffer/hole-costs-one-message",
    title: "read() into a buffer with a hole fails with EFAULT and loses only that message",
    requirement:
      "read() into unmapped memory MUST fail with EFAULT, and the next read() MUST return the " +
      "next message",
    refs: [
      upstream(
        "SOCK_SEQPACKET invalid receive buffer",
        "the hole is mapped without access rather than unmapped, since another thread of the " +
          "process could map something there; to the kernel it is the same fault",
      ),
      man("read", 2, "EFAULT"),
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    needs: ["seqpacket"],
    does: {
      client: "connects, and sends two messages of three pages each",
      server:
        "accepts, checks that read() fails with EFAULT with a buffer of three pages whose middle " +
        "one is not accessible, and that the next read() returns all of the second message",
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
  /** Address 0 loses the message. */
  defineCase({
    id: "seqpacket/receive-buffer/null-costs-one-message",
    title: "recv() to address 0 fails with EFAULT and loses only that message",
    requirement: "recv() into unmapped memory MUST fail with EFAULT and discard the message",
    refs: [
      upstream("SOCK_SEQPACKET test invalid buffer"),
      man("recv", 2, "EFAULT"),
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    needs: ["seqpacket"],
    does: {
      client: "connects, checks that recv() to address 0 fails with EFAULT, and that " +
        "recv(MSG_DONTWAIT) then fails with EAGAIN, because the message is gone",
      server:
        "accepts, sends a message of 512 bytes, and keeps the connection until the client is done",
    },
    client: (context) => receiveNowhere("seqpacket", context),
    server: (context) => sendToNowhere("seqpacket", context),
  }),
];
