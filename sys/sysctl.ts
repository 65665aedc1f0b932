/**
 * The sysctls of AF_VSOCK, of the network namespace of the thread that asks.
 *
 * @module
 */
import { writeAttribute } from "./kernel_file.ts";

/** Their names, Linux 7.0 and newer. */
export const VSOCK_SYSCTLS = ["g2h_fallback", "ns_mode", "child_ns_mode"] as const;

/** Which of them. */
export type VsockSysctl = typeof VSOCK_SYSCTLS[number];

const FOLDER = "/proc/sys/net/vsock";

/** A sysctl's value; undefined on a kernel without it. */
export function vsockSysctl(name: VsockSysctl): string | undefined {
  try {
    return Deno.readTextFileSync(`${FOLDER}/${name}`).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Sets a sysctl.
 *
 * @throws {SysError} ENOENT on a kernel without it; EACCES, EINVAL, ... where it cannot be so.
 */
export function setVsockSysctl(name: VsockSysctl, value: string): void {
  writeAttribute(`${FOLDER}/${name}`, value);
}

/** A sysctl has another value until it is disposed of. */
export class VsockSetting implements Disposable {
  readonly #name: VsockSysctl;
  readonly #before: string;

  /** As {@linkcode setVsockSysctl}. */
  constructor(name: VsockSysctl, value: string) {
    this.#name = name;
    this.#before = vsockSysctl(name) ?? "";
    setVsockSysctl(name, value);
  }

  [Symbol.dispose](): void {
    setVsockSysctl(this.#name, this.#before);
  }
}
