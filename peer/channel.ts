/**
 * The control channel: lines over one TCP connection. Every read has a deadline, every line a
 * length, and a peer that goes away or talks nonsense becomes an error that says so.
 *
 * @module
 */
import { reasonOf } from "../core/reason.ts";
import { LineDecoder, MAX_LINE } from "./line_decoder.ts";
import { ProtocolError } from "./wire.ts";

/** The peer closed the channel, or the connection broke. */
export class PeerGoneError extends Error {
  /** Tells it from other errors. */
  override readonly name = "PeerGoneError";
}

/** The peer sent no line in time. */
export class SilentPeerError extends Error {
  /** Tells it from other errors. */
  override readonly name = "SilentPeerError";
}

/** This side cannot listen where it was told to. */
export class ListenError extends Error {
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
    while (this.#lines.length === 0) {
      if (this.#ended !== undefined) throw this.#ended;
      this.#reading ??= this.#readMore().finally(() => this.#reading = undefined);
      const left = deadline - performance.now();
      if (!(await settledWithin(this.#reading, left))) {
        const part = this.#decoder.held > 0 ? " (it sent part of one)" : "";
        const seconds = (milliseconds / 1000).toFixed(1);
        throw new SilentPeerError(`the peer wrote no line for ${seconds} s${part}`);
      }
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
    // Writes queue up, so that two of them never mix their bytes.
    const written = this.#writing.then(() => this.#writeAll(bytes));
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Closes the connection; a read under way ends with {@linkcode PeerGoneError}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended ??= new PeerGoneError("the control connection was closed on this side");
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
        for (const line of this.#decoder.push(chunk)) this.#lines.push(line);
      }
    } catch (error) {
      this.#ended ??= error instanceof ProtocolError ? error : gone(error);
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      let at = 0;
      while (at < bytes.length) at += await this.#stream.write(bytes.subarray(at));
    } catch (error) {
      throw gone(error);
    }
  }
}

function gone(error: unknown): PeerGoneError {
  const reason = reasonOf(error);
  return new PeerGoneError(`the control connection broke: ${reason}`, { cause: error });
}

/** Whether a promise settles within a time. */
async function settledWithin(promise: Promise<void>, milliseconds: number): Promise<boolean> {
  if (milliseconds === Infinity) {
    await promise;
    return true;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

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
