/**
 * What this machine is: facts for reports.
 *
 * @module
 */
import { IOCTL_VM_SOCKETS_GET_LOCAL_CID, O_CLOEXEC, O_RDONLY } from "./constants.ts";
import { SysError } from "./errno.ts";
import { call } from "./native.ts";
import { refuseForbidden } from "./forbidden.ts";
import { int } from "./structs.ts";

/** The transports of AF_VSOCK, as their symbols in the kernel are called. */
export const TRANSPORTS = ["loopback", "virtio", "vhost", "vmci", "hvs"] as const;

/** The name of a transport. */
export type Transport = typeof TRANSPORTS[number];

/**
 * IOCTL_VM_SOCKETS_GET_LOCAL_CID on /dev/vsock: this machine's own CID, vsock(7).
 *
 * @throws {SysError} ENOENT on a kernel without AF_VSOCK, EACCES, ...
 */
export function localCid(): number {
  refuseForbidden("/dev/vsock");
  const device = new TextEncoder().encode("/dev/vsock\0");
  const fd = call("open", device, O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw new SysError("open(/dev/vsock)", -fd);
  try {
    const cid = int(0);
    const result = call("ioctl", fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, cid);
    if (result < 0) throw new SysError("ioctl(IOCTL_VM_SOCKETS_GET_LOCAL_CID)", -result);
    return new DataView(cid.buffer).getUint32(0, true);
  } finally {
    call("close", fd);
  }
}

/**
 * The transports whose code is loaded, by their symbols in /proc/kallsyms: a symbol `x_transport`
 * is of the transport x.
 */
export function registeredTransports(): Transport[] {
  const symbols = Deno.readTextFileSync("/proc/kallsyms");
  return TRANSPORTS.filter((name) => new RegExp(` ${name}_transport\\s`).test(symbols));
}

/** net.core.optmem_max: how many bytes of control data one socket may hold in the kernel. */
export function optmemMax(): number {
  return Number(Deno.readTextFileSync("/proc/sys/net/core/optmem_max"));
}
