/**
 * Sockets for cases: opened and connected in one call, and closed when the case ends.
 *
 * @module
 */
import { POLLHUP, POLLRDHUP, VMADDR_CID_ANY } from "../sys/constants.ts";
import { VsockDevice } from "../sys/dev_vsock.ts";
import { Epoll } from "../sys/epoll.ts";
import { IoUring } from "../sys/io_uring.ts";
import { ALL_STATES, type DiagSocket, dumpVsock, type OddRequest } from "../sys/sock_diag.ts";
import type { CallContext } from "../sys/descriptor.ts";
import { SockMap } from "../sys/bpf.ts";
import { type NamespaceMode, NetNamespace } from "../sys/net_namespace.ts";
import { HybridSocket } from "../sys/hybrid.ts";
import { Socket, type SocketType } from "../sys/socket.ts";
import { VhostVsock } from "../sys/dev_vhost_vsock.ts";
import { DataFile } from "../sys/splice.ts";
import type { Address, Bytes } from "../sys/structs.ts";
import { vsockDevices } from "../sys/virtio_devices.ts";
import { Qmp } from "../control/qmp.ts";
import { connectPatiently } from "./connect_timeout.ts";
import type { Peer } from "./peer.ts";
import { Puppet } from "./puppet.ts";
import { type Machine, THIS_MACHINE } from "./machine.ts";
import type { Surroundings, WireFault } from "./environment.ts";
import { RawGuest, type RawGuestOptions } from "../wire/raw_guest.ts";

/** Everything needed to make the sockets of a case. */
export interface VsockOptions extends Surroundings {
  /** The signal that ends calls, and the callback for steps. */
  readonly context: CallContext;
  /** The other side, for agreeing when to connect. */
  readonly peer: Peer;
}

/** Prepares sockets. */
export class Vsock implements Disposable {
  readonly #options: VsockOptions;
  readonly #sockets: Socket[] = [];

  /** Sockets for one side of one case. */
  constructor(options: VsockOptions) {
    this.#options = options;
  }

