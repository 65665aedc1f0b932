/**
 * A puppet over AF_UNIX that answers as AF_VSOCK does, as far as data goes: so that exploring can be
 * tried with real sockets, and with sockets that misbehave on purpose.
 *
 * @module
 */
import { Puppet } from "../../kit/puppet.ts";
import type { Played, Program } from "../../control/puppet_wire.ts";
import {
  type CallAnswer,
  type CallFlag,
  type CallName,
  machinesOf,
  type SocketCall,
} from "../../core/socket_call.ts";
import type { Player } from "../../explore/explore.ts";
import type { Address, AddressFamily } from "../../sys/structs.ts";
import { freshFamily } from "./unix_pair.ts";

/** What is the same over AF_UNIX: connections are made besides, by every program. */
export const UNIX_CALLS: readonly CallName[] = ["send", "recv"];
/** AF_UNIX carries no MSG_EOR, and has MSG_OOB. */
export const UNIX_FLAGS: readonly CallFlag[] = ["PEEK", "TRUNC", "WAITALL", "NOSIGNAL"];
/** So little that AF_UNIX's buffer, which also counts what a packet costs, is never full. */
export const UNIX_BYTES = 1000;

/** Makes a call, rightly or not. */
export type Making = (call: SocketCall, make: (call: SocketCall) => CallAnswer) => CallAnswer;

/** Plays programs over AF_UNIX. */
export class UnixPlayer implements Player {
  readonly #making: Making;

  constructor(making: Making = (call, make) => make(call)) {
    this.#making = making;
  }

  play({ calls }: Program): Promise<Played> {
    using puppet = new Puppet({ family: freshFamily(), peerCid: 1, port: 1 });
    const make = (call: SocketCall) => asVsock(puppet, call);
    return Promise.resolve({ answers: calls.map((call) => this.#making(call, make)) });
  }
}

/** Plays programs over AF_UNIX as two machines: each binds to names of its own. */
export class UnixPairPlayer implements Player {
  play({ calls }: Program): Promise<Played> {
    const [own, other] = [freshFamily(), freshFamily()];
    using host = new Puppet({ family: towards(own, other), peerCid: PEER, port: 1 });
    using guest = new Puppet({ family: towards(other, own), peerCid: PEER, port: 1 });
    const puppets = { host, guest };
    const machines = machinesOf(calls);
    const answers = calls.map((call, i) => asVsock(puppets[machines[i] ?? "host"], call));
    return Promise.resolve({ answers });
  }
}

/** The CID of whichever machine is the other one. */
const PEER = 3;

/** A family with names of its own, but for those that it connects to. */
function towards(own: AddressFamily, other: AddressFamily): AddressFamily {
  const encode = (address: Address) => (address.cid === PEER ? other : own).encode(address);
  return { domain: own.domain, name: own.name, encode, decode: own.decode };
}

/** Makes a call, and gives the answer that AF_VSOCK would have given. */
function asVsock(puppet: Puppet, call: SocketCall): CallAnswer {
  const { socket } = call;
  if (call.call === "send" || call.call === "recv") {
    const { errno } = puppet.perform({ call: "getpeername", socket });
    if (errno !== undefined) return { result: -1, errno };
    // AF_UNIX has empty messages, and takes a message into no room.
    if (call.length === 0) return { result: 0, flags: [] };
  }
  const answer = puppet.perform(call);
  return call.call === "connect" && answer.errno !== undefined
    ? { ...answer, errno: "ECONNRESET" }
    : answer;
}
