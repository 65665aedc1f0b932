/**
 * The VM that runs on this machine: started, watched and ended.
 *
 * @module
 */
import { pause } from "../../core/wait.ts";
import { reasonOf } from "../../core/error.ts";
import { explainConsoles, isStalled, readConsole } from "./consoles.ts";
import { LabError, LateError, VmLostError, VmStalledError } from "../error.ts";
import { MARKS } from "../layout.ts";
import { type QemuEnd, qemuEnd } from "./qemu_end.ts";

/** How long a VM lives. */
export type Lifetime =
  /** It ends with this process, however that ends. */
  | "process"
  /** It outlives this process, until `lab down`. */
  | "detached";

/**
 * Starts QEMU in a session of its own, so that a Ctrl-C at the terminal reaches only this process.
 * The shell waits for the end of this process's pipe and then ends QEMU, even if we were killed.
 */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- & vm=$!
{ cat <&3 >/dev/null; kill $vm; } 2>/dev/null & watch=$!
exec 3<&-
wait $vm; status=$?
kill $watch 2>/dev/null
exit $status`;

/** How long a VM, or its guest, may take to end after its connections have, in milliseconds. */
const MOMENT = 10_000;

/** What a console may show before a boot is done, and whether another boot may help. */
const FAULTS = [
  {
    mark: MARKS.noDisk,
    Kind: LabError,
    what: "a VM found no disk; its kernel needs virtio-pci, virtio-blk, virtio-net and ext4, " +
      "built in or among --modules",
  },
  { mark: MARKS.agentEnded, Kind: LabError, what: "an agent exited, see its last output below" },
  { mark: MARKS.guestEnded, Kind: VmLostError, what: "the guest's QEMU ended" },
  {
    mark: MARKS.guestStuck,
    Kind: VmLostError,
    what: "KVM in the host stopped the guest with an internal error",
  },
] as const;

/** Is shown what the consoles hold by now, every tenth of a second; may throw a {@linkcode LabError}. */
export type ConsoleObserver = (texts: readonly string[]) => void | Promise<void>;

/** A running VM. */
export class Vm implements AsyncDisposable {
  readonly pid: number;
  /** QEMU's program and arguments. */
  readonly command: readonly string[];
  readonly #process: Deno.ChildProcess;
  readonly #errors: Promise<string>;
  readonly #consoles: readonly string[];
  /** Their lengths before, in characters: this VM may replace another one. */
  readonly #before: Promise<readonly number[]>;
  /** Whether it ends with this process. */
  readonly #bound: boolean;
  #end: QemuEnd | undefined;
  /** Settles when the process has ended, with why. */
  readonly ended: Promise<string>;

  /**
   * @param consoles the files that its serial ports are written to, the host's first.
   */
  constructor(
    qemu: string,
    args: readonly string[],
    consoles: readonly string[],
    lifetime: Lifetime,
    errorFile: string,
  ) {
    this.#before = Promise.all(consoles.map(async (path) => (await readConsole(path)).length));
    this.command = [qemu, ...args];
    const bound = this.#bound = lifetime === "process";
    const command = bound
      ? new Deno.Command("/bin/sh", {
        args: ["-c", GUARD, "guard", qemu, ...args],
        stdin: "piped",
        stdout: "null",
        stderr: "piped",
        detached: true,
      })
      : new Deno.Command("/bin/sh", {
        args: ["-c", 'errors=$1; shift; exec "$@" 2>"$errors"', "start", errorFile, qemu, ...args],
        stdin: "null",
        stdout: "null",
        stderr: "null",
        detached: true,
      });
    this.#process = command.spawn();
    if (!bound) this.#process.unref();
    this.pid = this.#process.pid;
    this.#consoles = consoles;
    this.#errors = bound
      ? new Response(this.#process.stderr).text()
      : Promise.resolve(`see ${errorFile}`);
    this.ended = this.#process.status.then(async ({ code }) => {
      // Deno gives a signal's number as a shell does, in the exit code.
      this.#end = qemuEnd("QEMU", code, await this.#errors);
      return this.#end.text;
    });
  }

  /**
   * Waits for something that the VM must do first.
   *
   * @param what it is, for messages.
   * @param onConsoles may throw what ends it.
   * @throws {VmLostError} with the end of the consoles, when the VM or its guest ends before;
   * {@linkcode LateError} when the time runs out; {@linkcode LabError} when `body` fails, whose error
   * is the cause; the reason of `stop`, when that is aborted.
   */
  async during<T>(
    what: string,
    milliseconds: number,
    body: (signal: AbortSignal) => Promise<T>,
    stop: AbortSignal,
    onConsoles?: ConsoleObserver,
  ): Promise<T> {
    const over = new AbortController();
    const limit = AbortSignal.timeout(milliseconds);
    const signal = AbortSignal.any([limit, stop, over.signal]);
    try {
      return await Promise.race([body(signal), this.#loss(signal, onConsoles)]);
    } catch (error) {
      stop.throwIfAborted();
      const late = limit.aborted ? `it took longer than ${milliseconds / 1000} s; ` : "";
      const found = late === "" ? await this.#behind(error) : error;
      const Kind = late !== ""
        ? LateError
        : [VmStalledError, VmLostError].find((kind) => found instanceof kind) ?? LabError;
      const text = await this.explain(`${what} failed: ${late}${reasonOf(found)}`);
      throw new Kind(text, { cause: error });
    } finally {
      over.abort();
    }
  }

  /** The loss behind an error: whoever talks to a VM may be the first to notice that it has ended. */
  async #behind(error: unknown): Promise<unknown> {
    if (error instanceof VmLostError) return error;
    const moment = AbortSignal.timeout(MOMENT);
    return await this.#loss(moment).catch((found) => found instanceof LabError ? found : error);
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** How it ended, once it has. */
  get end(): QemuEnd | undefined {
    return this.#end;
  }

  /** Ends the VM. */
  async [Symbol.asyncDispose](): Promise<void> {
    // The guard ends its VM when our pipe closes; a detached VM has none.
    if (this.#bound) await closeQuietly(this.#process.stdin);
    if (this.#end !== undefined) return;
    if (!this.#bound) killQuietly(this.pid, "SIGTERM");
    const timer = setTimeout(() => killQuietly(-this.pid, "SIGKILL"), 5000);
    await this.ended;
    clearTimeout(timer);
  }

  /** Rejects when the VM or the guest in it is lost, or the signal is aborted. */
  async #loss(signal: AbortSignal, onConsoles: ConsoleObserver = () => {}): Promise<never> {
    const before = await this.#before;
    while (this.#end === undefined) {
      const texts = await Promise.all(
        this.#consoles.map(async (path, i) => (await readConsole(path)).slice(before[i])),
      );
      await onConsoles(texts);
      for (const text of texts) {
        const fault = FAULTS.find(({ mark }) => text.includes(mark));
        if (fault !== undefined) throw new fault.Kind(fault.what);
        if (isStalled(text)) {
          throw new VmStalledError("a kernel stalled, see its RCU messages below");
        }
      }
      await pause(100, signal);
    }
    throw new VmLostError(this.#end.text);
  }

  /** Some words, with the end of the consoles behind them. */
  explain(what: string): Promise<string> {
    return explainConsoles(what, this.#consoles);
  }
}

async function closeQuietly(stream: WritableStream<Uint8Array>): Promise<void> {
  await stream.close().catch(() => {});
}

/** Sends a signal to a process, which may have ended by now. */
export function killQuietly(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
