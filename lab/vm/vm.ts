/**
 * The VM that runs on this machine: starts, watches and ends it.
 *
 * @module
 */
import { pause } from "../../core/wait.ts";
import { reasonOf } from "../../core/error.ts";
import { explainConsoles, isStalled, readConsole } from "./consoles.ts";
import { LabError, LateError, VmLostError, VmStalledError } from "../error.ts";
import { MARKS } from "../layout.ts";
import { type QemuEnd, qemuEnd } from "./qemu_end.ts";

/** When a VM ends. */
export type Lifetime =
  /** It ends with this process, even if that is killed. */
  | "process"
  /** It stays up until `lab down`. */
  | "detached";

/**
 * Starts QEMU in a new session, so that Ctrl-C at the terminal reaches only this process. The shell
 * waits until this process closes its pipe, which also happens if it is killed, and then ends QEMU.
 */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- & vm=$!
{ cat <&3 >/dev/null; kill $vm; } 2>/dev/null & watch=$!
exec 3<&-
wait $vm; status=$?
kill $watch 2>/dev/null
exit $status`;

/** How long after its connections were lost a VM may take to exit, in milliseconds. */
const MOMENT = 10_000;

/** Messages on a console that mean that a boot has failed; `Kind` tells whether to retry. */
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

/** Receives the consoles' texts every tenth of a second; may throw a {@linkcode LabError}. */
export type ConsoleObserver = (texts: readonly string[]) => void | Promise<void>;

/** A running VM. */
export class Vm implements AsyncDisposable {
  readonly pid: number;
  /** QEMU's path and arguments. */
  readonly command: readonly string[];
  readonly #process: Deno.ChildProcess;
  readonly #errors: Promise<string>;
  readonly #consoles: readonly string[];
  /** The consoles' lengths at the start, in characters: this VM may replace another one. */
  readonly #before: Promise<readonly number[]>;
  /** Whether it ends with this process. */
  readonly #bound: boolean;
  #end: QemuEnd | undefined;
  /** Resolves with the reason when the process has ended. */
  readonly ended: Promise<string>;

  /** @param consoles the files with the output of its serial consoles, the host's first. */
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
      // As in a shell, Deno's exit code includes the number of the signal.
      this.#end = qemuEnd("QEMU", code, await this.#errors);
      return this.#end.text;
    });
  }

  /**
   * Waits for work that depends on the VM.
   *
   * @param what the name of the work, for messages.
   * @param onConsoles may throw an error to end it.
   * @throws {VmLostError} with the last lines of the consoles, if the VM or its guest ends first;
   * {@linkcode LateError} if the time runs out; {@linkcode LabError} if `body` fails, with its
   * error as the cause; the reason of `stop`, if that is aborted.
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

  /** The loss that caused an error: a broken connection may be noticed before the end of the VM. */
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
    // The shell ends the VM when our pipe closes; a detached VM has no such shell.
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

  /** A message followed by the last lines of the consoles. */
  explain(what: string): Promise<string> {
    return explainConsoles(what, this.#consoles);
  }
}

async function closeQuietly(stream: WritableStream<Uint8Array>): Promise<void> {
  await stream.close().catch(() => {});
}

/** Sends a signal to a process, which may have ended already. */
export function killQuietly(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
