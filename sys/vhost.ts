/**
 * /dev/vhost-vsock: a guest's device as its VMM opens it.
 *
 * @module
 */
import { O_CLOEXEC, O_RDWR, VHOST_VSOCK_SET_GUEST_CID } from "./constants.ts";
import { type CallContext, Descriptor } from "./descriptor.ts";
import { SysError } from "./errno.ts";
import { refuseForbidden } from "./forbidden.ts";
import { call } from "./native.ts";
import { u64 } from "./structs.ts";

const PATH = "/dev/vhost-vsock";

/** A device, with no machine behind it; its CID is free again when it is disposed of. */
export class VhostVsock extends Descriptor {
  /**
   * open(2); the device belongs to the network namespace of the calling thread.
   *
   * @throws {SysError} ENOENT or ENODEV without vhost_vsock, EACCES, ...
   */
  static open(context: CallContext = {}): VhostVsock {
    refuseForbidden(PATH);
    context.trace?.(`open(${PATH})`);
    const fd = call("open", new TextEncoder().encode(`${PATH}\0`), O_RDWR | O_CLOEXEC);
    if (fd < 0) throw new SysError(`open(${PATH})`, -fd);
    return new this(fd, context);
  }

  /** VHOST_VSOCK_SET_GUEST_CID. */
  setGuestCid(cid: number): void {
    this.call(
      "ioctl",
      `VHOST_VSOCK_SET_GUEST_CID, ${cid}`,
      VHOST_VSOCK_SET_GUEST_CID,
      u64(BigInt(cid)),
    );
  }
}
