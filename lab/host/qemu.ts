/**
 * A QEMU of this machine: which one it is, asked once.
 *
 * @module
 */
import { reasonOf } from "../../core/error.ts";
import { output } from "./command.ts";
import { LabError } from "../error.ts";

/** A qemu-system-x86_64 or qemu-system-aarch64. */
export interface QemuProgram {
  readonly path: string;
  /** Major and minor. */
  readonly version: readonly [number, number];
  /** Tells one QEMU from another: its version, and which file it is. */
  readonly identity: string;
}

/** How long a QEMU may take to tell its version, in milliseconds. */
const ANSWER_TIME = 10_000;

/**
 * Asks a program which QEMU it is.
 *
 * @throws {LabError} where there is none at that path.
 */
export async function qemuAt(program: string, stop?: AbortSignal): Promise<QemuProgram> {
  const path = await Deno.realPath(program).catch((error) => {
    throw new LabError(`There is no QEMU at ${program}: ${reasonOf(error)}`);
  });
  const late = AbortSignal.timeout(ANSWER_TIME);
  const signal = stop === undefined ? late : AbortSignal.any([stop, late]);
  const said = await output(path, ["--version"], { signal }).catch((error) => reasonOf(error));
  stop?.throwIfAborted();
  const [, major, minor] = /^QEMU emulator version (\d+)\.(\d+)/.exec(said) ?? [];
  if (major === undefined || minor === undefined) {
    throw new LabError(
      `${program} is not a QEMU binary: give a qemu-system-x86_64 or -aarch64`,
    );
  }
  const { size, mtime } = await Deno.stat(path);
  return {
    path,
    version: [Number(major), Number(minor)],
    identity: `${said} ${size} ${mtime?.getTime()}`,
  };
}

/**
 * The first QEMU whose translator does not race with a guest that changes its own code on another
 * processor, as Linux does for jump labels: older ones crash a guest now and then (an "int3" oops).
 */
const SAFE_QEMU = [8, 1] as const;

/** Whether a QEMU may translate with a thread for each processor. */
export function hasSafeThreads({ version: [major, minor] }: Pick<QemuProgram, "version">): boolean {
  return major > SAFE_QEMU[0] || (major === SAFE_QEMU[0] && minor >= SAFE_QEMU[1]);
}
