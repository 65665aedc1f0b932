/**
 * MSG_ZEROCOPY when the kernel has no memory left for the completion.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  MSG_ZEROCOPY,
  optmemMax,
  SO_ZEROCOPY,
  SOL_SOCKET,
  upstream,
} from "../../kit/mod.ts";

/** The kernel's largest contiguous allocation: a page shifted by MAX_PAGE_ORDER. */
const LARGEST = 4096 << 10;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /**
   * Control data uses up all of net.core.optmem_max for the duration of the call. A leak on the
   * error path shows in kmemleak.
   */
  defineCase({
    id: "zerocopy/send/without-memory-is-enomem",
    title: "MSG_ZEROCOPY without memory for the completion fails with ENOMEM",
    requirement: "send(MSG_ZEROCOPY) MUST fail with ENOMEM when optmem_max is used up",
    refs: [
      upstream("SOCK_STREAM MSG_ZEROCOPY leak completion skb"),
      man("send", 2, "ENOMEM"),
      kernel("msg_zerocopy_alloc"),
      kernel("virtio_transport_send_pkt_info"),
    ],
    needs: [{ client: "zerocopy" }],
    does: {
      client:
        "connects, sets SO_ZEROCOPY, and checks that sendmsg(MSG_ZEROCOPY) of a byte fails with " +
        "ENOMEM when its control data is one byte smaller than net.core.optmem_max",
      server: "accepts, and waits until the client has closed",
    },
    async client({ vsock, check }) {
      const size = optmemMax() - 1;
      if (size > LARGEST) {
        throw new Error(`net.core.optmem_max is ${size + 1}; try with less than ${LARGEST}`);
      }
      using socket = await vsock.connect("stream");
      await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, 1);
      const send = () => socket.sendmsg([bytes(1)], MSG_ZEROCOPY, bytes(size));
      await check.fails("ENOMEM", `sendmsg(MSG_ZEROCOPY) with ${size} bytes of control data`, send);
    },
    async server({ vsock }) {
      using socket = await vsock.accept("stream");
      await vsock.waitRemoteClose(socket);
    },
  }),
];
