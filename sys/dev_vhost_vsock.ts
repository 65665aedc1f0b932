/**
 * /dev/vhost-vsock: a guest's device as its VMM opens it.
 *
 * @module
 */
import { O_RDWR, VHOST_VSOCK_SET_GUEST_CID } from "./constants.ts";
import { type CallContext, Descriptor, openFile } from "./descriptor.ts";
import { refuseForbidden } from "./forbidden.ts";
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
    return new this(openFile(PATH, O_RDWR, context), context);
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
