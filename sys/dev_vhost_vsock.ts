/**
 * /dev/vhost-vsock: a guest's device as its VMM opens it.
 *
 * @module
 */
import {
  O_RDWR,
  VHOST_GET_FEATURES,
  VHOST_SET_FEATURES,
  VHOST_SET_MEM_TABLE,
  VHOST_SET_OWNER,
  VHOST_SET_VRING_ADDR,
  VHOST_SET_VRING_BASE,
  VHOST_SET_VRING_CALL,
  VHOST_SET_VRING_ERR,
  VHOST_SET_VRING_KICK,
  VHOST_SET_VRING_NUM,
  VHOST_VSOCK_SET_GUEST_CID,
  VHOST_VSOCK_SET_RUNNING,
} from "./constants.ts";
import { type CallContext, Descriptor, openFile } from "./descriptor.ts";
import { refuseForbidden } from "./forbidden.ts";
import type { Argument } from "./libc.ts";
import { type Bytes, bytes, int, u64 } from "./structs.ts";

const PATH = "/dev/vhost-vsock";

/** A piece of a guest's memory: struct vhost_memory_region. */
export interface VhostRegion {
  /** Where the guest has it. */
  readonly guest: bigint;
  /** In bytes. */
  readonly size: number;
  /** Where this process has it. */
  readonly address: bigint;
}

/** Where this process has the parts of a queue: struct vhost_vring_addr. */
export interface VringAddresses {
  readonly descriptors: bigint;
  readonly avail: bigint;
  readonly used: bigint;
}

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
  setGuestCid(cid: number | bigint): void {
    this.#request("VHOST_VSOCK_SET_GUEST_CID", cid, VHOST_VSOCK_SET_GUEST_CID, u64(BigInt(cid)));
  }

  /** VHOST_SET_OWNER: this process's memory is the guest's. */
  setOwner(): void {
    this.#request("VHOST_SET_OWNER", "", VHOST_SET_OWNER, null);
  }

  /** VHOST_GET_FEATURES: the virtio features that the kernel has, as bits. */
  getFeatures(): bigint {
    const features = u64(0n);
    this.#request("VHOST_GET_FEATURES", "", VHOST_GET_FEATURES, features);
    return new DataView(features.buffer).getBigUint64(0, true);
  }

  /**
   * VHOST_SET_FEATURES.
   *
   * @throws {SysError} EOPNOTSUPP for a feature that the kernel does not have.
   */
  setFeatures(features: bigint): void {
    const shown = `0x${features.toString(16)}`;
    this.#request("VHOST_SET_FEATURES", shown, VHOST_SET_FEATURES, u64(features));
  }

  /** VHOST_SET_MEM_TABLE. */
  setMemory(regions: readonly VhostRegion[]): void {
    const table = bytes(8 + 32 * regions.length);
    new DataView(table.buffer).setUint32(0, regions.length, true);
    const words = new BigUint64Array(table.buffer, 8);
    regions.forEach(({ guest, size, address }, i) => {
      words.set([guest, BigInt(size), address], 4 * i);
    });
    this.#request("VHOST_SET_MEM_TABLE", regions.length, VHOST_SET_MEM_TABLE, table);
  }

  /** VHOST_SET_VRING_NUM: how many descriptors a queue has. */
  setVringSize(queue: number, size: number): void {
    this.#request("VHOST_SET_VRING_NUM", queue, VHOST_SET_VRING_NUM, pairOf(queue, size));
  }

  /** VHOST_SET_VRING_BASE: where in the available ring the device begins. */
  setVringBase(queue: number, index: number): void {
    this.#request("VHOST_SET_VRING_BASE", queue, VHOST_SET_VRING_BASE, pairOf(queue, index));
  }

  /** VHOST_SET_VRING_ADDR. */
  setVringAddresses(queue: number, { descriptors, avail, used }: VringAddresses): void {
    const encoded = bytes(40);
    new DataView(encoded.buffer).setUint32(0, queue, true);
    new BigUint64Array(encoded.buffer).set([descriptors, used, avail], 1);
    this.#request("VHOST_SET_VRING_ADDR", queue, VHOST_SET_VRING_ADDR, encoded);
  }

  /** VHOST_SET_VRING_KICK: what tells the device of available buffers. */
  setVringKick(queue: number, { fd }: Descriptor): void {
    this.#request("VHOST_SET_VRING_KICK", queue, VHOST_SET_VRING_KICK, pairOf(queue, fd));
  }

  /** VHOST_SET_VRING_CALL: what the device tells of used buffers. */
  setVringCall(queue: number, { fd }: Descriptor): void {
    this.#request("VHOST_SET_VRING_CALL", queue, VHOST_SET_VRING_CALL, pairOf(queue, fd));
  }

  /** VHOST_SET_VRING_ERR: what the device tells of a queue that it cannot go on with. */
  setVringError(queue: number, { fd }: Descriptor): void {
    this.#request("VHOST_SET_VRING_ERR", queue, VHOST_SET_VRING_ERR, pairOf(queue, fd));
  }

  /** VHOST_VSOCK_SET_RUNNING. */
  setRunning(running: boolean): void {
    const value = running ? 1 : 0;
    this.#request("VHOST_VSOCK_SET_RUNNING", value, VHOST_VSOCK_SET_RUNNING, int(value));
  }

  #request(name: string, shown: unknown, request: number, argument: Argument): void {
    this.call("ioctl", shown === "" ? name : `${name}, ${shown}`, request, argument);
  }
}

/** struct vhost_vring_state or struct vhost_vring_file. */
function pairOf(queue: number, value: number): Bytes {
  return new Uint8Array(Int32Array.of(queue, value).buffer);
}
