/**
 * The rules of sending and receiving.
 *
 * @module
 */
import { kernel, man, spec } from "../core/case.ts";
import type { Rule } from "./rule.ts";

/** The rules of sending and receiving. */
export const DATA = {
  "send/oob": {
    text: "send(MSG_OOB) MUST fail with EOPNOTSUPP, whatever the socket's state.",
    refs: [man("send", 2, "EOPNOTSUPP"), kernel("vsock_connectible_sendmsg")],
  },
  "send/unconnected": {
    text: "send() on a socket that is not connected MUST fail with ENOTCONN.",
    refs: [man("send", 2, "ENOTCONN"), kernel("vsock_connectible_sendmsg")],
  },
  "send/after-end": {
    text: "send() after one's own shutdown(SHUT_WR), or the peer's shutdown(SHUT_RD) or close(), " +
      "MUST fail with EPIPE, also of no bytes.",
    refs: [man("send", 2, "EPIPE"), spec("5.10.6.5"), kernel("vsock_connectible_sendmsg")],
  },
  "send/nothing": {
    text: "send() of no bytes on a connected socket MUST return 0, and send nothing.",
    refs: [man("send", 2, "RETURN VALUE"), kernel("vsock_connectible_sendmsg")],
  },
  "send/window": {
    text: "send() on a STREAM socket MUST take what fits into the window: the peer's buffer, or " +
      "the own one if that is smaller, less what was sent and is not known to have been read.",
    refs: [spec("5.10.6.3"), kernel("virtio_transport_get_credit")],
  },
  "send/full": {
    text: "send() that has to wait MUST fail with EAGAIN where nothing fits into the window.",
    refs: [man("send", 2, "EAGAIN"), spec("5.10.6.3"), kernel("virtio_transport_has_space")],
  },
  "send/message": {
    text: "send() on a SEQPACKET socket MUST send the whole message where it fits into the window.",
    refs: [spec("5.10.6.6"), kernel("virtio_transport_seqpacket_enqueue")],
  },
  "send/message-waits": {
    text:
      "send() on a SEQPACKET socket MUST fail with EAGAIN where the message does not fit into " +
      "the window now, and send nothing of it.",
    refs: [man("send", 2, "EAGAIN"), spec("5.10.6.6"), kernel("vsock_connectible_sendmsg")],
  },
  "send/message-too-large": {
    text: "send() on a SEQPACKET socket of a message larger than the whole window MUST fail with " +
      "EMSGSIZE, or with EAGAIN where the window is full, too.",
    refs: [man("send", 2, "EMSGSIZE"), kernel("virtio_transport_seqpacket_enqueue")],
  },
  "recv/unconnected": {
    text: "recv() on a socket that is not connected MUST fail with ENOTCONN.",
    refs: [man("recv", 2, "ENOTCONN"), kernel("__vsock_connectible_recvmsg")],
  },
  "recv/oob": {
    text: "recv(MSG_OOB) on a connected socket MUST fail with EOPNOTSUPP; once the connection is " +
      "over it MAY return 0.",
    refs: [man("recv", 2, "MSG_OOB"), kernel("__vsock_connectible_recvmsg")],
  },
  "recv/own-end": {
    text:
      "recv() after one's own shutdown(SHUT_RD) MUST return 0 at once, also where data is unread.",
    refs: [man("shutdown", 2, "SHUT_RD"), kernel("__vsock_connectible_recvmsg")],
  },
  "recv/no-room": {
    text: "recv() with no room MUST return 0, and leave data and messages unread.",
    refs: [man("recv", 2, "DESCRIPTION"), kernel("__vsock_connectible_recvmsg")],
  },
  "recv/stream": {
    text: "recv() on a STREAM socket MUST give the bytes that were sent, in order, each once: as " +
      "many as there are and fit. MSG_TRUNC changes nothing.",
    refs: [
      man("recv", 2, "DESCRIPTION"),
      spec("5.10.6"),
      kernel("virtio_transport_stream_dequeue"),
    ],
  },
  "recv/stream-peek": {
    text: "recv(MSG_PEEK) on a STREAM socket MUST give what recv() would, and leave it unread.",
    refs: [man("recv", 2, "MSG_PEEK"), kernel("virtio_transport_stream_dequeue")],
  },
  "recv/message": {
    text: "recv() on a SEQPACKET socket MUST give one message, or as much of it as fits; with " +
      "MSG_TRUNC it MUST return the length of the whole. The rest of it is gone.",
    refs: [man("recv", 2, "MSG_TRUNC"), spec("5.10.6.6"), kernel("__vsock_seqpacket_recvmsg")],
  },
  "recv/message-peek": {
    text:
      "recv(MSG_PEEK) on a SEQPACKET socket MUST give what recv() would, and leave the message.",
    refs: [man("recv", 2, "MSG_PEEK"), kernel("virtio_transport_seqpacket_dequeue")],
  },
  "recv/eor": {
    text: "MSG_EOR MUST be set for exactly those messages that were sent with it, and never on a " +
      "STREAM socket.",
    refs: [man("recv", 2, "MSG_EOR"), spec("5.10.6.6")],
  },
  "recv/truncated": {
    text: "MSG_TRUNC MUST be set in msg_flags where a message did not fit, and only there.",
    refs: [man("recv", 2, "MSG_TRUNC"), kernel("__vsock_seqpacket_recvmsg")],
  },
  "recv/empty": {
    text: "recv() that has to wait MUST fail with EAGAIN where there is nothing to read.",
    refs: [man("recv", 2, "EAGAIN"), kernel("vsock_connectible_wait_data")],
  },
  "recv/end": {
    text: "recv() MUST return 0 when all is read and the peer has shut down or closed, however " +
      "often it is called.",
    refs: [man("recv", 2, "RETURN VALUE"), spec("5.10.6.5")],
  },
} satisfies Record<string, Rule>;
