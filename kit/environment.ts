/**
 * What a side of a case runs on: its family of sockets, its peer, and what of the kernel a test may
 * replace by something that errs on purpose.
 *
 * @module
 */
import type { VsockDevice } from "../sys/dev_vsock.ts";
import type { IoUring } from "../sys/io_uring.ts";
import type { NetNamespace } from "../sys/net_namespace.ts";
import type { dumpVsock } from "../sys/sock_diag.ts";
import type { Socket } from "../sys/socket.ts";
import type { AddressFamily } from "../sys/structs.ts";
import type { VhostVsock } from "../sys/dev_vhost_vsock.ts";
import type { vsockDevices } from "../sys/virtio_devices.ts";
import type { Packet } from "../wire/packet.ts";
import type { Machine } from "./machine.ts";

/**
 * What goes wrong between a raw guest and the kernel, on purpose: each packet becomes none, another
 * or several.
 */
export interface WireFault {
  /** Of those that the guest sends. */
  readonly sent?: (packet: Packet) => readonly Packet[];
  /** Of those that the kernel sends. */
  readonly received?: (packet: Packet) => readonly Packet[];
}

/** Where a side is, and with what. */
export interface Surroundings {
  /** The family of the sockets. */
  readonly family: AddressFamily;
  /** The CID of the other side, which decides the transport. */
  readonly peerCid: number;
  /** The server's port; the next one is the case's as well. */
  readonly port: number;
  /** The Unix socket of the monitor of the guest's QEMU, where that is on this machine. */
  readonly guestMonitor?: string;
  /** The class of the sockets; tests give one that errs on purpose. */
  readonly socketClass?: typeof Socket;
  /** The class of the rings, likewise. */
  readonly ringClass?: typeof IoUring;
  /** What asks the kernel for its sockets, likewise. */
  readonly dumpVsock?: typeof dumpVsock;
  /** What tells where this machine is, likewise. */
  readonly machine?: Machine;
  /** The class of /dev/vsock, likewise. */
  readonly deviceClass?: typeof VsockDevice;
  /** What lists this guest's vsock devices, likewise. */
  readonly deviceList?: typeof vsockDevices;
  /** The class of /dev/vhost-vsock, likewise. */
  readonly vhostClass?: typeof VhostVsock;
  /** Makes what goes wrong on the wire of a raw guest, likewise. */
  readonly wireFault?: () => WireFault;
  /** The class of network namespaces, likewise. */
  readonly namespaceClass?: typeof NetNamespace;
}
