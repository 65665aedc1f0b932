/**
 * The rules of AF_VSOCK, each with its source. What a call may answer is worked out in the files
 * beside this one, which name the rule for each answer.
 *
 * @module
 */
import { kernel, man, type Reference, spec } from "../core/case.ts";

/** A rule. */
export interface Rule {
  /** One sentence that says MUST, SHOULD or MAY. */
  readonly text: string;
  readonly refs: readonly Reference[];
}

/** Whatever has to do with making sockets and connections. */
const MAKING = {
  "socket/made": {
    text: "socket() MUST make STREAM and SEQPACKET sockets.",
    refs: [man("vsock", 7, "socket types"), kernel("vsock_create")],
  },
  "soon/arrives": {
    text:
      "What a socket sends (data, a request, a shutdown, an end) MUST arrive at its peer, and be " +
      "answered, within 2 s.",
    refs: [spec("5.10.6.1"), spec("5.10.6.5")],
  },
  "fd/closed": {
    text: "A call on a descriptor that is closed MUST fail with EBADF.",
    refs: [man("close", 2, "DESCRIPTION")],
  },
  "bind/free": {
    text: "bind() to a port that no socket is bound to MUST succeed, also right after the last " +
      "one that was bound to it has been closed.",
    refs: [man("bind", 2, "RETURN VALUE"), kernel("__vsock_bind_connectible")],
  },
  "bind/any": {
    text: "bind() to VMADDR_PORT_ANY MUST find a free port.",
    refs: [man("vsock", 7, "VMADDR_PORT_ANY"), kernel("__vsock_bind_connectible")],
  },
  "bind/twice": {
    text: "bind() of a socket that is bound MUST fail with EINVAL.",
    refs: [man("bind", 2, "EINVAL"), kernel("__vsock_bind")],
  },
  "bind/taken": {
    text: "bind() to a port that a socket of either type is bound to MUST fail with EADDRINUSE. " +
      "Accepted connections do not hold their listener's port.",
    refs: [man("bind", 2, "EADDRINUSE"), kernel("__vsock_bind_connectible")],
  },
  "bind/lingering": {
    text: "A socket that was closed before its peer had read all that it sent MAY hold its port " +
      "until the peer closes, or for 8 s.",
    refs: [kernel("virtio_transport_close")],
  },
  "listen/bound": {
    text: "listen() on a bound socket that is not connected MUST succeed, also again.",
    refs: [man("listen", 2, "DESCRIPTION"), kernel("vsock_listen")],
  },
  "listen/unbound": {
    text: "listen() on a socket that is not bound MUST fail with EINVAL.",
    refs: [kernel("vsock_listen")],
  },
  "listen/connected": {
    text: "listen() on a connected socket MUST fail with EINVAL.",
    refs: [man("listen", 2, "ERRORS"), kernel("vsock_listen")],
  },
  "connect/queued": {
    text: "connect() to a listener of the same type whose queue has room MUST succeed before " +
      "anybody accepts.",
    refs: [man("connect", 2, "DESCRIPTION"), kernel("virtio_transport_recv_listen")],
  },
  "connect/refused": {
    text: "connect() to a port at which no socket listens MUST fail with ECONNRESET, and may be " +
      "tried again.",
    refs: [spec("5.10.6.5"), kernel("virtio_transport_recv_connecting")],
  },
  "connect/queue-full": {
    text: "A listener MUST take one connection more than listen() was told into its queue, and " +
      "refuse others with ECONNRESET until one is accepted.",
    refs: [spec("5.10.6.5"), kernel("virtio_transport_recv_listen")],
  },
  "connect/type": {
    text: "connect() to a listener of the other type MUST fail with ECONNRESET.",
    refs: [spec("5.10.6.4"), kernel("virtio_transport_recv_pkt")],
  },
  "connect/itself": {
    text: "connect() of a socket to the port that it is bound to MUST fail, with EPROTO or " +
      "ECONNRESET.",
    refs: [kernel("virtio_transport_recv_connecting")],
  },
  "connect/listening": {
    text: "connect() on a listener MUST fail with EINVAL.",
    refs: [kernel("vsock_connect")],
  },
  "connect/connected": {
    text: "connect() on a connected socket MUST fail with EISCONN.",
    refs: [man("connect", 2, "EISCONN"), kernel("vsock_connect")],
  },
  "connect/after-shutdown": {
    text: "connect() on a socket after shutdown() MUST fail with EINVAL.",
    refs: [kernel("vsock_connect")],
  },
  "accept/first": {
    text: "accept() MUST give the connection that has waited longest, also where its client has " +
      "sent, shut down or closed meanwhile.",
    refs: [man("accept", 2, "DESCRIPTION"), kernel("vsock_accept")],
  },
  "accept/none": {
    text: "accept() on a listener without connections MUST fail with EAGAIN after SO_RCVTIMEO.",
    refs: [man("socket", 7, "SO_RCVTIMEO"), kernel("vsock_accept")],
  },
  "accept/not-listening": {
    text: "accept() on a socket that does not listen MUST fail with EINVAL.",
    refs: [man("accept", 2, "EINVAL"), kernel("vsock_accept")],
  },
} satisfies Record<string, Rule>;

