/**
 * The control channel: lines over one TCP connection. Every read has a deadline, every line a
 * length, and a peer that goes away or talks nonsense becomes an error that says so.
 *
 * @module
 */
import { ExpectedError, reasonOf } from "../core/error.ts";
import { LineDecoder, MAX_LINE } from "./line_decoder.ts";
import { settledWithin } from "./lines.ts";
import { ProtocolError } from "./wire.ts";

/** The peer closed the channel, or the connection broke. */
export class PeerGoneError extends ExpectedError {
  /** Tells it from other errors. */
  override readonly name = "PeerGoneError";
}

/** The peer sent no line in time. */
export class SilentPeerError extends ExpectedError {
  /** Tells it from other errors. */
  override readonly name = "SilentPeerError";
}

/** This side cannot listen where it was told to. */
export class ListenError extends ExpectedError {
  override readonly name = "ListenError";
}

/** What a channel runs over: a TCP connection, or a pair in memory. */
export interface ByteStream {
  /** Reads some bytes; null at the end of the stream. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes and gives their number. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes the stream; a read under way ends. */
  close(): void;
}

/** How a channel finds out that its peer is gone where the connection does not tell. */
export interface KeepAlive {
  /** How often this side says that it is there, in milliseconds. */
  readonly interval: number;
  /** For how long the peer may say nothing, or take nothing, in milliseconds. */
  readonly limit: number;
  /** Whether a silent peer is to be waited for nevertheless; never, where this is missing. */
  readonly isPatient?: () => boolean;
}

/** As an agent and a controller of ours do it. */
export const KEEP_ALIVE: KeepAlive = { interval: 5000, limit: 30_000 };

/** A line that says no more than that its writer is there. */
const PING = "PING";

/** Where the control channel listens or connects. */
export interface ControlAddress {
  /** A name or an address, IPv4 or IPv6. */
  readonly host: string;
  /** A TCP port. */
  readonly port: number;
}

/** Lines over a byte stream. */
export class LineChannel implements Disposable {
  readonly #stream: ByteStream;
  readonly #decoder: LineDecoder;
  readonly #lines: string[] = [];
  readonly #chunk = new Uint8Array(16 * 1024);
  #reading: Promise<void> | undefined;
  #ended: Error | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;
  #heardAt = performance.now();
  /** How many lines came, and how many bytes were sent and are still to be. */
  #heard = 0;
  #sent = 0;
  #unsent = 0;
  #beat: ReturnType<typeof setInterval> | undefined;

  /**
   * A channel that owns its stream.
   *
   * @param limit the longest line that is taken, in bytes.
   */
  constructor(stream: ByteStream, limit: number = MAX_LINE) {
    this.#stream = stream;
    this.#decoder = new LineDecoder(limit);
  }

