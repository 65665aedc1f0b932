/**
 * Constants of the socket interface under their kernel names, as x86-64 and aarch64 have them.
 * Source: linux/vm_sockets.h, asm-generic/socket.h, linux/socket.h, asm-generic/poll.h.
 *
 * @module
 */

/** Address families. */
export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_NETLINK = 16;
export const AF_VSOCK = 40;

/** Socket types and the flags that socket(2) and accept4(2) take beside them. */
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_RDM = 4;
export const SOCK_SEQPACKET = 5;
export const SOCK_TYPE_MASK = 0xf;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

/** Special CIDs and ports, linux/vm_sockets.h. */
export const VMADDR_CID_ANY = 0xffffffff;
export const VMADDR_CID_HYPERVISOR = 0;
export const VMADDR_CID_LOCAL = 1;
export const VMADDR_CID_HOST = 2;
export const VMADDR_PORT_ANY = 0xffffffff;

/** svm_flags: to the host, whatever the CID. */
export const VMADDR_FLAG_TO_HOST = 0x01;

/** The highest port for which CAP_NET_BIND_SERVICE is needed. */
export const LAST_RESERVED_PORT = 1023;

/** The socket option level of AF_VSOCK, and its options. */
export const SO_VM_SOCKETS_BUFFER_SIZE = 0;
export const SO_VM_SOCKETS_BUFFER_MIN_SIZE = 1;
export const SO_VM_SOCKETS_BUFFER_MAX_SIZE = 2;
/** SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD, whose struct timeval has 64 bits on 64-bit machines. */
export const SO_VM_SOCKETS_CONNECT_TIMEOUT = 6;
/** The same option under the number that 32-bit programs use. */
export const SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW = 8;
/** Options that linux/vm_sockets.h names and Linux does not have. */
export const SO_VM_SOCKETS_PEER_HOST_VM_ID = 3;
export const SO_VM_SOCKETS_TRUSTED = 5;
export const SO_VM_SOCKETS_NONBLOCK_TXRX = 7;

/** Socket options. */
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_PASSCRED = 16;
export const SO_PEERCRED = 17;
export const SO_RCVLOWAT = 18;
export const SO_RCVTIMEO = 20;
export const SO_SNDTIMEO = 21;
export const SO_ACCEPTCONN = 30;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;
export const SO_ZEROCOPY = 60;

/** Levels of other protocols, and an option of each. */
export const IPPROTO_IP = 0;
export const IP_TOS = 1;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;

/** The level and type of control messages from an AF_VSOCK error queue. */
export const SOL_VSOCK = 287;
export const VSOCK_RECVERR = 1;

/** struct sock_extended_err, linux/errqueue.h: where it comes from, and what it says. */
export const SO_EE_ORIGIN_ZEROCOPY = 5;
export const SO_EE_CODE_ZEROCOPY_COPIED = 1;

/** Flags of send(2) and recv(2). */
export const MSG_OOB = 0x01;
export const MSG_PEEK = 0x02;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_EOR = 0x80;
export const MSG_WAITALL = 0x100;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const MSG_ZEROCOPY = 0x4000000;

/** shutdown(2). */
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

/** The netlink(7) protocol of sock_diag(7). */
export const NETLINK_SOCK_DIAG = 4;

/** poll(2) events. */
export const POLLIN = 0x01;
export const POLLOUT = 0x04;
export const POLLERR = 0x08;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDNORM = 0x40;
export const POLLWRNORM = 0x100;
export const POLLRDHUP = 0x2000;

/** Memory protection, mmap(2). */
export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_ANONYMOUS = 0x20;
export const MAP_POPULATE = 0x8000;

/** ioctl(2) requests: bytes not yet sent, bytes not yet read, CID of this machine on /dev/vsock. */
export const SIOCOUTQ = 0x5411;
export const SIOCINQ = 0x541b;
export const IOCTL_VM_SOCKETS_GET_LOCAL_CID = 0x7b9;

/**
 * All CIDs of this machine, on /dev/vsock: _IOR(7, 0xba, struct vsock_local_cids), proposed in
 * 2024; the struct is an int and 16 unsigned ints.
 */
export const IOCTL_VM_SOCKETS_GET_LOCAL_CIDS = 0x804407ba;
export const VM_SOCKETS_MAX_DEVS = 16;