/** Data. */
const DATA = {
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

/** Ends, and what can be asked. */
const ASKING = {
  "shutdown/connected": {
    text: "shutdown() on a connected socket MUST succeed, also again, and after the peer's end.",
    refs: [man("shutdown", 2, "RETURN VALUE"), kernel("vsock_shutdown")],
  },
  "shutdown/unconnected": {
    text: "shutdown() on a socket that is not connected MUST fail with ENOTCONN.",
    refs: [man("shutdown", 2, "ENOTCONN"), kernel("vsock_shutdown")],
  },
  "close/done": {
    text: "close() MUST succeed. The peer reads what was sent, then the end; connections that a " +
      "listener has not accepted end with it.",
    refs: [man("close", 2, "RETURN VALUE"), spec("5.10.6.5"), kernel("__vsock_release")],
  },
  "poll/in": {
    text: "POLLIN MUST be set where SO_RCVLOWAT bytes can be read, a connection be accepted, or " +
      "recv() would return 0 because of a shutdown; nowhere else.",
    refs: [man("poll", 2, "POLLIN"), kernel("vsock_poll")],
  },
  "poll/out": {
    text: "POLLOUT MUST be set where send() would not have to wait, until one's own " +
      "shutdown(SHUT_WR), and not where the window is full or the socket listens.",
    refs: [man("poll", 2, "POLLOUT"), kernel("vsock_poll")],
  },
  "poll/rdhup": {
    text:
      "POLLRDHUP MUST be set where nothing more can come: the peer has shut down its sending, " +
      "or the socket its receiving.",
    refs: [man("poll", 2, "POLLRDHUP"), kernel("vsock_poll_shutdown")],
  },
  "poll/hup": {
    text: "POLLHUP MUST be set where nothing goes either way any more: the socket has shut down " +
      "both directions, or it and its peer have both shut down sending.",
    refs: [man("poll", 2, "POLLHUP"), kernel("vsock_poll_shutdown")],
  },
  "poll/err": {
    text: "POLLERR MUST NOT be set where nothing has failed.",
    refs: [man("poll", 2, "POLLERR"), kernel("vsock_poll")],
  },
  "name/own": {
    text:
      "getsockname() MUST give the port that the socket is bound to, which is above 1023 where " +
      "the kernel chose it, and (any, any) for one that is not bound.",
    refs: [man("getsockname", 2, "DESCRIPTION"), kernel("vsock_getname")],
  },
  "name/peer": {
    text: "getpeername() on a connected socket MUST give the peer's port.",
    refs: [man("getpeername", 2, "DESCRIPTION"), kernel("vsock_getname")],
  },
  "name/no-peer": {
    text: "getpeername() MUST fail with ENOTCONN on a socket that is not connected, or that has " +
      "called shutdown().",
    refs: [man("getpeername", 2, "ENOTCONN"), kernel("vsock_getname")],
  },
  "option/buffer": {
    text:
      "SO_VM_SOCKETS_BUFFER_SIZE MUST be kept between the two bounds, which move it where they " +
      "pass it; an accepted socket MUST have all three from its listener.",
    refs: [man("vsock", 7, "SO_VM_SOCKETS_BUFFER_SIZE"), kernel("vsock_update_buffer_size")],
  },
  "option/lowat": {
    text: "SO_RCVLOWAT MUST be kept, 0 as 1, and not be inherited by accepted sockets.",
    refs: [man("socket", 7, "SO_RCVLOWAT"), kernel("vsock_set_rcvlowat")],
  },
  "option/lowat-too-large": {
    text: "SO_RCVLOWAT larger than the buffer of a STREAM socket MUST fail with EINVAL.",
    refs: [kernel("vsock_set_rcvlowat")],
  },
  "option/no-error": {
    text: "SO_ERROR MUST be 0 where nothing has failed: also after a connect() that failed by " +
      "itself, and after the peer's close().",
    refs: [man("socket", 7, "SO_ERROR"), kernel("vsock_connect")],
  },
  "option/facts": {
    text: "SO_TYPE and SO_ACCEPTCONN MUST tell the socket's type, and whether it listens.",
    refs: [man("socket", 7, "SO_ACCEPTCONN")],
  },
  "ioctl/unread": {
    text: "SIOCINQ MUST give the number of bytes that are unread, those of all messages.",
    refs: [man("vsock", 7, "ioctl"), kernel("vsock_do_ioctl")],
  },
  "ioctl/unsent": {
    text: "SIOCOUTQ MUST give 0 soon: it counts what has not left for the peer, read or not.",
    refs: [kernel("virtio_transport_unsent_bytes")],
  },
  "ioctl/unconnected": {
    text:
      "SIOCINQ and SIOCOUTQ on a socket that was never connected MUST fail with EOPNOTSUPP, or " +
      "EINVAL where it listens; after a connect() that failed they MAY give 0.",
    refs: [kernel("vsock_do_ioctl")],
  },
} satisfies Record<string, Rule>;

/** All rules by their ids. */
export const RULES = { ...MAKING, ...DATA, ...ASKING };
/** The id of a rule. */
export type RuleId = keyof typeof RULES;
/** The ids, in the order in which they are written down. */
export const RULE_IDS = Object.keys(RULES) as RuleId[];
