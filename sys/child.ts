/**
 * A process that holds one of our descriptors, posix_spawn(3), so that it can die with it.
 *
 * @module
 */
import { SIGKILL } from "./constants.ts";
import type { Descriptor } from "./descriptor.ts";
import { errnoNumber, SysError } from "./errno.ts";
import { addressOf, call, callBlocking } from "./libc.ts";
import { type Bytes, bytes, int, intOf } from "./structs.ts";

/** More than posix_spawn_file_actions_t has, in any version of glibc. */
const FILE_ACTIONS_SIZE = 256;
/** The number that the descriptor has in the child. */
const CHILDS_FD = 3;

/** What the child is, and its environment. */
const ARGUMENTS = ["sh", "-c", "exec sleep 600"];
const VARIABLES = ["PATH=/usr/bin:/bin:/usr/sbin:/sbin"];

/** argv and envp with their strings in one piece of memory, which lives as long as it is used. */
function argumentBlock(): { argv: Bytes; envp: Bytes } {
  const strings = [...ARGUMENTS, ...VARIABLES].map((text) => new TextEncoder().encode(`${text}\0`));
  const pointers = 8 * (strings.length + 2);
  const block = bytes(strings.reduce((sum, { length }) => sum + length, pointers));
  const view = new DataView(block.buffer);
  const base = addressOf(block);
  let at = pointers;
  strings.forEach((string, i) => {
    // Behind the arguments comes the NULL that ends them.
    const word = i < ARGUMENTS.length ? i : i + 1;
    view.setBigUint64(8 * word, base + BigInt(at), true);
    block.set(string, at);
    at += string.length;
  });
  return { argv: block, envp: block.subarray(8 * (ARGUMENTS.length + 1)) };
}

/** A child that sleeps and holds a descriptor; killed and waited for when disposed of. */
export class Holder implements AsyncDisposable {
  readonly #pid: number;
  #killed = false;

  /**
   * Starts a process that holds a copy of the descriptor.
   *
   * @throws {SysError} where /bin/sh cannot be started.
   */
  constructor(descriptor: Descriptor) {
    const actions = bytes(FILE_ACTIONS_SIZE);
    const pid = int(0);
    const path = new TextEncoder().encode("/bin/sh\0");
    const { argv, envp } = argumentBlock();
    call("posix_spawn_file_actions_init", actions);
    call("posix_spawn_file_actions_adddup2", actions, descriptor.fd, CHILDS_FD);
    // It returns the errno instead of storing it.
    const failed = call("posix_spawn", pid, path, actions, null, argv, envp);
    call("posix_spawn_file_actions_destroy", actions);
    if (failed !== 0) throw new SysError("posix_spawn(/bin/sh)", failed);
    this.#pid = intOf(pid);
  }

  /** SIGKILL, and waits until nothing is left of it, its descriptors least of all. */
  async kill(): Promise<void> {
    if (this.#killed) return;
    this.#killed = true;
    call("kill", this.#pid, SIGKILL);
    const { result } = await callBlocking("waitpid", [this.#pid, null, 0]);
    // Whoever ignores SIGCHLD has nobody to wait for.
    const isGone = result === this.#pid || result === -errnoNumber("ECHILD");
    if (!isGone) throw new SysError(`waitpid(${this.#pid})`, -result);
  }

  /** As {@linkcode kill}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
