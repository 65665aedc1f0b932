/**
 * Runs an agent in a separate process, which is restarted if it dies: if it is killed, or crashes
 * in a libc call. The new process listens on the same address, and reports on what was lost.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import { parseAddress } from "../control/channel.ts";
import type { ControlAddress } from "../control/channel.ts";
import { TOKEN_VARIABLE } from "../control/token.ts";
import type { SideSettings } from "./settings.ts";

/** The arguments that start another process with the same settings. */
export function sideArguments(settings: SideSettings): string[] {
  const { cases = [], peerCid, standIn, hybrid, exclusive, guestMonitor } = settings;
  return [
    ...cases.flatMap((path) => ["--cases", path]),
    ...["--peer-cid", `${peerCid}`],
    ...(standIn === undefined ? [] : ["--stand-in", standIn]),
    ...(hybrid === undefined ? [] : ["--hybrid", hybrid]),
    ...(exclusive ? ["--exclusive"] : []),
    ...(guestMonitor === undefined ? [] : ["--guest-monitor", guestMonitor]),
  ];
}

/** How an agent is started. */
export interface SupervisorOptions {
  /** The arguments of the command `agent`, without the address to listen on. */
  readonly args: readonly string[];
  /** The address to listen on; with port 0 the system chooses one. */
  readonly listen: string;
  /** The token that a controller must present; none if undefined. */
  readonly token?: string | undefined;
  /** Receives its standard error, piece by piece; by default it shares this process's. */
  readonly onError?: (text: string) => void;
}

/** How long an agent may take to exit when asked to, in milliseconds. */
const END_TIME = 3000;
/** Exit codes after which an agent is not restarted. */
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
  /** Resolves with its exit code when it has ended for good. */
  readonly ended: Promise<number>;

  private constructor(options: SupervisorOptions, file: AnonymousFile) {
    this.#options = options;
    this.#file = file;
    // It is no error if nobody asks where it listens.
    this.#listening.promise.catch(() => {});
    this.ended = this.#supervise();
  }

  /** Starts an agent. */
  static async start(options: SupervisorOptions): Promise<SupervisedAgent> {
    return new SupervisedAgent(options, await AnonymousFile.make());
  }

  /** The address on which it listens; rejected if it ends before that. */
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
        // A process that died before it listened would do so again.
        if (this.#ending || FINAL.has(code) || address === undefined) return code;
        listen = address;
        after = ["--after", `${code}`];
      }
    } finally {
      this.#listening.reject(new Error("the agent ended before it listened"));
      this.#file[Symbol.dispose]();
    }
  }

  /** Runs its process until that ends. */
  async #once(args: readonly string[], journal: string) {
    const { onError, token = "" } = this.#options;
    const own = [...this.#options.args, ...args, "--crash-journal", journal];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "-A", Deno.mainModule, "agent", ...own],
      // Ctrl-C at the terminal should reach only this process, which then ends the agent.
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

  /** Reads the address, the only thing that an agent writes to standard output. */
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
      // The process has just ended.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

/**
 * A file without a name that this process holds open, so that it disappears with this process.
 * Child processes open it by its path below /proc.
 */
class AnonymousFile implements Disposable {
  /** Its path for other processes of the same user, while this process lives. */
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
