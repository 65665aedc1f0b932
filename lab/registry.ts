/**
 * The registry of labs that stay up: `lab up` records them for `lab run`, `lab shell` and `lab
 * down`.
 *
 * @module
 */
import { until } from "../core/wait.ts";
import { cacheFolder, removeIfThere, withLock } from "./host/cache.ts";
import { LabError, LabUsageError } from "./error.ts";
import { killQuietly } from "./vm/vm.ts";
import type { LabAddress } from "./types.ts";

/** The path of a lab's record. */
async function fileOf(name: string): Promise<string> {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new LabUsageError(`Cannot name a lab "${name}": use lower-case letters, digits and "-"`);
  }
  return `${await cacheFolder("labs")}/${name}.json`;
}

/** How long QEMU may take to exit after a signal, in milliseconds. */
const END_TIME = 5000;

/** To be incremented when the format of a record changes. */
const FORMAT = 2;

/** The part of a record that all versions of the tool understand. */
export type RunningLab = Pick<LabAddress, "pid" | "folder"> & { readonly format?: number };

/** The lab with a name, if it is up. */
export async function findLab(name: string): Promise<RunningLab | undefined> {
  const file = await fileOf(name);
  let address: RunningLab;
  try {
    address = JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new LabError(
      `Cannot read ${file}: remove it, and kill its QEMU if that is still running`,
    );
  }
  if (await isRunning(address)) return address;
  await forgetLab(name, address);
  return undefined;
}

/** @throws {LabError} if no lab with that name is up. */
export async function requireRunning(name: string): Promise<RunningLab> {
  const lab = await findLab(name);
  if (lab === undefined) throw new LabError(`No lab "${name}" is up; start it with "lab up"`);
  return lab;
}

/** @throws {LabError} if no lab with that name is up, or another version of the tool started it. */
export async function requireLab(name: string): Promise<LabAddress> {
  const lab = await requireRunning(name);
  if (lab.format === FORMAT) return lab as RunningLab & LabAddress;
  throw new LabError(
    `The lab "${name}" was started by another version of this tool; end it with "lab down", and ` +
      'start it with "lab up"',
  );
}

/**
 * Records a lab that is up.
 *
 * @throws {LabError} if another lab has come up under that name in the meantime.
 */
export async function rememberLab(name: string, address: LabAddress): Promise<void> {
  const file = await fileOf(name);
  await withLock(`labs/${name}`, undefined, () => {}, async () => {
    if (await findLab(name) !== undefined) throw isUp(name);
    await Deno.writeTextFile(file, JSON.stringify({ format: FORMAT, ...address }, null, 2));
  });
}

/** The error for a name that is in use. */
export function isUp(name: string): LabError {
  return new LabError(`A lab "${name}" is up already; end it with "lab down"`);
}

/**
 * Ends a lab.
 *
 * @throws {LabError} if its QEMU does not exit.
 */
export async function endLab(name: string, address: RunningLab): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!await isRunning(address)) break;
    killQuietly(address.pid, signal);
    await hasEnded(address, END_TIME);
  }
  if (await isRunning(address)) throw new LabError(`Cannot end QEMU, process ${address.pid}`);
  await forgetLab(name, address);
}

async function forgetLab(name: string, address: RunningLab): Promise<void> {
  await removeIfThere(address.folder);
  await removeIfThere(await fileOf(name));
}

/** Whether a lab's QEMU has exited, or does so within a second. */
export function isGone(address: RunningLab): Promise<boolean> {
  return hasEnded(address, 1000);
}

/** Whether a lab's QEMU exits within a time in milliseconds. */
async function hasEnded(address: RunningLab, timeout: number): Promise<boolean> {
  const look = async () => !await isRunning(address);
  return await until(look, { timeout, pause: 100 }) ?? false;
}

/** Whether a process exists and is the lab's QEMU: process ids are reused. */
async function isRunning({ pid, folder }: RunningLab): Promise<boolean> {
  const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  return commandLine.includes(folder);
}
