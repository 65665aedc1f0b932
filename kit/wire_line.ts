/**
 * A connection by hand: packets between two ports, one after the other, each with claims about it.
 *
 * @module
 */
import {
  describePacket,
  type Header,
  OP,
  type OpName,
  opName,
  type Packet,
  TYPE,
} from "../wire/packet.ts";
import type { SendOptions } from "../wire/guest_queues.ts";
import type { SocketType } from "../sys/socket.ts";
import { type Bytes, bytes } from "../sys/structs.ts";
import type { Check } from "./check.ts";
import { WireRules } from "./wire_rules.ts";

/** What a packet has that is sent: what is not given is right for the connection. */
export interface SentFields extends Partial<Header> {
  /** What follows the header: bytes, or how many zeros. */
  readonly data?: Bytes | number;
  /** How it is laid out in descriptors. */
  readonly layout?: SendOptions;
}

/** What is claimed of a packet: each field that is given, and flags to be 0 where they are not. */
export interface ExpectedFields extends Partial<Omit<Header, "op">> {
  /** The bytes that it brings. */
  readonly data?: Bytes;
}

/** What a connection needs of its guest. */
export interface WireEnd {
  readonly cid: number;
  readonly check: Check;
  /** Sends a packet. */
  send(packet: Packet, layout?: SendOptions): void;
  /** The next packet of a connection; undefined where none comes in time. */
  next(line: WireLine): Promise<Packet | undefined>;
  /** Waits until the kernel has dealt with all that was sent. */
  settle(): Promise<void>;
  /** What comes for a connection is of no interest any more. */
  forget(line: WireLine): void;
}

/** The room that a guest says it has, in bytes, unless a case says otherwise. */
export const ROOM = 262_144;

/** Packets between a port of the raw guest and one of the host. */
export class WireLine {
  /** The guest's port. */
  readonly port: number;
  /** The host's. */
  readonly to: number;
  readonly type: SocketType;
  /** What is told of the guest's room, in bytes. */
  bufAlloc = ROOM;
  /** What is told of the bytes that were taken; all that came, where it is undefined. */
  fwdCnt: number | undefined;
  /** What came and was not looked at yet. */
  readonly waiting: Packet[] = [];
  readonly rules: WireRules;
  readonly #end: WireEnd;

  constructor(end: WireEnd, type: SocketType, port: number, to: number) {
    this.#end = end;
    this.type = type;
    this.port = port;
    this.to = to;
    this.rules = new WireRules(end.cid);
  }

  /** How many bytes of data came. */
  get received(): number {
    return this.rules.received;
  }

  /** Sends a packet; any number is an op. */
  sends(op: OpName | number, { data = 0, layout, ...fields }: SentFields = {}): void {
    const content = typeof data === "number" ? bytes(data) : data;
    const packet: Packet = {
      ...{ srcCid: BigInt(this.#end.cid), dstCid: 2n, srcPort: this.port, dstPort: this.to },
      ...{ type: TYPE[this.type], op: typeof op === "number" ? op : OP[op], flags: 0 },
      ...{ bufAlloc: this.bufAlloc, fwdCnt: this.fwdCnt ?? this.received, len: content.length },
      ...fields,
      data: content,
    };
    this.rules.sent(packet);
    this.#end.send(packet, layout);
  }

  /**
   * Check that this packet comes next; an update of credit may come before it at any time.
   *
   * @throws {ClaimError} where another one comes, or none.
   */
  async gets(op: OpName, expected: ExpectedFields = {}): Promise<Packet> {
    const { check } = this.#end;
    for (;;) {
      const packet = await this.#end.next(this);
      if (packet === undefined) throw check.stop(`raw guest: expected ${op}, and nothing came`);
      const isUpdate = packet.op === OP.CREDIT_UPDATE;
      if (isUpdate && op !== "CREDIT_UPDATE") continue;
      if (opName(packet.op) !== op) {
        throw check.stop(`raw guest: expected ${op}, got ${describePacket(packet)}`);
      }
      this.#compare(packet, { flags: 0, type: TYPE[this.type], ...expected });
      return packet;
    }
  }

  /** Check that so many bytes of data come, in packets of any size; gives them. */
  async getsBytes(length: number): Promise<Bytes> {
    const all = bytes(length);
    for (let at = 0; at < length;) {
      const { data } = await this.gets("RW");
      if (at + data.length > length) {
        throw this.#end.check.stop(`raw guest: ${at + data.length} bytes came, not ${length}`);
      }
      all.set(data, at);
      at += data.length;
    }
    return all;
  }

  /** Check that nothing comes, when the kernel has dealt with all that was sent. */
  async getsNothing(but: readonly OpName[] = []): Promise<void> {
    await this.#end.settle();
    const came = this.waiting.filter(({ op }) => !but.some((name) => OP[name] === op));
    this.waiting.length = 0;
    const what = came.map(describePacket).join("; ");
    this.#end.check.that(came.length === 0, `raw guest: expected nothing, got ${what}`);
  }

  /** Check that the other side has taken so many bytes, soon: that is asked again and again. */
  async getsForwarded(count: number): Promise<void> {
    const { check } = this.#end;
    const deadline = performance.now() + check.patience;
    let told = -1;
    while (told < count && performance.now() < deadline) {
      this.sends("CREDIT_REQUEST");
      told = (await this.gets("CREDIT_UPDATE")).fwdCnt;
    }
    check.equal(told, count, "raw guest: fwd_cnt after all was read");
  }

  /** From now on what comes for it is nobody's. */
  forget(): void {
    this.#end.forget(this);
  }

  #compare(packet: Packet, { data, ...fields }: ExpectedFields): void {
    const { check } = this.#end;
    const what = `raw guest: ${describePacket(packet)}`;
    for (const [name, expected] of Object.entries(fields)) {
      check.equal(packet[name as keyof Header], expected, `${what}: ${name}`);
    }
    if (data !== undefined) check.sameBytes(packet.data, data, `${what}: data`);
  }
}
