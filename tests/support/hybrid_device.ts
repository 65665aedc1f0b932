/**
 * A device in user space as its host sees it, over AF_UNIX alone: it takes `CONNECT port` and joins
 * the connection to the socket of the guest's port. It errs on purpose.
 *
 * @module
 */

/** How a device errs. */
export type HybridFault =
  | "no-number"
  | "answers-nobody"
  | "loses-data-behind"
  | "loses-data-first"
  | "answers-malformed"
  | "ends-when-malformed"
  | "other-port"
  | "ends-with-connection";

/** The faults, and which case must notice each with which words. */
export const HYBRID_FAULTS: readonly {
  readonly id: string;
  readonly fault: HybridFault;
  /** To be read after "a client whose". */
  readonly what: string;
  readonly reason: RegExp;
}[] = [
  {
    id: "hybrid/connect/ok-and-number",
    fault: "no-number",
    what: "device answers OK without a number",
    reason: /CONNECT is answered with "OK\\n"/,
  },
  {
    id: "hybrid/connect/nobody-listens",
    fault: "answers-nobody",
    what: "device answers OK where nobody listens",
    reason: /the answer to CONNECT: expected ""/,
  },
  {
    id: "hybrid/connect/data-behind",
    fault: "loses-data-behind",
    what: "device loses what follows CONNECT",
    reason: /end of file after 0 bytes|had not ended/,
  },
  {
    id: "hybrid/connect/data-behind",
    fault: "loses-data-first",
    what: "device puts the guest's first bytes before OK",
    reason: /CONNECT is answered with/,
  },
  {
    id: "hybrid/connect/malformed",
    fault: "answers-malformed",
    what: "device answers what is no CONNECT",
    reason: /the answer to no port: expected ""/,
  },
  {
    id: "hybrid/connect/malformed",
    fault: "ends-when-malformed",
    what: "device dies of what is no CONNECT",
    reason: /ECONNREFUSED|ENOENT|EPIPE/,
  },
  {
    id: "hybrid/connect/guest-reaches-port-socket",
    fault: "other-port",
    what: "device connects the guest nowhere",
    reason: /ENOENT|ECONNREFUSED|ECONNRESET/,
  },
  {
    id: "hybrid/connect/closed-with-data-in-flight",
    fault: "ends-with-connection",
    what: "device dies with a connection",
    reason: /ECONNREFUSED|ENOENT|EPIPE|closed instead of an answer/,
  },
];

/** A running device; ended, with its files, when disposed of. */
export class StandInDevice implements AsyncDisposable {
  readonly #folder: string;
  readonly #fault: HybridFault | undefined;
  readonly #listener: Deno.UnixListener;
  readonly #open = new Set<Deno.Conn>();
  readonly #done: Promise<void>;
  #isOver = false;

  private constructor(folder: string, fault: HybridFault | undefined) {
    this.#folder = folder;
    this.#fault = fault;
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
    this.#done = this.#serve();
  }

  static async start(fault?: HybridFault): Promise<StandInDevice> {
    return new StandInDevice(await Deno.makeTempDir({ prefix: "hybrid-" }), fault);
  }

  /** The socket for the host. */
  get path(): string {
    return `${this.#folder}/vm`;
  }

  /** What the guest's ports are named after. */
  get guestPath(): string {
    return `${this.#folder}/guest`;
  }

  /** What a guest that connects is led to. */
  get outPath(): string {
    return this.#fault === "other-port" ? `${this.#folder}/other` : this.path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#done;
    await Deno.remove(this.#folder, { recursive: true });
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.close();
    for (const each of this.#open) close(each);
  }

  async #serve(): Promise<void> {
    const joined: Promise<void>[] = [];
    try {
      for await (const host of this.#listener) {
        this.#open.add(host);
        joined.push(this.#join(host).catch(() => {}).finally(() => close(host)));
      }
    } catch {
      // Its listener was closed.
    }
    await Promise.all(joined);
  }

  /** Reads `CONNECT port` and joins both sides until they end. */
  async #join(host: Deno.Conn): Promise<void> {
    const { line, behind } = await readLine(host);
    const port = /^connect (\d{1,10})\n$/i.exec(line)?.[1];
    if (port === undefined || Number(port) >= 2 ** 32) {
      if (this.#fault === "answers-malformed") await write(host, text("OK 1\n"));
      if (this.#fault === "ends-when-malformed") this.#end();
      return;
    }
    const path = `${this.guestPath}_${port}`;
    const guest = await Deno.connect({ transport: "unix", path }).catch(async () => {
      if (this.#fault === "answers-nobody") await write(host, text("OK 1\n"));
    });
    if (!guest) return;
    this.#open.add(guest);
    try {
      if (this.#fault === "loses-data-first") await write(host, text("early"));
      await write(host, text(this.#fault === "no-number" ? "OK\n" : `OK ${port}\n`));
      if (this.#fault !== "loses-data-behind") await write(guest, behind);
      await Promise.all([copy(host, guest), copy(guest, host)]);
    } finally {
      close(guest);
      if (this.#fault === "ends-with-connection") this.#end();
    }
  }
}

function text(line: string): Uint8Array {
  return new TextEncoder().encode(line);
}

async function write(to: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) sent += await to.write(data.subarray(sent));
}

/** Copies until the end, and passes that on; where one side is broken both end. */
async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const piece = new Uint8Array(65536);
  try {
    for (;;) {
      const count = await from.read(piece);
      if (count === null) break;
      await write(to, piece.subarray(0, count));
    }
    await to.closeWrite();
  } catch {
    close(from);
    close(to);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** A line, at most so long as a sane one is, and what was read behind it. */
async function readLine(from: Deno.Conn): Promise<{ line: string; behind: Uint8Array }> {
  const piece = new Uint8Array(4096);
  let length = 0;
  while (length < piece.length) {
    const count = await from.read(piece.subarray(length));
    if (count === null) break;
    length += count;
    const end = piece.subarray(0, length).indexOf(10);
    if (end < 0) continue;
    const line = new TextDecoder().decode(piece.subarray(0, end + 1));
    return { line, behind: piece.slice(end + 1, length) };
  }
  return { line: "", behind: new Uint8Array() };
}
