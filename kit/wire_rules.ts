/**
 * What must hold of every packet that the kernel sends on a connection, whatever a case is about.
 *
 * @module
 */
import {
  describePacket,
  OP,
  type Packet,
  SEQ_EOM,
  SEQ_EOR,
  SHUTDOWN_BOTH,
  TYPE,
} from "../wire/packet.ts";

/** One side's packets on a connection, judged one by one as they come. */
export class WireRules {
  readonly #cid: bigint;
  /** How far the kernel may send: the most that it was ever told. */
  #edge = 0;
  /** Bytes that it was sent, and that came from it. */
  #sent = 0;
  #received = 0;
  /** The last fwd_cnt that it told. */
  #forwarded = 0;
  #lastSent: number | undefined;
  #wasReset = false;

  /** @param cid the guest's. */
  constructor(cid: number) {
    this.#cid = BigInt(cid);
  }

  /** How many bytes of data came. */
  get received(): number {
    return this.#received;
  }

  /** Takes note of a packet that the guest sends. */
  sent({ op, bufAlloc, fwdCnt, data }: Packet): void {
    this.#lastSent = op;
    this.#edge = Math.max(this.#edge, fwdCnt + bufAlloc);
    this.#wasReset = false;
    if (op === OP.RW) this.#sent += data.length;
  }

  /** What is wrong with a packet that came, one line each. */
  broken(packet: Packet): string[] {
    const { op, data, len, fwdCnt } = packet;
    const rules: readonly (readonly [boolean, string])[] = [
      [packet.srcCid === 2n && packet.dstCid === this.#cid, "its CIDs are not the connection's"],
      [op >= OP.REQUEST && op <= OP.CREDIT_REQUEST, "there is no such op"],
      [len === data.length, "len is not the length of its data"],
      [op === OP.RW || len === 0, "only RW has data"],
      [hasRightFlags(packet), "its flags mean nothing"],
      [!this.#wasReset, "it comes after RST"],
      [op !== OP.RST || this.#lastSent !== OP.RST, "RST answers RST"],
      [op === OP.RST || fwdCnt <= this.#sent, `fwd_cnt is more than the ${this.#sent} bytes sent`],
      [op === OP.RST || fwdCnt >= this.#forwarded, `fwd_cnt was ${this.#forwarded} before`],
      [
        op !== OP.RW || this.#received + data.length <= this.#edge,
        `it is byte ${this.#received + data.length}, and credit was for ${this.#edge}`,
      ],
    ];
    if (op === OP.RW) this.#received += data.length;
    if (op === OP.RST) this.#wasReset = true;
    else this.#forwarded = fwdCnt;
    return rules.filter(([holds]) => !holds).map(([, why]) => `${why}: ${describePacket(packet)}`);
  }
}

function hasRightFlags({ op, type, flags }: Packet): boolean {
  if (op === OP.SHUTDOWN) return flags >= 1 && flags <= SHUTDOWN_BOTH;
  const isMessage = op === OP.RW && type === TYPE.seqpacket;
  // A record ends only where a message does.
  return isMessage ? [0, SEQ_EOM, SEQ_EOM | SEQ_EOR].includes(flags) : flags === 0;
}