  /**
   * The next line, without its end.
   *
   * @param milliseconds how long the peer may take for the whole line.
   * @throws {SilentPeerError} when it takes longer; the line can still be read later.
   * @throws {PeerGoneError} when there will be no more lines.
   * @throws {ProtocolError} when what it sent is no line.
   */
  async readLine(milliseconds: number = Infinity): Promise<string> {
    const deadline = performance.now() + milliseconds;
    let hasLooked = false;
    while (this.#lines.length === 0) {
      if (this.#ended !== undefined) throw this.#ended;
      this.#reading ??= this.#readMore().finally(() => this.#reading = undefined);
      if (await settledWithin(this.#reading, deadline - performance.now())) continue;
      // Where this process stood still, what came meanwhile is only seen now.
      const looks = !hasLooked;
      hasLooked = true;
      if (looks && await settledWithin(this.#reading, LOOK_TIME)) continue;
      const part = this.#decoder.held > 0 ? " (it sent part of one)" : "";
      const seconds = (milliseconds / 1000).toFixed(1);
      throw new SilentPeerError(`the peer wrote no line for ${seconds} s${part}`);
    }
    return this.#lines.shift() ?? "";
  }

  /**
   * Writes one line.
   *
   * @throws {PeerGoneError} when the connection is broken.
   */
  writeLine(line: string): Promise<void> {
    if (line.includes("\n")) throw new TypeError("Cannot write a control line: it has a line end");
    const bytes = new TextEncoder().encode(`${line}\n`);
    this.#unsent += bytes.length;
    // Writes queue up, so that two of them never mix their bytes.
    const written = this.#writing.then(() => this.#writeAll(bytes));
    this.#writing = written.catch(() => {});
    return written;
  }

  /** How long it is since a line came, in milliseconds; also one that says no more than that. */
  get quietTime(): number {
    return performance.now() - this.#heardAt;
  }

  /** How many bytes of lines are still to be sent. */
  get unsent(): number {
    return this.#unsent;
  }

  /**
   * From now on tells the peer again and again that this side is there, and ends the connection
   * with a {@linkcode SilentPeerError} where the peer, which is to do the same, does not.
   *
   * It counts time in intervals of this process's own: one for which the process did not run, since
   * its machine stood still or a call held its thread, counts once, however long it was.
   */
  keepAlive({ interval, limit, isPatient = () => false }: KeepAlive): void {
    if (this.#closed) return;
    let [heard, sent, silent, stuck] = [this.#heard, this.#sent, 0, 0];
    clearInterval(this.#beat);
    this.#beat = setInterval(() => {
      const isSilent = this.#reading !== undefined && this.#heard === heard;
      const isStuck = this.#unsent > 0 && this.#sent === sent;
      silent = isSilent && !isPatient() ? silent + interval : 0;
      stuck = isStuck && !isPatient() ? stuck + interval : 0;
      [heard, sent] = [this.#heard, this.#sent];
      const did = silent >= limit ? "been silent" : stuck >= limit ? "taken nothing" : undefined;
      if (did !== undefined) {
        this.close(new SilentPeerError(`the peer has ${did} for ${limit / 1000} s`));
      } else if (this.#unsent === 0) this.writeLine(PING).catch(() => {});
    }, interval);
  }

  /**
   * Closes the connection.
   *
   * @param why with what a read under way ends, and every later one; else it is a
   *   {@linkcode PeerGoneError}.
   */
  close(why?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#beat);
    this.#ended ??= why ?? new PeerGoneError("the control connection was closed on this side");
    this.#stream.close();
  }

  /** As {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #readMore(): Promise<void> {
    try {
      const count = await this.#stream.read(this.#chunk);
      if (count === null) {
        this.#ended ??= new PeerGoneError("the peer closed the control connection");
      } else {
        const chunk = this.#chunk.subarray(0, count);
        for (const line of this.#decoder.push(chunk)) {
          this.#heard++;
          this.#heardAt = performance.now();
          if (line !== PING) this.#lines.push(line);
        }
      }
    } catch (error) {
      this.#ended ??= error instanceof ProtocolError ? error : gone(error);
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      let at = 0;
      while (at < bytes.length) {
        const count = await this.#stream.write(bytes.subarray(at));
        at += count;
        this.#sent += count;
      }
    } catch (error) {
      throw gone(error);
    } finally {
      this.#unsent -= bytes.length;
    }
  }
}

function gone(error: unknown): PeerGoneError {
  const reason = reasonOf(error);
  return new PeerGoneError(`the control connection broke: ${reason}`, { cause: error });
}

/** How long is looked for what came in time, when the time is over; in milliseconds. */
const LOOK_TIME = 5;

/**
 * Connects to a control server, trying again until the deadline while nobody listens there yet.
 *
 * @throws {PeerGoneError} naming the address, when the deadline passes; the reason of `signal`,
 * when it is aborted first.
 */
export async function connectControl(
  address: ControlAddress,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<LineChannel> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return new LineChannel(await connectOnce(address, deadline - performance.now(), signal));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Deno.errors.NotCapable) throw error;
      const left = deadline - performance.now();
      if (!(error instanceof Deno.errors.ConnectionRefused) || left <= 0) {
        const reason = reasonOf(error);
        throw new PeerGoneError(
          `Cannot reach the peer at ${showAddress(address)}: ${reason}; is it running, is the ` +
            "port right, and does a firewall let it through?",
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(100, left)));
    }
  }
}

async function connectOnce(
  { host, port }: ControlAddress,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<Deno.TcpConn> {
  const late = AbortSignal.timeout(Math.max(1, Math.ceil(milliseconds)));
  const ending = signal === undefined ? late : AbortSignal.any([late, signal]);
  const connection = await Deno.connect({ hostname: host, port, signal: ending });
  connection.setNoDelay(true);
  return connection;
}

/**
 * Listens for a control client on the address given, and on no other.
 *
 * @throws {ListenError} naming the address, where it is taken or is not this machine's.
 */
export function listenControl({ host, port }: ControlAddress): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: host, port });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const reason = error instanceof Deno.errors.AddrInUse
      ? "the port is taken; choose another, or end the program that has it"
      : error instanceof Error
      ? error.message
      : String(error);
    const where = showAddress({ host, port });
    throw new ListenError(`Cannot listen on ${where}: ${reason}`, { cause: error });
  }
}

/** An address as people write it: `[::1]:1234`. */
export function showAddress({ host, port }: ControlAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads `host:port`, `[v6]:port` or a port alone.
 *
 * @throws {RangeError} where it is none of these.
 */
export function parseAddress(text: string, defaultHost = "127.0.0.1"): ControlAddress {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d+)$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new RangeError(`Cannot use the address "${text}": write host:port or [v6 address]:port`);
  }
  return { host: match[1] ?? match[2] ?? defaultHost, port };
}
