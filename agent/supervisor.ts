/**
 * An agent in a process of its own, which is restarted if it dies: killed, or by a fault in a
 * call of libc's. The new one listens where the old one did, and reports on what it left.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import { parseAddress } from "../control/channel.ts";
import type { ControlAddress } from "../control/channel.ts";
import { TOKEN_VARIABLE } from "../control/token.ts";
import type { SideSettings } from "./settings.ts";

/** Arguments that make another process the same side. */
export function sideArguments(settings: SideSettings): string[] {
  const { cases = [], peerCid, standIn, exclusive, guestMonitor } = settings;
  return [
    ...cases.flatMap((path) => ["--cases", path]),
    ...["--peer-cid", `${peerCid}`],
    ...(standIn === undefined ? [] : ["--stand-in", standIn]),
    ...(exclusive ? ["--exclusive"] : []),
    ...(guestMonitor === undefined ? [] : ["--guest-monitor", guestMonitor]),
  ];
}

/** How an agent is started. */
export interface SupervisorOptions {
  /** The arguments of the command `agent`, without where it is to listen. */
  readonly args: readonly string[];
  /** Where it is to listen; port 0 is one of the system's choice. */
  readonly listen: string;
  /** What a controller has to know; nothing, where this is missing. */
  readonly token?: string | undefined;
  /** Takes its standard error, a piece at a time; that is this process's where there is none. */
  readonly onError?: (text: string) => void;
}

/** How long an agent may take to end when it is told to, in milliseconds. */
const END_TIME = 3000;
/** Exit codes with which an agent ends because it was to, or cannot be of use. */
const FINAL: ReadonlySet<number> = new Set([
  ...[EXIT.ok, EXIT.broken],
  ...[EXIT.hungUp, EXIT.interrupted, EXIT.terminated],
]);

/** A supervised agent; ended when disposed of. */
export class SupervisedAgent implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #file: AnonymousFile;
  readonly #listening = Promise.withResolvers<ControlAddress>();
  #child: Deno.ChildProcess | undefined;
  #ending = false;
  /** Settles with its exit code when it has ended for good. */
  readonly ended: Promise<number>;

  private constructor(options: SupervisorOptions, file: AnonymousFile) {
    this.#options = options;
    this.#file = file;
    // Nobody has to ask where it listens.
    this.#listening.promise.catch(() => {});
    this.ended = this.#supervise();
  }

  /** Starts an agent. */
  static async start(options: SupervisorOptions): Promise<SupervisedAgent> {
    return new SupervisedAgent(options, await AnonymousFile.make());
  }

  /** Where it listens; rejects where it ended before it did. */
  get listening(): Promise<ControlAddress> {
    return this.#listening.promise;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    this.#kill("SIGTERM");
    const timer = setTimeout(() => this.#kill("SIGKILL"), END_TIME);
    await this.ended;
    clearTimeout(timer);
  }

  async #supervise(): Promise<number> {
    const journal = this.#file.path;
    let { listen } = this.#options;
    let after: string[] = [];
    try {
      for (;;) {
        const { code, address } = await this.#once(["--listen", listen, ...after], journal);
        // One that dies before it listens would die again.
        if (this.#ending || FINAL.has(code) || address === undefined) return code;
        listen = address;
        after = ["--after", `${code}`];
      }
    } finally {
      this.#listening.reject(new Error("the agent ended before it listened"));
      this.#file[Symbol.dispose]();
    }
  }

  /** Runs its process to the end. */
  async #once(args: readonly string[], journal: string) {
    const { onError, token = "" } = this.#options;
    const own = [...this.#options.args, ...args, "--crash-journal", journal];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "-A", Deno.mainModule, "agent", ...own],
      // A Ctrl-C at the terminal reaches only this process, which ends the other when it should.
      detached: true,
      env: { [TOKEN_VARIABLE]: token },
      stdin: "null",
      stdout: "piped",
      stderr: onError === undefined ? "inherit" : "piped",
    }).spawn();
    this.#child = child;
    const [{ code }, address] = await Promise.all([
      child.status,
      this.#readAddress(child.stdout),
      onError === undefined ? undefined : readText(child.stderr, onError),
    ]);
    return { code, address };
  }

  /** The address, which is all that it writes to standard output. */
  async #readAddress(stream: ReadableStream<Uint8Array>): Promise<string | undefined> {
    let address: string | undefined;
    let text = "";
    await readText(stream, (piece) => {
      text += piece;
      if (address !== undefined || !text.includes("\n")) return;
      address = text.slice(0, text.indexOf("\n"));
      this.#listening.resolve(parseAddress(address));
    });
    return address;
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child?.kill(signal);
    } catch (error) {
      // It has just ended.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

/**
 * A file that this process holds open and that has no name, so that nothing is left of it however
 * this process ends. Those that it starts open it by its path.
 */
class AnonymousFile implements Disposable {
  /** Where it is while this process lives, for others of the same user. */
  readonly path: string;
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.path = path;
  }

  /** Makes one. */
  static async make(): Promise<AnonymousFile> {
    const name = await Deno.makeTempFile({ prefix: "vsock-agent-" });
    let file: Deno.FsFile;
    try {
      file = await Deno.open(name, { read: true, write: true });
    } finally {
      await Deno.remove(name);
    }
    const folder = `/proc/${Deno.pid}/fd`;
    for await (const { name: fd } of Deno.readDir(folder)) {
      const target = await Deno.readLink(`${folder}/${fd}`).catch(() => "");
      if (target === `${name} (deleted)`) return new AnonymousFile(file, `${folder}/${fd}`);
    }
    file.close();
    throw new Error(`Cannot find ${name} among the files of this process: is /proc mounted?`);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

async function readText(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) take(piece);
}
