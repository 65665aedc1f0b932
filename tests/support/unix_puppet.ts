/**
 * A puppet over AF_UNIX that answers as AF_VSOCK does, as far as data goes: so that exploring can be
 * tried with real sockets, and with sockets that misbehave on purpose.
 *
 * @module
 */
import { Puppet } from "../../agent/puppet.ts";
import type { Played, Program } from "../../control/puppet_wire.ts";
import type { CallAnswer, CallFlag, CallName, SocketCall } from "../../core/socket_call.ts";
import type { Player } from "../../explore/explore.ts";
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
