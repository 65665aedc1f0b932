/**
 * The environment of a side: its address family, its peer, and the parts of the kernel's interface
 * that tests replace by faulty ones.
 *
 * @module
 */
import type { SockMap } from "../sys/bpf.ts";
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
import type { Puppet } from "./puppet.ts";

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

/** The environment of a side. */
export interface Surroundings {
  /** The family of the sockets. */
  readonly family: AddressFamily;
  /** The CID of the other side, which decides the transport. */
  readonly peerCid: number;
  /** The server's port; the case may use the following ones as well. */
  readonly port: number;
  /** The QMP socket of the guest's QEMU, if that runs on this machine. */
  readonly guestMonitor?: string;
  /** The Unix socket of the device in user space, if this side is its host. */
  readonly hybrid?: string;
  /** The class of sockets; tests replace it by a faulty one. */
  readonly socketClass?: typeof Socket;
  /** The class of what makes calls that are drawn, likewise. */
  readonly puppetClass?: typeof Puppet;
  /** The class of the rings, likewise. */
  readonly ringClass?: typeof IoUring;
  /** Lists the kernel's sockets, likewise. */
  readonly dumpVsock?: typeof dumpVsock;
  /** Describes this machine's CIDs and transports, likewise. */
  readonly machine?: Machine;
  /** The class of /dev/vsock, likewise. */
  readonly deviceClass?: typeof VsockDevice;
  /** Lists this guest's vsock devices, likewise. */
  readonly deviceList?: typeof vsockDevices;
  /** The class of /dev/vhost-vsock, likewise. */
  readonly vhostClass?: typeof VhostVsock;
  /** The class of sockmaps, likewise. */
  readonly sockMapClass?: typeof SockMap;
  /** Makes what goes wrong on the wire of a raw guest, likewise. */
  readonly wireFault?: () => WireFault;
  /** The class of network namespaces, likewise. */
  readonly namespaceClass?: typeof NetNamespace;
}
