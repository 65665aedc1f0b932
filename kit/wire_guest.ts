/**
 * The raw guest of a case: hands out connections by hand, and gives each the packets that are its.
 *
 * @module
 */
import { describePacket, OP, type Packet, TYPE } from "../wire/packet.ts";
import type { SendOptions } from "../wire/guest_queues.ts";
import type { RawGuest, RawGuestOptions } from "../wire/raw_guest.ts";
import type { SocketType } from "../sys/socket.ts";
import type { Check } from "./check.ts";
import type { WireFault } from "./environment.ts";
import type { Peer } from "./peer.ts";
import type { Vsock } from "./vsock.ts";
import type { WireExchange } from "./wire_exchange.ts";
import { type SentFields, type WireEnd, WireLine } from "./wire_line.ts";

/** The first of the guest's ports that connections get. */
const FIRST_PORT = 5000;
/** A port of the host at which no case listens: the last of a case's. */
const NOBODYS = 15;

/** A raw guest and its connections. */
export class WireGuest implements WireEnd, Disposable {
  /** The guest, for what is not about packets. */
  readonly raw: RawGuest;
  readonly check: Check;
  readonly #fault: WireFault;
  readonly #peer: Peer;
  readonly #exchange: WireExchange;
  /** The host's port of the case. */
  readonly port: number;
  readonly #lines: WireLine[] = [];
  /** Whether packets that belong to no connection of the case are of no interest. */
  ignoresOthers = false;
  #nextPort = FIRST_PORT;

  constructor(
    vsock: Vsock,
    options: RawGuestOptions,
    peer: Peer,
    check: Check,
    exchange: WireExchange,
  ) {
    const { guest, fault } = vsock.rawGuest(options);
    this.raw = guest;
    this.#fault = fault;
    this.#peer = peer;
    this.#exchange = exchange;
    this.check = check;
    this.port = vsock.localAddress().port;
  }

  /** Its CID. */
  get cid(): number {
    return this.raw.cid;
  }

  /** Two ports between which nothing was sent yet: one of its own, and the case's of the host. */
  line(type: SocketType = "stream", to = this.port, port = this.#nextPort++): WireLine {
    const line = new WireLine(this, type, port, to);
    this.#lines.push(line);
    return line;
  }

  /** Waits until the host listens, and connects to it. */
  async connect(type: SocketType = "stream", fields: SentFields = {}): Promise<WireLine> {
    await this.#peer.expectln("LISTENING");
    return await this.connectAgain(type, fields);
  }

  /** As {@linkcode connect}, to a host that listens already. */
  async connectAgain(type: SocketType = "stream", fields: SentFields = {}): Promise<WireLine> {
    const line = this.line(type);
    if (fields.bufAlloc !== undefined) line.bufAlloc = fields.bufAlloc;
    line.sends("REQUEST", fields);
    await line.gets("RESPONSE");
    return line;
  }

  /** Tells the host that it may connect, and gives the connection before it is answered. */
  async requested(type: SocketType = "stream"): Promise<WireLine> {
    await this.#peer.writeln("LISTENING");
    const packet = await this.#receive((packet) => packet.op === OP.REQUEST);
    if (packet === undefined) throw this.check.stop("raw guest: expected REQUEST, nothing came");
    const line = this.line(type, packet.srcPort, packet.dstPort);
    line.waiting.push(packet);
    await line.gets("REQUEST", { fwdCnt: 0 });
    return line;
  }

  /** As {@linkcode requested}, and answers. */
  async accept(type: SocketType = "stream", fields: SentFields = {}): Promise<WireLine> {
    const line = await this.requested(type);
    if (fields.bufAlloc !== undefined) line.bufAlloc = fields.bufAlloc;
    line.sends("RESPONSE", fields);
    return line;
  }

  /** Sends a packet, or what a fault makes of it. */
  send(packet: Packet, layout?: SendOptions): void {
    const { sent = (packet) => [packet] } = this.#fault;
    for (const each of sent(packet)) {
      this.#exchange.note("guest", each);
      this.raw.queues.send(each, layout);
    }
  }

  /** The next packet of a connection; undefined where none comes in time. */
  async next(line: WireLine): Promise<Packet | undefined> {
    const isItsOwn = ({ srcPort, dstPort }: Packet) => dstPort === line.port && srcPort === line.to;
    return line.waiting.shift() ?? await this.#receive(isItsOwn);
  }

  /** Waits until the kernel has dealt with all that was sent: it answers in order. */
  async settle(): Promise<void> {
    const line = this.line("stream", this.port + NOBODYS);
    line.sends("REQUEST");
    await line.gets("RST");
  }

  /** What comes for a connection is of no interest any more. */
  forget(line: WireLine): void {
    this.#lines.splice(this.#lines.indexOf(line), 1);
  }

  /** Closes the device. */
  [Symbol.dispose](): void {
    this.raw[Symbol.dispose]();
  }

  /** Receives until a packet is the one that is waited for; others are kept for whose they are. */
  async #receive(isIt: (packet: Packet) => boolean): Promise<Packet | undefined> {
    const deadline = performance.now() + this.check.patience;
    let found: Packet | undefined;
    while (found === undefined) {
      const left = deadline - performance.now();
      if (left <= 0) return undefined;
      const came = await this.raw.queues.receive(left);
      if (came === undefined) return undefined;
      const { received = (packet) => [packet] } = this.#fault;
      for (const packet of received(came)) {
        this.#exchange.note("host", packet);
        const line = this.#judge(packet);
        if (found === undefined && isIt(packet)) found = packet;
        else if (line !== undefined) line.waiting.push(packet);
        else if (!this.ignoresOthers) {
          this.check.that(false, `raw guest: nobody waits for ${describePacket(packet)}`);
        }
      }
    }
    return found;
  }

  /** Checks the rules that hold for every packet; gives whose it is. */
  #judge(packet: Packet): WireLine | undefined {
    const line = this.#lineOf(packet);
    for (const why of line?.rules.broken(packet) ?? []) this.check.that(false, `raw guest: ${why}`);
    return line;
  }

  /** The connection that a packet belongs to: of its type, if there are several with its ports. */
  #lineOf({ srcPort, dstPort, type }: Packet): WireLine | undefined {
    const lines = this.#lines.filter(({ port, to }) => port === dstPort && to === srcPort);
    return lines.find((line) => TYPE[line.type] === type) ?? lines[0];
  }
}
