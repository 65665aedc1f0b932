/**
 * Finds out which QEMU a program is.
 *
 * @module
 */
import { reasonOf } from "../../core/error.ts";
import { output } from "./command.ts";
import { LabError } from "../error.ts";

/** A qemu-system-x86_64 or qemu-system-aarch64. */
export interface QemuProgram {
  readonly path: string;
  /** Major and minor version. */
  readonly version: readonly [number, number];
  /** Differs between any two QEMUs: the version, and the size and time of the file. */
  readonly identity: string;
}

/** How long a QEMU may take to print its version, in milliseconds. */
const ANSWER_TIME = 10_000;

/**
 * Runs a program with `--version`.
 *
 * @throws {LabError} if it is not a QEMU.
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
 * The first QEMU in which TCG does not race with a guest that modifies its code from another
 * processor, as Linux does for jump labels. Older ones occasionally crash a guest (an "int3" oops).
 */
const SAFE_QEMU = [8, 1] as const;

/** Whether a QEMU can safely emulate with one thread per processor. */
export function hasSafeThreads({ version: [major, minor] }: Pick<QemuProgram, "version">): boolean {
  return major > SAFE_QEMU[0] || (major === SAFE_QEMU[0] && minor >= SAFE_QEMU[1]);
}
