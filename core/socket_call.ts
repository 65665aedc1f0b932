/**
 * Calls on sockets as plain data: what the model judges, what exploring draws, and what an agent
 * carries out. A socket is a number that the caller gives it, never used again in a program.
 *
 * @module
 */

/** The types of sockets that are modelled. */
export type CallSocketType = "stream" | "seqpacket";

/** The two machines of a program whose connections go from one to the other. */
export const MACHINES = ["host", "guest"] as const;
/** One of them. */
export type MachineName = typeof MACHINES[number];

/** Flags of send(2) and recv(2), MSG_ in front. */
export const CALL_FLAGS = ["OOB", "PEEK", "TRUNC", "EOR", "WAITALL", "NOSIGNAL"] as const;
/** One of them. */
export type CallFlag = typeof CALL_FLAGS[number];

/** What shutdown(2) can be told. */
export const SHUTDOWNS = ["RD", "WR", "RDWR"] as const;
/** One of them. */
export type Shutdown = typeof SHUTDOWNS[number];

/** Options that setsockopt(2) and getsockopt(2) are called with. */
export const CALL_OPTIONS = [
  "BUFFER_SIZE",
  "BUFFER_MIN_SIZE",
  "BUFFER_MAX_SIZE",
  "SO_RCVLOWAT",
  "CONNECT_TIMEOUT",
  "SO_ERROR",
  "SO_TYPE",
  "SO_DOMAIN",
  "SO_PROTOCOL",
  "SO_ACCEPTCONN",
] as const;
/** One of them; those without SO_ are AF_VSOCK's, SO_VM_SOCKETS_ in front. CONNECT_TIMEOUT is in s. */
export type CallOption = typeof CALL_OPTIONS[number];
/** Those that setsockopt(2) is called with. */
export const SETTABLE: readonly CallOption[] = CALL_OPTIONS.slice(0, 5);

/** Requests of ioctl(2). */
export const CALL_IOCTLS = ["SIOCINQ", "SIOCOUTQ"] as const;
/** One of them. */
export type CallIoctl = typeof CALL_IOCTLS[number];

/** What poll(2) is asked for, and what it may answer, POLL in front. */
export const POLL_BITS = ["IN", "OUT", "RDHUP", "HUP", "ERR"] as const;
/** One of them. */
export type PollBit = typeof POLL_BITS[number];

/** Most sockets of a program, and most calls. */
export const MAX_SOCKETS = 64;
export const MAX_CALLS = 400;
/** Ports that a program has: 0 to one below. */
export const CALL_PORTS = 8;
/** Most pieces of memory that a send or a recv is given. */
export const MAX_PIECES = 8;
/** Most bytes of a call. */
export const MAX_CALL_BYTES = 1024 * 1024;
/** The longest queue that listen(2) is asked for. */
export const MAX_BACKLOG = 100;
/** The largest value of an option. */
export const MAX_OPTION = 2 ** 40;

/** A call on a socket. */
export type SocketCall =
  /** Without `at` all sockets are on one machine, and connect to each other over its loopback. */
  | {
    readonly call: "socket";
    readonly socket: number;
    readonly type: CallSocketType;
    readonly at?: MachineName;
  }
  /** bind(2) to any CID, and a port of the program's. */
  | { readonly call: "bind"; readonly socket: number; readonly port: number }
  /** bind(2) to VMADDR_PORT_ANY. */
  | { readonly call: "autobind"; readonly socket: number }
  | { readonly call: "listen"; readonly socket: number; readonly backlog: number }
  /** connect(2), blocking, to a port of the program's on the peer. */
  | { readonly call: "connect"; readonly socket: number; readonly port: number }
  /** accept4(2), which waits for a moment only; the connection gets the name `as`. */
  | { readonly call: "accept"; readonly socket: number; readonly as: number }
  /**
   * send(2): `length` bytes of pattern `pattern`. Without `wait` with MSG_DONTWAIT, otherwise it
   * waits for a moment (SO_SNDTIMEO). With `pieces` it is sendmsg(2), from as many parts of memory.
   */
  | {
    readonly call: "send";
    readonly socket: number;
    readonly length: number;
    readonly pattern: number;
    readonly flags: readonly CallFlag[];
    readonly wait: boolean;
    readonly pieces?: number;
  }
  /** recvmsg(2) into one buffer, or into as many as `pieces` says; waits as send does. */
  | {
    readonly call: "recv";
    readonly socket: number;
    readonly length: number;
    readonly flags: readonly CallFlag[];
    readonly wait: boolean;
    readonly pieces?: number;
  }
  | { readonly call: "shutdown"; readonly socket: number; readonly how: Shutdown }
  | { readonly call: "close"; readonly socket: number }
  /** dup(2); the descriptor gets the name `as`. */
  | { readonly call: "dup"; readonly socket: number; readonly as: number }
  /** poll(2) for all of {@linkcode POLL_BITS}, which waits for nothing. */
  | { readonly call: "poll"; readonly socket: number }
  | { readonly call: "getsockname"; readonly socket: number }
  | { readonly call: "getpeername"; readonly socket: number }
  | { readonly call: "getsockopt"; readonly socket: number; readonly option: CallOption }
  | {
    readonly call: "setsockopt";
    readonly socket: number;
    readonly option: CallOption;
    readonly value: number;
  }
  | { readonly call: "ioctl"; readonly socket: number; readonly request: CallIoctl };