  /** The peer's address, with the case's port or another one. */
  peerAddress(port: number = this.#options.port): Address {
    return { cid: this.#options.peerCid, port };
  }

  /** An address for bind(2): any CID, the case's port. */
  localAddress(port: number = this.#options.port): Address {
    return { cid: VMADDR_CID_ANY, port };
  }

  /** A new socket. */
  open(type: SocketType): Socket {
    const { family, context, socketClass = Socket } = this.#options;
    return this.#own(socketClass.open(family, type, context));
  }

  /** socket(2) with any type (including flags) and protocol; otherwise like `open`. */
  create(type: number, protocol: number): Socket {
    const { family, context, socketClass = Socket } = this.#options;
    return this.#own(socketClass.create(family, type, protocol, context));
  }

  /** socketpair(2). */
  pair(type: SocketType): Socket[] {
    const { family, context, socketClass = Socket } = this.#options;
    return socketClass.pair(family, type, context).map((socket) => this.#own(socket));
  }

  /** A new bound socket. */
  bound(type: SocketType, address: Address = this.localAddress()): Socket {
    const socket = this.open(type);
    socket.bind(address);
    return socket;
  }

  /** A new listening socket. */
  listening(type: SocketType, backlog = 1, address: Address = this.localAddress()): Socket {
    const socket = this.bound(type, address);
    socket.listen(backlog);
    return socket;
  }

  /** Connects to the Unix socket of the device, and says nothing there. */
  async hybrid(): Promise<Socket> {
    const socket = this.open("stream");
    if (!(socket instanceof HybridSocket)) throw new Error("there is no --hybrid");
    await socket.reach();
    return socket;
  }

  /** Waits until the peer listens, and connects to it. */
  async connect(type: SocketType): Promise<Socket> {
    await this.#options.peer.expectln("LISTENING");
    const socket = this.open(type);
    connectPatiently(socket);
    await socket.connect(this.peerAddress());
    return socket;
  }

  /** Listens, notifies the peer, accepts one connection, and closes the listener. */
  async accept(type: SocketType): Promise<Socket> {
    using listener = this.listening(type);
    await this.#options.peer.writeln("LISTENING");
    const { socket } = await listener.accept();
    return this.#own(socket);
  }

  /** Makes several connections, in order, to one listener of {@linkcode acceptSeveral}. */
  async connectSeveral(type: SocketType, count: number): Promise<Socket[]> {
    await this.#options.peer.expectln("LISTENING");
    const sockets: Socket[] = [];
    for (let i = 0; i < count; i++) {
      const socket = this.open(type);
      connectPatiently(socket);
      await socket.connect(this.peerAddress());
      sockets.push(socket);
    }
    return sockets;
  }

  /** Accepts several connections with one listener, in the order of connect(2); like `accept`. */
  async acceptSeveral(type: SocketType, count: number): Promise<Socket[]> {
    using listener = this.listening(type, count);
    await this.#options.peer.writeln("LISTENING");
    const sockets: Socket[] = [];
    for (let i = 0; i < count; i++) {
      const { socket } = await listener.accept();
      sockets.push(this.#own(socket));
    }
    return sockets;
  }

  /** Waits until the peer has closed or shut down its side of a connection. */
  async waitRemoteClose(socket: Socket): Promise<void> {
    while (((await socket.poll(POLLRDHUP)) & (POLLRDHUP | POLLHUP)) === 0);
  }

  /** A new epoll instance; its user closes it. */
  epoll(): Epoll {
    return Epoll.open(this.#options.context);
  }

  /** A new pipe; its user closes both ends. */
  pipe(): { reader: DataFile; writer: DataFile } {
    return DataFile.pipe(this.#options.context);
  }

  /** A file in memory with a content, positioned at its beginning; its user closes it. */
  file(content: Bytes): Promise<DataFile> {
    return DataFile.inMemory(content, this.#options.context);
  }

  /** The AF_VSOCK sockets listed by this machine's kernel, see sock_diag(7). */
  dump(states: number = ALL_STATES, odd?: OddRequest): Promise<DiagSocket[]> {
    const { context, dumpVsock: dump = dumpVsock } = this.#options;
    return dump(states, context, odd);
  }

  /** /dev/vsock; its user closes it. */
  device(): VsockDevice {
    const { context, deviceClass = VsockDevice } = this.#options;
    return deviceClass.open(context);
  }

  /** The CIDs of this machine's devices, beginning with the default device's. */
  deviceCids(): number[] {
    using device = this.device();
    return device.localCids();
  }

  /** This machine's vsock devices, and which of them have a driver. */
  devices(): ReturnType<typeof vsockDevices> {
    return (this.#options.deviceList ?? vsockDevices)();
  }

  /**
   * The monitor of the guest's QEMU; its user closes it.
   *
   * @throws {Error} if it was not given to this side.
   */
  async monitor(): Promise<Qmp> {
    const { guestMonitor } = this.#options;
    if (guestMonitor === undefined) throw new Error("there is no --guest-monitor");
    return await Qmp.connect(guestMonitor);
  }

  /** /dev/vhost-vsock; its user closes it. */
  vhost(): VhostVsock {
    const { context, vhostClass = VhostVsock } = this.#options;
    return vhostClass.open(context);
  }

  /** A new sockmap whose program passes all data; its user closes it. */
  sockMap(size: number): SockMap {
    const { context, sockMapClass = SockMap } = this.#options;
    return sockMapClass.create(size, context);
  }

  /** A guest without a machine, and what goes wrong on its wire; its user closes it. */
  rawGuest(options: RawGuestOptions): { readonly guest: RawGuest; readonly fault: WireFault } {
    const { context, vhostClass = VhostVsock, wireFault } = this.#options;
    return {
      guest: RawGuest.open({ ...options, context, vhostClass }),
      fault: wireFault?.() ?? {},
    };
  }

  /** Sockets for another peer: the raw guest of this side. Whoever asks for them disposes of them. */
  towards(peerCid: number, peer: Peer): Vsock {
    return new Vsock({ ...this.#options, peerCid, peer });
  }

  /** A new network namespace; its user closes it. */
  namespace(mode: NamespaceMode): NetNamespace {
    return (this.#options.namespaceClass ?? NetNamespace).create(mode);
  }

  /** Makes calls that are drawn, on sockets of its own; its user closes it. */
  puppet(): Puppet {
    const { family, peerCid, port, puppetClass = Puppet } = this.#options;
    return new puppetClass({ family, peerCid, port });
  }

  /** Where this machine is among others. */
  get machine(): Machine {
    return this.#options.machine ?? THIS_MACHINE;
  }

  /** A new io_uring; its user closes it before the sockets. */
  ring(entries: number): IoUring {
    const { context, ringClass = IoUring } = this.#options;
    return ringClass.open(entries, context);
  }

  /** Closes everything that is open. */
  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket[Symbol.dispose]();
  }

  #own(socket: Socket): Socket {
    this.#sockets.push(socket);
    return socket;
  }
}
