/**
 * What this machine is: facts for reports.
 *
 * @module
 */
import { IOCTL_VM_SOCKETS_GET_LOCAL_CID, O_CLOEXEC, O_RDONLY } from "./constants.ts";
import { SysError } from "./errno.ts";
import { call } from "./native.ts";
import { refuseForbidden } from "./socket.ts";
import { int } from "./structs.ts";

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