/** The name of a call. */
export type CallName = SocketCall["call"];

/** Their names. */
export const CALL_NAMES = [
  "socket",
  "bind",
  "autobind",
  "listen",
  "connect",
  "accept",
  "send",
  "recv",
  "shutdown",
  "close",
  "dup",
  "poll",
  "getsockname",
  "getpeername",
  "getsockopt",
  "setsockopt",
  "ioctl",
] as const satisfies readonly CallName[];

/** What a call answered. */
export interface CallAnswer {
  /** What it returned; an option's or ioctl's value, too. -1 where it failed. */
  readonly result: number;
  /** The name of the errno where it failed. */
  readonly errno?: string;
  /** recvmsg(2): MSG_EOR and MSG_TRUNC in msg_flags. poll(2): revents. */
  readonly flags?: readonly string[];
  /** recvmsg(2): the digest of what was stored, where that is anything. */
  readonly digest?: number;
  /** getsockname(2), getpeername(2): the address. */
  readonly cid?: number;
  readonly port?: number;
}

/** Programs must name a socket that is closed, or was never made, as this. */
export const NO_SOCKET = "EBADF";

/** A call as a person reads it: `3.send(4096, EOR)`. */
export function callText(call: SocketCall): string {
  return `${call.socket}.${call.call}(${argumentsText(call)})`;
}

function argumentsText(call: SocketCall): string {
  switch (call.call) {
    case "socket":
      return call.type;
    case "bind":
    case "connect":
      return `port ${call.port}`;
    case "listen":
      return `${call.backlog}`;
    case "accept":
    case "dup":
      return `as ${call.as}`;
    case "send":
    case "recv":
      return [lengthText(call), ...call.flags, ...(call.wait ? ["waits"] : [])].join(", ");
    case "shutdown":
      return call.how;
    case "getsockopt":
      return call.option;
    case "setsockopt":
      return `${call.option}, ${call.value}`;
    case "ioctl":
      return call.request;
    default:
      return "";
  }
}

function lengthText({ length, pieces }: { readonly length: number; readonly pieces?: number }) {
  return pieces === undefined ? `${length}` : `${length} in ${pieces}`;
}

/** The descriptor that a call makes, where it succeeds. */
export function madeBy(call: SocketCall): number | undefined {
  if (call.call === "socket") return call.socket;
  return call.call === "accept" || call.call === "dup" ? call.as : undefined;
}

/**
 * On which machine each call of a program is made; undefined where there is only one.
 *
 * A call on a socket that was never made is the first machine's.
 */
export function machinesOf(calls: readonly SocketCall[]): (MachineName | undefined)[] {
  const known = new Map<number, MachineName | undefined>();
  const first = calls.find(({ call }) => call === "socket");
  const [host] = MACHINES;
  const other = first?.call === "socket" && first.at !== undefined ? host : undefined;
  return calls.map((call) => {
    if (call.call === "socket") known.set(call.socket, call.at);
    const at = known.has(call.socket) ? known.get(call.socket) : other;
    const made = madeBy(call);
    if (made !== undefined) known.set(made, at);
    return at;
  });
}

/** The calls of a program as a person reads them: each with its machine in front, if it has one. */
export function programTexts(calls: readonly SocketCall[]): string[] {
  const machines = machinesOf(calls);
  return calls.map((call, i) => {
    const at = machines[i];
    return at === undefined ? callText(call) : `${at.padEnd(5)} ${callText(call)}`;
  });
}

/** An answer as a person reads it: `4096`, `EAGAIN`, `IN|OUT`. */
export function answerText({ result, errno, flags = [], cid, port }: CallAnswer): string {
  if (errno !== undefined) return errno;
  if (port !== undefined) return `${wordText(cid ?? 0)}:${wordText(port)}`;
  return [result, ...flags].join(" ");
}

function wordText(value: number): string {
  return value === 0xffffffff ? "any" : `${value}`;
}
