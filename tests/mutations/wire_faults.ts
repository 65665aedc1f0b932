/**
 * Faults of the wire, and rows of the table that have them.
 *
 * @module
 */
import type { WireFault } from "../../kit/environment.ts";
import { SysError } from "../../sys/errno.ts";
import { VhostVsock } from "../../sys/dev_vhost_vsock.ts";
import { OP, type OpName, type Packet } from "../../wire/packet.ts";
import type { Mutate, Row } from "./mutation.ts";

const asItIs: Mutate = (Base) => Base;

/** A row about packets. */
export function wire(id: string, what: string, wireFault: () => WireFault, reason: RegExp): Row {
  return [`wire/${id}`, "client", what, asItIs, reason, { around: { wireFault } }];
}

/** A row about calls of /dev/vhost-vsock. */
export function vhost(
  id: string,
  what: string,
  vhostClass: typeof VhostVsock,
  reason: RegExp,
): Row {
  return [`wire/${id}`, "client", what, asItIs, reason, { around: { vhostClass } }];
}

/** Packets of an operation that the kernel sends are others. */
export function sends(op: OpName, change: Partial<Packet> | ((packet: Packet) => Partial<Packet>)) {
  return (): WireFault => ({ received: changed(op, change) });
}

/** Packets of an operation are others when the kernel takes them. */
export function takes(op: OpName, change: Partial<Packet> | ((packet: Packet) => Partial<Packet>)) {
  return (): WireFault => ({ sent: changed(op, change) });
}

function changed(op: OpName, change: Partial<Packet> | ((packet: Packet) => Partial<Packet>)) {
  return (packet: Packet): readonly Packet[] => {
    if (packet.op !== OP[op]) return [packet];
    return [{ ...packet, ...typeof change === "function" ? change(packet) : change }];
  };
}

/** Every packet is answered with RST, whatever it is, before the next comes. */
export function answersAll(): WireFault {
  const unanswered: Packet[] = [];
  return {
    sent: (packet) => {
      unanswered.push(packet);
      return [packet];
    },
    received: (packet) => {
      const { srcCid, dstCid } = packet;
      const isIt = ({ srcPort, dstPort }: Packet) =>
        srcPort === packet.dstPort && dstPort === packet.srcPort;
      const others = unanswered.splice(0).filter((each) => !isIt(each));
      const resets = others.map((each): Packet => ({
        ...each,
        ...{ srcCid, dstCid, srcPort: each.dstPort, dstPort: each.srcPort },
        ...{ op: OP.RST, flags: 0, len: 0, data: new Uint8Array() },
      }));
      return [...resets, packet];
    },
  };
}

/** The last byte of the data is another. */
export const flipped = ({ data }: Packet): Partial<Packet> => {
  const last = data.length - 1;
  return { data: data.map((byte, i) => i === last ? byte ^ 1 : byte) };
};

/** A device that never refuses. */
export class AllowsAll extends VhostVsock {
  override setGuestCid(cid: number | bigint): void {
    unlessRefused(() => super.setGuestCid(cid));
  }

  override setFeatures(features: bigint): void {
    unlessRefused(() => super.setFeatures(features));
  }

  override setRunning(running: boolean): void {
    unlessRefused(() => super.setRunning(running));
  }
}

function unlessRefused(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
}
