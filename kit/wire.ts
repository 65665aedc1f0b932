/**
 * The kit of wire cases, besides kit/mod.ts: one half of such a case is a raw guest that sends and
 * receives packets by hand, the other has sockets of the host's kernel (docs/wire.md).
 *
 * @module
 */
import type { CaseInfo } from "../core/case.ts";
import type { Random } from "../core/random.ts";
import type { Vsock } from "./vsock.ts";
import { type ConformanceCase, defineCase } from "./mod.ts";
import type { RawGuestOptions } from "../wire/raw_guest.ts";
import type { Check } from "./check.ts";
import type { Peer } from "./peer.ts";
import { WireExchange } from "./wire_exchange.ts";
import { WireGuest } from "./wire_guest.ts";

export {
  OP,
  SEQ_EOM,
  SEQ_EOR,
  SHUTDOWN_BOTH,
  SHUTDOWN_RECEIVE,
  SHUTDOWN_SEND,
} from "../wire/packet.ts";
export { DESC_INDIRECT, DESC_NEXT, DESC_WRITE } from "../wire/split_queue.ts";
export { FEATURE } from "../wire/features.ts";
export type { WireGuest } from "./wire_guest.ts";
export { ROOM, type WireLine } from "./wire_line.ts";

/** What the raw half is given. */
export interface RawSide {
  /** The guest without a machine. */
  readonly guest: WireGuest;
  /** The half with the sockets. */
  readonly peer: Peer;
  readonly check: Check;
  /** The same numbers again with `--seed`. */
  readonly random: Random;
  /** A second guest of the same host; its user disposes of it. */
  readonly another: () => WireGuest;
}

/** What the half with the sockets is given. */
export interface SocketSide {
  /** Sockets of the host, whose peer is the raw guest. */
  readonly vsock: Vsock;
  /** The raw half. */
  readonly peer: Peer;
  readonly check: Check;
}

/** A case about packets. */
export interface WireCase extends Omit<CaseInfo, "needs"> {
  /** What the raw guest and the host's sockets do, and what is checked; begins with a verb. */
  readonly does: string;
  /** How the guest is made, where not as usual. */
  readonly guest?: Pick<
    RawGuestOptions,
    "features" | "size" | "receiveBuffer" | "receiveBuffers" | "running"
  >;
  /** What is sent and must come, from top to bottom. */
  readonly raw: (side: RawSide) => void | Promise<void>;
  /** What the host's sockets do meanwhile. */
  readonly socket?: (side: SocketSide) => void | Promise<void>;
}

/**
 * Defines a case about packets. Both halves run where its client does, on a machine that can be a
 * host.
 *
 * @throws {TypeError} as defineCase does.
 */
export function defineWireCase(
  { does, guest: options = {}, raw, socket, ...info }: WireCase,
): ConformanceCase {
  return defineCase({
    ...info,
    needs: [{ client: "vhost-device" }],
    does: { client: does },
    async client({ vsock, peer, check, random }) {
      const [rawPeer, socketPeer] = peer.halves();
      const exchange = new WireExchange(check);
      const another = () => new WireGuest(vsock, options, rawPeer, check, exchange);
      using guest = another();
      using sockets = vsock.towards(guest.cid, socketPeer);
      try {
        await Promise.all([
          raw({ guest, peer: rawPeer, check, random, another }),
          socket?.({ vsock: sockets, peer: socketPeer, check }),
        ]);
      } finally {
        check.explain(() => exchange.lines);
      }
    },
  });
}
