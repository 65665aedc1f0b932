/**
 * What the model knows of sockets and connections: the state between two calls, when all that was
 * sent has arrived.
 *
 * @module
 */
import { type CallSocketType, type MachineName, MACHINES } from "../core/socket_call.ts";

/** The buffer of a socket that nobody has changed, and its bounds, in bytes. */
export const DEFAULT_BUFFER = 262_144;
export const LEAST_BUFFER = 128;
/** How long connect() waits unless it is told otherwise, in seconds. */
export const DEFAULT_CONNECT_TIMEOUT = 2;

/** Bytes `from` to `to` of what one send() was given. */
export interface Segment {
  /** The pattern that the send() was given. */
  readonly pattern: number;
  readonly from: number;
  readonly to: number;
}

/** A whole message of a SEQPACKET connection that nobody has read. */
export interface Message {
  readonly segments: readonly Segment[];
  readonly length: number;
  /** Sent with MSG_EOR. */
  readonly eor: boolean;
}

/** Which directions have been shut down: by a socket itself, or by its peer. */
export interface Ends {
  /** It will receive nothing more. */
  rd: boolean;
  /** It will send nothing more. */
  wr: boolean;
}

/** A range of numbers, both ends included. */
export interface Range {
  least: number;
  most: number;
}

/** Where a socket is in its life. */
export type Phase = "unconnected" | "listening" | "connected";

/** What a socket is bound to. */
export interface Bound {
  /** The program's port; undefined where the kernel chose one. */
  readonly port: number | undefined;
  /** The number of the port, once an answer has told it: a listener's and its connections' are one. */
  readonly number: { known?: number };
  /** Whether other sockets cannot be bound to it meanwhile: not where a listener's is shared. */
  readonly isOwn: boolean;
}

/** A socket, or one end of a connection that nobody has accepted yet. */
export class ModelSocket {
  readonly type: CallSocketType;
  /** The machine that it is on; undefined where there is only one. */
  readonly at: MachineName | undefined;
  phase: Phase = "unconnected";
  /** False from close(2) on. */
  open = true;
  bound: Bound | undefined;
  /** Whether connect(2) was tried, and failed. */
  refused = false;
  buffer = { size: DEFAULT_BUFFER, min: LEAST_BUFFER, max: DEFAULT_BUFFER };
  lowat = 1;
  /** How long connect() waits, in seconds. */
  connectTimeout = DEFAULT_CONNECT_TIMEOUT;
  /** A listener's: the longest queue, and the connections in it that nobody has accepted. */
  backlog = 0;
  queue: ModelSocket[] = [];
  /** A connection's other end. */
  peer: ModelSocket | undefined;
  /** Whether it came from a listener. */
  accepted = false;
  readonly own: Ends = { rd: false, wr: false };
  /** What the peer has shut down: `wr` means that nothing more comes, `rd` that nothing is taken. */
  readonly peers: Ends = { rd: false, wr: false };
  /** A stream's bytes that can be read. */
  bytes: Segment[] = [];
  /** Messages that can be read. */
  messages: Message[] = [];
  /** What there is of a message that has no end yet (K-2). */
  torn: Segment[] = [];
  /**
   * What it has sent and may not know to have been read, in bytes. The receiver need not tell of
   * each byte that it reads, so that this is a range.
   */
  inFlight: Range = { least: 0, most: 0 };
  /** At most so many packets lie unread. */
  packets = 0;
  /** Both sides know that the connection is over. */
  over = false;
  /** It shut down a connection that was over (K-9). */
  lostEnd = false;
  /** Its ports are those of an older connection, of which one end is open (pair-reused). */
  isReused = false;
  /** The kernel has given up the connection for no good reason (K-1, pair-reused): nothing is claimed of it. */
  spoiled = false;

  constructor(type: CallSocketType, at?: MachineName) {
    this.type = type;
    this.at = at;
  }

  /** The machine to which it connects: its own over the loopback, otherwise the other one. */
  get peerAt(): MachineName | undefined {
    return this.at === undefined ? undefined : MACHINES.find((name) => name !== this.at);
  }

  /** Bytes that nobody has read, of all that was sent to it. */
  get unread(): number {
    const whole = this.type === "stream"
      ? lengthOf(this.bytes)
      : this.messages.reduce((sum, { length }) => sum + length, 0);
    return whole + lengthOf(this.torn);
  }

  /** The window that it may fill: the peer's buffer, and no more than its own. */
  get window(): number {
    return Math.min(this.peer?.buffer.size ?? 0, this.buffer.size);
  }

  /** How much it can send at once. */
  get space(): Range {
    const left = (inFlight: number) => Math.max(0, this.window - inFlight);
    return { least: left(this.inFlight.most), most: left(this.inFlight.least) };
  }

  /** Whether both directions are shut down. */
  static areBoth({ rd, wr }: Ends): boolean {
    return rd && wr;
  }
}

/** How many bytes segments have. */
export function lengthOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** The first bytes of segments, and the rest. */
export function split(segments: readonly Segment[], length: number): [Segment[], Segment[]] {
  const first: Segment[] = [];
  const rest: Segment[] = [];
  let left = length;
  for (const segment of segments) {
    const { pattern, from, to } = segment;
    const cut = Math.min(to, from + left);
    if (cut > from) first.push({ pattern, from, to: cut });
    if (cut < to) rest.push({ pattern, from: cut, to });
    left -= cut - from;
  }
  return [first, rest];
}

/** All that is modelled: sockets by the names that a program gives them, and who has which port. */
export class World {
  readonly sockets = new Map<number, ModelSocket>();
  /** Sockets that were closed, and may hold their port until the peer has read all and closed. */
  readonly lingering = new Set<ModelSocket>();

  /** The open socket of that name. */
  find(name: number): ModelSocket | undefined {
    return this.sockets.get(name);
  }

  /** Who holds a port of the program's on a machine for certain. */
  holderOf(port: number, on: MachineName | undefined): ModelSocket | undefined {
    return [...this.sockets.values()].find(({ bound, at }) =>
      bound?.isOwn && bound.port === port && at === on
    );
  }

  /** Whether a socket that was closed may still hold a port of a machine. */
  mayLinger(port: number, on: MachineName | undefined): boolean {
    return [...this.lingering].some(({ bound, peer, at }) =>
      bound?.port === port && at === on && peer !== undefined && peer.open
    );
  }
}

/** A socket's state in a few words, for counting what was reached. */
export function stateName(socket: ModelSocket): string {
  const { phase, bound, refused, queue, own, peers, type, unread } = socket;
  if (phase === "listening") return `${type} listening${queue.length > 0 ? ", asked" : ""}`;
  if (phase === "unconnected") {
    return `${type} ${refused ? "refused" : bound === undefined ? "fresh" : "bound"}`;
  }
  const words = [
    ...endsText("shut", own),
    ...endsText("peer shut", peers),
    ...(unread > 0 ? ["unread"] : []),
  ];
  return [`${type} connected`, ...words].join(", ");
}

function endsText(what: string, { rd, wr }: Ends): string[] {
  return rd || wr ? [`${what} ${rd && wr ? "RDWR" : rd ? "RD" : "WR"}`] : [];
}
