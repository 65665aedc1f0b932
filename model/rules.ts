/**
 * The rules of AF_VSOCK, each with its source. What a call may answer is worked out in the files
 * beside this one, which name the rule for each answer.
 *
 * @module
 */
import { kernel, man, spec } from "../core/case.ts";
import { DATA } from "./data_rules.ts";
import type { Rule } from "./rule.ts";

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
  "dup/shares": {
    text:
      "dup() MUST give another descriptor of the same socket, which stays open until the last " +
      "of them is closed.",
    refs: [man("dup", 2, "DESCRIPTION"), kernel("vsock_release")],
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
  "option/connect-timeout": {
    text:
      "SO_VM_SOCKETS_CONNECT_TIMEOUT MUST be kept, 0 as the default of 2 s; an accepted socket " +
      "MUST have its listener's.",
    refs: [
      man("vsock", 7, "SO_VM_SOCKETS_CONNECT_TIMEOUT"),
      kernel("vsock_connectible_setsockopt"),
    ],
  },
  "option/no-error": {
    text: "SO_ERROR MUST be 0 where nothing has failed: also after a connect() that failed by " +
      "itself, and after the peer's close().",
    refs: [man("socket", 7, "SO_ERROR"), kernel("vsock_connect")],
  },
  "option/facts": {
    text:
      "SO_TYPE, SO_DOMAIN, SO_PROTOCOL and SO_ACCEPTCONN MUST tell the socket's type, AF_VSOCK, " +
      "0, and whether it listens.",
    refs: [man("socket", 7, "SO_ACCEPTCONN"), man("socket", 7, "SO_DOMAIN")],
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
/** Whether something is the id of a rule. */
export function isRuleId(value: unknown): value is RuleId {
  return typeof value === "string" && Object.hasOwn(RULES, value);
}
/** The ids, in the order in which they are written down. */
export const RULE_IDS = Object.keys(RULES) as RuleId[];
