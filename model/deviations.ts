/**
 * How known kernels deviate from the rules. Where the kernel is one of them, a deviation is taken
 * and counted; everywhere else it is a breach.
 *
 * @module
 */
import { kernel, type Reference } from "../core/case.ts";

/** A deviation. */
export interface Deviation {
  /** What happens instead, in a sentence. */
  readonly text: string;
  /** Why, in the kernel's source. */
  readonly cause: string;
  readonly refs: readonly Reference[];
  /** The kernels that do it, as a baseline writes them; all where this is empty. */
  readonly kernels: string;
}

/** All of them, by the names that docs/model.md explains. */
export const DEVIATIONS = {
  "K-1": {
    text: "A connection is reset (ENOBUFS for the receiver, EPIPE for the sender) although the " +
      "window has room, when many small packets lie unread or the buffer is small. On a STREAM " +
      "socket, the receiver's next send() reports ENOBUFS instead of EPIPE, too.",
    cause: "What a packet costs besides its data counts against the buffer, of which the sender " +
      "knows nothing; packets that end a message are never merged. The error is left in sk_err, " +
      "which sk_stream_error() puts in the place of EPIPE.",
    refs: [kernel("virtio_transport_inc_rx_pkt"), kernel("vsock_connectible_sendmsg")],
    kernels: ">=6.12",
  },
  "K-2": {
    text: "A SEQPACKET send() that fails with EAGAIN has sent the beginning of its message; the " +
      "next message is appended to it.",
    cause: "The loop sends what fits before it finds that it would have to wait for the rest.",
    refs: [kernel("vsock_connectible_sendmsg")],
    kernels: "",
  },
  "K-9": {
    text:
      "recv() fails with ENOTCONN instead of returning 0 at the end, after the peer had closed " +
      "with nothing unread and the socket then called shutdown().",
    cause: "shutdown() clears SOCK_DONE, by which recv() knows the end.",
    refs: [kernel("vsock_shutdown"), kernel("__vsock_connectible_recvmsg")],
    kernels: "",
  },
  "A-28": {
    text: "recv() on a STREAM socket fails with ENOMEM where it is to wait for as many bytes as " +
      "the buffer holds, or more: by MSG_WAITALL or SO_RCVLOWAT.",
    cause: "The number to wait for is compared with the buffer's size before anything is read.",
    refs: [kernel("__vsock_stream_recvmsg")],
    kernels: "",
  },
  "pair-in-use": {
    text:
      "connect() fails with ETIMEDOUT where a connection with the same two ports is open: the " +
      "socket was bound to the port of a listener that was closed, and connects to the port of a " +
      "client whose connection that listener accepted.",
    cause:
      "The request is handed to the open connection, which ignores it; if that is of the other " +
      "type, the reset that answers the request is dropped for the same reason. What the request " +
      "says of credit is taken for the connection's.",
    refs: [kernel("vsock_find_connected_socket_net"), kernel("virtio_transport_recv_pkt")],
    kernels: ">=6.12",
  },
  "pair-reused": {
    text: "A new connection is reset, or shut down, when an old one with the same two ports is " +
      "closed or shut down whose client had closed before.",
    cause:
      "What the old connection's socket sends when it is closed (a reset), shut down, or read, " +
      "goes to the ports of its peer, where the new connection's socket is found.",
    refs: [kernel("virtio_transport_close"), kernel("vsock_find_connected_socket_net")],
    kernels: ">=6.12",
  },
  "6.1-errors": {
    text: "A SEQPACKET message larger than the window fails with ENOMEM, not with EMSGSIZE.",
    cause: "Every error of the transport becomes ENOMEM.",
    refs: [kernel("vsock_connectible_sendmsg")],
    kernels: "6.1",
  },
  "6.1-peek": {
    text: "recv(MSG_PEEK) on a SEQPACKET socket fails with ENOMEM.",
    cause: "It has no MSG_PEEK for SEQPACKET, and every error of the transport becomes ENOMEM.",
    refs: [kernel("__vsock_seqpacket_recvmsg")],
    kernels: "6.1",
  },
  "no-ioctl": {
    text: "SIOCINQ fails with ENOTTY or EOPNOTSUPP on any socket, before 6.12 SIOCOUTQ, too.",
    cause: "These kernels do not have it.",
    refs: [kernel("vsock_do_ioctl")],
    kernels: "<6.17",
  },
} as const satisfies Record<string, Deviation>;

/** The name of a deviation. */
export type DeviationId = keyof typeof DEVIATIONS;
/** Their names. */
export const DEVIATION_IDS = Object.keys(DEVIATIONS) as DeviationId[];
