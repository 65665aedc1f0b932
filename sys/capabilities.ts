/**
 * What this thread may do: capabilities(7).
 *
 * @module
 */
import { SysError } from "./errno.ts";
import { call } from "./libc.ts";

/** To bind to a port below 1024. */
export const CAP_NET_BIND_SERVICE = 10;
/** What some cases need, by name. */
export const CAPABILITIES = {
  CAP_NET_BIND_SERVICE,
  CAP_NET_ADMIN: 12,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_NICE: 23,
} as const;

/** struct __user_cap_header_struct of capset(2), version 3: two words of each set. */
const HEADER = Uint32Array.of(0x20080522, 0);

/** The words of struct __user_cap_data_struct: effective, permitted, inheritable, twice. */
function capabilities(): Uint32Array<ArrayBuffer> {
  const sets = new Uint32Array(new ArrayBuffer(24));
  const result = call("capget", HEADER, sets);
  if (result < 0) throw new SysError("capget()", -result);
  return sets;
}

/** Whether this thread has a capability below 32. */
export function hasCapability(capability: number): boolean {
  return ((capabilities()[0] ?? 0) & (1 << capability)) !== 0;
}

/** Takes a capability below 32 from the thread that made it, until it is disposed of. */
export class WithoutCapability implements Disposable {
  readonly #before = capabilities();

  /** @throws {SysError} EPERM, ... */
  /** Drops a capability, by its number in linux/capability.h. */
  constructor(capability: number) {
    const sets = this.#before.slice();
    sets[0] = (sets[0] ?? 0) & ~(1 << capability);
    setCapabilities(sets);
  }

  /** Takes it back. */
  [Symbol.dispose](): void {
    setCapabilities(this.#before);
  }
}

function setCapabilities(sets: Uint32Array<ArrayBuffer>): void {
  const result = call("capset", HEADER, sets);
  if (result < 0) throw new SysError("capset()", -result);
}
