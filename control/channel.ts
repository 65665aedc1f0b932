/**
 * The control channel: lines over one TCP connection. Every read has a deadline and every line a
 * maximum length; a peer that disconnects or violates the protocol causes an error that says so.
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

/** This side cannot listen on the given address. */
export class ListenError extends ExpectedError {
  override readonly name = "ListenError";
}

/** The stream below a channel: a TCP connection, or a pair in memory. */
export interface ByteStream {
  /** Reads some bytes; null at the end of the stream. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes the stream; a pending read ends. */
  close(): void;
}

/** How a channel detects that its peer is gone if the connection does not show it. */
export interface KeepAlive {
  /** How often this side shows that it is alive, in milliseconds. */
  readonly interval: number;
  /** How long the peer may be silent, or not read, in milliseconds. */
  readonly limit: number;
  /** Whether to wait for a silent peer anyway; by default never. */
  readonly isPatient?: () => boolean;
}

/** The default for agents and controllers. */
export const KEEP_ALIVE: KeepAlive = { interval: 5000, limit: 30_000 };

/** A line that only shows that its writer is alive. */
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
  /** The number of lines received, of bytes sent, and of bytes still to be sent. */
  #heard = 0;
  #sent = 0;
  #unsent = 0;
  #beat: ReturnType<typeof setInterval> | undefined;

  /**
   * A channel that owns its stream.
   *
   * @param limit the maximum length of a line, in bytes.
   */
  constructor(stream: ByteStream, limit: number = MAX_LINE) {
    this.#stream = stream;
    this.#decoder = new LineDecoder(limit);
  }

  /**
   * Reads the next line, without its end.
   *
   * @param milliseconds how long the peer may take for the whole line.
   * @throws {SilentPeerError} if it takes longer; the line can still be read later.
   * @throws {PeerGoneError} if there will be no more lines.
   * @throws {ProtocolError} if it sent something that is not a valid line.
   */
  async readLine(milliseconds: number = Infinity): Promise<string> {
    const deadline = performance.now() + milliseconds;
    let hasLooked = false;
    while (this.#lines.length === 0) {
      if (this.#ended !== undefined) throw this.#ended;
      this.#reading ??= this.#readMore().finally(() => this.#reading = undefined);
      if (await settledWithin(this.#reading, deadline - performance.now())) continue;
      // If this process was stopped, data that arrived meanwhile is seen only now.
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
   * @throws {PeerGoneError} if the connection is broken.
   */
  writeLine(line: string): Promise<void> {
    if (line.includes("\n")) throw new TypeError("Cannot write a control line: it has a line end");
    const bytes = new TextEncoder().encode(`${line}\n`);
    this.#unsent += bytes.length;
    // Writes are queued, so that their bytes are never interleaved.
    const written = this.#writing.then(() => this.#writeAll(bytes));
    this.#writing = written.catch(() => {});
    return written;
  }

  /** The time since the last line, including PING, in milliseconds. */
  get quietTime(): number {
    return performance.now() - this.#heardAt;
  }

  /** The number of bytes that are still to be sent. */
  get unsent(): number {
    return this.#unsent;
  }

  /**
   * From now on regularly shows the peer that this side is alive, and ends the connection with a
   * {@linkcode SilentPeerError} if the peer does not do the same.
   *
   * Time is counted in this process's own intervals: one in which the process did not run, because
   * its machine was stopped or a call blocked its thread, counts once, no matter how long it was.
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
   * @param why the error of pending and later reads; by default a {@linkcode PeerGoneError}.
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

/** How long to look for data that arrived in time, after the deadline, in milliseconds. */
const LOOK_TIME = 5;

/**
 * Connects to a control server, and retries until the deadline while nobody listens there.
 *
 * @throws {PeerGoneError} naming the address, if the deadline passes; the reason of `signal`, if
 * that is aborted first.
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
 * Listens for a control client on the given address only.
 *
 * @throws {ListenError} naming the address, if it is in use or is not this machine's.
 */
export function listenControl({ host, port }: ControlAddress): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: host, port });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const reason = error instanceof Deno.errors.AddrInUse
      ? "the port is in use; choose another one, or end the program that uses it"
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
 * Parses `host:port`, `[v6]:port` or a port.
 *
 * @throws {RangeError} if it is none of these.
 */
export function parseAddress(text: string, defaultHost = "127.0.0.1"): ControlAddress {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d+)$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new RangeError(`Cannot use the address "${text}": write host:port or [v6 address]:port`);
  }
  return { host: match[1] ?? match[2] ?? defaultHost, port };
}
