/**
 * What this machine is: facts for reports.
 *
 * @module
 */
import { VsockDevice } from "./dev_vsock.ts";

/** The transports of AF_VSOCK, as their symbols in the kernel are called. */
export const TRANSPORTS = ["loopback", "virtio", "vhost", "vmci", "hvs"] as const;

/** The name of a transport. */
export type Transport = typeof TRANSPORTS[number];

/**
 * The CIDs that /dev/vsock names: one, or those of a guest with several devices, the default one's
 * first.
 *
 * @throws {SysError} ENOENT on a kernel without AF_VSOCK, EACCES, ...
 */
export function localCids(): number[] {
  using device = VsockDevice.open();
  return device.namedCids();
}

/** The modules of the transports, to which each of their sockets holds a reference. */
export const TRANSPORT_MODULES: Readonly<Record<Transport, string>> = {
  loopback: "vsock_loopback",
  virtio: "vmw_vsock_virtio_transport",
  vhost: "vhost_vsock",
  vmci: "vmw_vsock_vmci_transport",
  hvs: "hv_sock",
};

let builtIn: readonly Transport[] | undefined;

/**
 * The transports that are part of the kernel itself, by their symbols in /proc/kallsyms: a symbol
 * `x_transport` that is no module's is of the transport x.
 */
function builtInTransports(): readonly Transport[] {
  if (builtIn !== undefined) return builtIn;
  const symbols = Deno.readTextFileSync("/proc/kallsyms");
  return builtIn = TRANSPORTS.filter((name) =>
    new RegExp(` ${name}_transport$`, "m").test(symbols)
  );
}

/** The transports whose code is loaded: modules, and what is built in. */
export function registeredTransports(): Transport[] {
  return TRANSPORTS.filter((name) =>
    isThere(`/sys/module/${TRANSPORT_MODULES[name]}`) || builtInTransports().includes(name)
  );
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** net.core.optmem_max: how many bytes of control data one socket may hold in the kernel. */
export function optmemMax(): number {
  return Number(Deno.readTextFileSync("/proc/sys/net/core/optmem_max"));
}
