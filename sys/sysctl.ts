/**
 * The sysctls of AF_VSOCK, of the network namespace of the thread that asks.
 *
 * @module
 */

/** Which of them, Linux 7.0 and newer. */
export type VsockSysctl = "g2h_fallback" | "ns_mode" | "child_ns_mode";

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

/** A sysctl has another value until it is disposed of. */
export class VsockSetting implements Disposable {
  readonly #path: string;
  readonly #before: string;

  /** @throws {Deno.errors.NotFound} on a kernel without it; other errors where it cannot be set. */
  constructor(name: VsockSysctl, value: string) {
    this.#path = `${FOLDER}/${name}`;
    this.#before = Deno.readTextFileSync(this.#path);
    Deno.writeTextFileSync(this.#path, value, { create: false });
  }

  [Symbol.dispose](): void {
    Deno.writeTextFileSync(this.#path, this.#before, { create: false });
  }
}
