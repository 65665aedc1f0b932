/**
 * /dev/vsock: what AF_VSOCK says of this machine.
 *
 * @module
 */
import {
  IOCTL_VM_SOCKETS_GET_LOCAL_CID,
  IOCTL_VM_SOCKETS_GET_LOCAL_CIDS,
  O_RDONLY,
  SEEK_SET,
  VM_SOCKETS_MAX_DEVS,
} from "./constants.ts";
import { type CallContext, Descriptor, openFile } from "./descriptor.ts";
import { SysError } from "./errno.ts";
import { refuseForbidden } from "./forbidden.ts";
import { type Bytes, bytes, intOf } from "./structs.ts";

const PATH = "/dev/vsock";

/** The device; closed when disposed of. */
export class VsockDevice extends Descriptor {
  /**
   * open(2) of /dev/vsock.
   *
   * @throws {SysError} ENOENT on a kernel without AF_VSOCK, EACCES, ...
   */
  static open(context: CallContext = {}): VsockDevice {
    refuseForbidden(PATH);
    return new this(openFile(PATH, O_RDONLY, context), context);
  }

  /**
   * IOCTL_VM_SOCKETS_GET_LOCAL_CID: the CID of this machine, vsock(7); of those that a guest which
   * is a host has, the guest's.
   */
  localCid(): number {
    return this.ioctlInt(IOCTL_VM_SOCKETS_GET_LOCAL_CID) >>> 0;
  }

  /**
   * IOCTL_VM_SOCKETS_GET_LOCAL_CIDS: all CIDs of a guest with several devices, as many as the
   * kernel says there are.
   *
   * @throws {SysError} ENOTTY on a kernel without it.
   */
  localCids(): number[] {
    const stored = bytes(4 + 4 * VM_SOCKETS_MAX_DEVS);
    const request = IOCTL_VM_SOCKETS_GET_LOCAL_CIDS;
    this.call("ioctl", `0x${request.toString(16)}`, request, stored);
    const count = Math.max(0, Math.min(intOf(stored), VM_SOCKETS_MAX_DEVS));
    return [...new Uint32Array(stored.buffer, 4, count)];
  }

  /** All CIDs that it names: those of {@linkcode localCids}, or on most kernels just one. */
  namedCids(): number[] {
    try {
      return this.localCids();
    } catch (error) {
      if (error instanceof SysError && error.code === "ENOTTY") return [this.localCid()];
      throw error;
    }
  }

  /** ioctl(2) with address 0 for what it is to store. */
  ioctlNowhere(request: number): void {
    this.call("ioctl", `0x${request.toString(16)}, 0`, request, null);
  }

  /** read(2). */
  read(into: Bytes): number {
    return this.call("read", `${into.length}`, into, into.length);
  }

  /** lseek(2) from the beginning, to where a file's position is an int. */
  seek(offset: number): number {
    return this.call("lseek", `${offset}`, offset, SEEK_SET);
  }
}
