/**
 * What calls may answer that ask for something, and set options.
 *
 * @module
 */
import type { CallOption, PollBit, SocketCall } from "../core/socket_call.ts";
import type { Excuses } from "./excuses.ts";
import { fails, type FlagClaim, type Outcome, succeeds } from "./outcome.ts";
import { type Bound, DEFAULT_CONNECT_TIMEOUT, ModelSocket } from "./state.ts";

/** VMADDR_CID_ANY and VMADDR_PORT_ANY. */
const ANY = 0xffffffff;
/** The highest port that the kernel never chooses. */
const LAST_RESERVED_PORT = 1023;
/** The number of the address family. */
const AF_VSOCK = 40;
/** SOCK_STREAM and SOCK_SEQPACKET. */
const TYPES = { stream: 1, seqpacket: 5 } as const;

const BIT_RULES = {
  IN: "poll/in",
  OUT: "poll/out",
  RDHUP: "poll/rdhup",
  HUP: "poll/hup",
  ERR: "poll/err",
} as const;

/** poll(2). */
export function pollOutcomes(socket: ModelSocket): Outcome[] {
  const bits = socket.phase === "connected" ? connectedBits(socket) : {
    IN: socket.queue.length > 0,
    OUT: socket.phase === "unconnected",
    RDHUP: false,
    HUP: false,
  };
  const flags = (Object.keys(BIT_RULES) as PollBit[]).map((flag): FlagClaim => ({
    flag,
    is: flag === "ERR" ? false : bits[flag],
    rule: BIT_RULES[flag],
  }));
  return [{ rule: "poll/in", least: 0, most: 1, flags }];
}

type Bits = Readonly<Record<Exclude<PollBit, "ERR">, boolean | undefined>>;

function connectedBits(socket: ModelSocket): Bits {
  const { own, peers } = socket;
  const ends = own.rd || peers.wr;
  return {
    IN: ends || readable(socket),
    OUT: writable(socket),
    RDHUP: ends,
    HUP: ModelSocket.areBoth(own) || own.wr && peers.wr,
  };
}

function readable({ unread, lowat, torn }: ModelSocket): boolean | undefined {
  // Of a message without an end it is not known what counts (K-3).
  if (torn.length > 0) return undefined;
  return unread >= lowat;
}

function writable({ own, peers, over, space }: ModelSocket): boolean | undefined {
  if (own.wr) return false;
  if (over || space.least > 0) return true;
  // send() would fail at once, but the window is full: nothing says which of them counts.
  if (peers.rd) return undefined;
  return space.most === 0 ? false : undefined;
}

/** getsockname(2). */
export function ownNameOutcomes({ bound }: ModelSocket): Outcome[] {
  if (bound !== undefined) return [nameOutcome("name/own", bound)];
  const isUnbound = (port?: number) => port === ANY ? undefined : "port any, since it is not bound";
  return [{ rule: "name/own", address: ({ port }) => isUnbound(port) }];
}

/** getpeername(2). */
export function peerNameOutcomes({ phase, own, peer }: ModelSocket): Outcome[] {
  if (phase !== "connected" || peer?.bound === undefined || own.rd || own.wr) {
    return [fails("name/no-peer", "ENOTCONN")];
  }
  return [nameOutcome("name/peer", peer.bound)];
}

/** An address with the port of what is bound, which is learnt from the first answer. */
function nameOutcome(rule: "name/own" | "name/peer", bound: Bound): Outcome {
  const address = ({ port = ANY }: { port?: number }) => {
    const { known } = bound.number;
    if (known !== undefined) return port === known ? undefined : `port ${known}`;
    const isChosen = port > LAST_RESERVED_PORT && port < ANY;
    return isChosen ? undefined : "a port above 1023";
  };
  return { rule, address, then: ({ port }) => void (bound.number.known = port ?? ANY) };
}

/** getsockopt(2). */
export function optionOutcomes(socket: ModelSocket, option: CallOption): Outcome[] {
  const { buffer, lowat, type, phase } = socket;
  const value = (rule: Outcome["rule"], result: number): Outcome[] => [
    { rule, least: result, most: result, then: () => {} },
  ];
  switch (option) {
    case "BUFFER_SIZE":
      return value("option/buffer", buffer.size);
    case "BUFFER_MIN_SIZE":
      return value("option/buffer", buffer.min);
    case "BUFFER_MAX_SIZE":
      return value("option/buffer", buffer.max);
    case "SO_RCVLOWAT":
      return value("option/lowat", lowat);
    case "CONNECT_TIMEOUT":
      return value("option/connect-timeout", socket.connectTimeout);
    case "SO_ERROR":
      return value("option/no-error", 0);
    case "SO_TYPE":
      return value("option/facts", TYPES[type]);
    case "SO_DOMAIN":
      return value("option/facts", AF_VSOCK);
    case "SO_PROTOCOL":
      return value("option/facts", 0);
    case "SO_ACCEPTCONN":
      return value("option/facts", phase === "listening" ? 1 : 0);
  }
}

/** setsockopt(2). */
export function setOutcomes(
  socket: ModelSocket,
  { option, value }: Extract<SocketCall, { call: "setsockopt" }>,
): Outcome[] {
  const { buffer } = socket;
  if (option === "SO_RCVLOWAT") {
    const isTooLarge = socket.type === "stream" && value > buffer.size;
    if (isTooLarge) return [fails("option/lowat-too-large", "EINVAL")];
    return [succeeds("option/lowat", () => void (socket.lowat = Math.max(1, value)))];
  }
  if (option === "CONNECT_TIMEOUT") {
    return [succeeds("option/connect-timeout", () => {
      socket.connectTimeout = value === 0 ? DEFAULT_CONNECT_TIMEOUT : value;
    })];
  }
  return [succeeds("option/buffer", () => {
    if (option === "BUFFER_MIN_SIZE") buffer.min = value;
    if (option === "BUFFER_MAX_SIZE") buffer.max = value;
    const asked = option === "BUFFER_SIZE" ? value : buffer.size;
    buffer.size = Math.min(Math.max(asked, buffer.min), buffer.max);
  })];
}

/** ioctl(2). */
export function ioctlOutcomes(
  socket: ModelSocket,
  { request }: Extract<SocketCall, { call: "ioctl" }>,
  excuses: Excuses,
): Outcome[] {
  const { phase, refused, unread } = socket;
  const missing = excuses.as(
    "no-ioctl",
    fails("ioctl/unconnected", "ENOTTY"),
    fails("ioctl/unconnected", "EOPNOTSUPP"),
  );
  if (phase === "connected") {
    const rule = request === "SIOCINQ" ? "ioctl/unread" : "ioctl/unsent";
    const count = request === "SIOCINQ" ? unread : 0;
    return [{ rule, least: count, most: count, then: () => {} }, ...missing];
  }
  const listens = phase === "listening" ? [fails("ioctl/unconnected", "EINVAL")] : [];
  const none = refused ? [succeeds("ioctl/unconnected")] : [];
  return [fails("ioctl/unconnected", "EOPNOTSUPP"), ...listens, ...none, ...missing];
}