/** ioctl(2) requests of a vhost device, linux/vhost.h, and of /dev/vhost-vsock. */
export const VHOST_GET_FEATURES = 0x8008af00;
export const VHOST_SET_FEATURES = 0x4008af00;
export const VHOST_SET_OWNER = 0xaf01;
export const VHOST_SET_MEM_TABLE = 0x4008af03;
export const VHOST_SET_VRING_NUM = 0x4008af10;
export const VHOST_SET_VRING_ADDR = 0x4028af11;
export const VHOST_SET_VRING_BASE = 0x4008af12;
export const VHOST_SET_VRING_KICK = 0x4008af20;
export const VHOST_SET_VRING_CALL = 0x4008af21;
export const VHOST_SET_VRING_ERR = 0x4008af22;
/** The CID of a guest. */
export const VHOST_VSOCK_SET_GUEST_CID = 0x4008af60;
export const VHOST_VSOCK_SET_RUNNING = 0x4004af61;

/** A network namespace, unshare(2) and setns(2). */
export const CLONE_NEWNET = 0x40000000;

/** Signals, and what sigaction(2) and timer_create(2) take beside them. */
export const SIGKILL = 9;
export const SIGPIPE = 13;
export const SA_RESTART = 0x10000000;
export const SIGEV_SIGNAL = 0;
export const SIGEV_THREAD_ID = 4;
export const CLOCK_MONOTONIC = 1;

/** sched(7) policies, and the flag that a policy is not inherited. */
export const SCHED_OTHER = 0;
export const SCHED_FIFO = 1;
export const SCHED_RESET_ON_FORK = 0x40000000;

/** prctl(2): a signal for when the parent ends. */
export const PR_SET_PDEATHSIG = 1;

/** fcntl(2) commands. */
export const F_GETFD = 1;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;
export const FD_CLOEXEC = 1;

/** open(2). */
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

/** statx(2): the descriptor's own file, and only its inode number. */
export const AT_EMPTY_PATH = 0x1000;
export const STATX_INO = 0x100;

/** From the beginning and from the end, lseek(2). */
export const SEEK_SET = 0;

const MSG_NAMES: readonly (readonly [number, string])[] = [
  [MSG_OOB, "MSG_OOB"],
  [MSG_PEEK, "MSG_PEEK"],
  [MSG_TRUNC, "MSG_TRUNC"],
  [MSG_DONTWAIT, "MSG_DONTWAIT"],
  [MSG_EOR, "MSG_EOR"],
  [MSG_WAITALL, "MSG_WAITALL"],
  [MSG_ERRQUEUE, "MSG_ERRQUEUE"],
  [MSG_NOSIGNAL, "MSG_NOSIGNAL"],
  [MSG_MORE, "MSG_MORE"],
  [MSG_ZEROCOPY, "MSG_ZEROCOPY"],
];

const POLL_NAMES: readonly (readonly [number, string])[] = [
  [POLLIN, "POLLIN"],
  [POLLOUT, "POLLOUT"],
  [POLLERR, "POLLERR"],
  [POLLHUP, "POLLHUP"],
  [POLLNVAL, "POLLNVAL"],
  [POLLRDNORM, "POLLRDNORM"],
  [POLLWRNORM, "POLLWRNORM"],
  [POLLRDHUP, "POLLRDHUP"],
];

/** Message flags as names, `MSG_PEEK|MSG_TRUNC`; `0` for none. */
export function messageFlags(flags: number): string {
  // Every step of a case is described, so that the same flags are named thousands of times.
  let names = messageFlagNames.get(flags);
  if (names === undefined) messageFlagNames.set(flags, names = flagNames(flags, MSG_NAMES));
  return names;
}

const messageFlagNames = new Map<number, string>();

/** Poll events as names, `POLLIN|POLLRDHUP`; `0` for none. */
export function pollEvents(events: number): string {
  return flagNames(events, POLL_NAMES);
}

function flagNames(flags: number, table: readonly (readonly [number, string])[]): string {
  const names = table.filter(([bit]) => flags & bit).map(([, name]) => name);
  const rest = table.reduce((left, [bit]) => left & ~bit, flags);
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names.join("|") || "0";
}
