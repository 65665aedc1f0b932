/**
 * The model: what AF_VSOCK must do, as a program. It is told of each call and its answer, says
 * whether the rules allow that answer, and changes its state by it.
 *
 * All that was sent is taken to have arrived before the next call is made; whoever makes the calls
 * sees to that.
 *
 * @module
 */
import type { CallAnswer, MachineName, SocketCall } from "../core/socket_call.ts";
import { ioctlOutcomes, optionOutcomes, ownNameOutcomes, peerNameOutcomes } from "./asking.ts";
import { pollOutcomes, setOutcomes } from "./asking.ts";
import { receiveOutcomes, sendOutcomes } from "./data.ts";
import type { DeviationId } from "./deviations.ts";
import { Excuses, mayBeReset, tellsOfReset } from "./excuses.ts";
import { acceptOutcomes, autobindOutcomes, bindOutcomes, closeOutcomes } from "./making.ts";
import {
  connectOutcomes,
  dupOutcomes,
  listenOutcomes,
  shutdownOutcomes,
  socketOutcomes,
} from "./making.ts";
import { type DigestOf, fails, mutated, type Outcome, outcomeText, wrongBy } from "./outcome.ts";
import type { RuleId } from "./rules.ts";
import { type ModelSocket, stateName, World } from "./state.ts";

/** What a model is made with. */
export interface ModelOptions {
  readonly digestOf: DigestOf;
  /** Which deviations are taken; none where this is missing. */
  readonly excuses?: Excuses;
  /** A rule that is to be wrong, to see whether anything depends on it. */
  readonly mutant?: RuleId | undefined;
}

/** What the model says of an answer. */
export interface Judgement {
  /** The state that the call's socket was in. */
  readonly state: string;
  /** The machine whose listener the call has to do with; undefined where there is only one. */
  readonly server?: MachineName | undefined;
  /** The rules that decided. */
  readonly rules: readonly RuleId[];
  /** The deviation that was taken. */
  readonly deviation?: DeviationId;
  /** Set where the rules do not allow the answer: what they allow, and which of them it breaks. */
  readonly breach?: { readonly allowed: readonly string[]; readonly rules: readonly RuleId[] };
}

/** The state of sockets, and what they may answer. */
export class Model {
  readonly world = new World();
  readonly excuses: Excuses;
  readonly #options: ModelOptions;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.excuses = options.excuses ?? new Excuses([]);
  }

  /** What a call may answer now; the first is what a kernel without deviations would most likely do. */
  outcomes(call: SocketCall): Outcome[] {
    const { mutant } = this.#options;
    const outcomes = this.#outcomes(call);
    return mutant === undefined ? outcomes : outcomes.map((outcome) => mutated(outcome, mutant));
  }

  /** Takes the answer of a call. After a breach the model's state means nothing any more. */
  judge(call: SocketCall, answer: CallAnswer): Judgement {
    const server = this.#serverOf(call);
    return { ...this.#judge(call, answer), ...(server === undefined ? {} : { server }) };
  }

  #serverOf(call: SocketCall): MachineName | undefined {
    if (call.call === "socket") return call.at;
    const socket = this.world.find(call.socket);
    const asks = call.call === "connect" || socket?.phase === "connected" && !socket.accepted;
    return asks ? socket?.peerAt : socket?.at;
  }

  #judge(call: SocketCall, answer: CallAnswer): Judgement {
    const socket = this.world.find(call.socket);
    const state = socket === undefined ? "none" : stateName(socket);
    if (socket?.spoiled && call.call !== "close") return { state, rules: [] };
    const outcomes = this.outcomes(call);
    const wrong = outcomes.map((outcome) => wrongBy(outcome, answer, this.#options.digestOf));
    const match = outcomes[wrong.findIndex((found) => found.length === 0)];
    if (match !== undefined) return this.#take(match, answer, state);
    const deviation = socket === undefined ? undefined : this.#resetBy(socket, call, answer);
    if (deviation !== undefined) return { state, rules: [], deviation };
    const rules = [...new Set(wrong.flat().map(({ rule }) => rule))];
    return { state, rules: [], breach: { allowed: outcomes.map(outcomeText), rules } };
  }

  #take(outcome: Outcome, answer: CallAnswer, state: string): Judgement {
    const { rule, flags = [], deviation, then } = outcome;
    then?.(answer);
    if (deviation !== undefined) {
      this.excuses.takes(deviation);
      return { state, rules: [], deviation };
    }
    return { state, rules: [...new Set([rule, ...flags.map((claim) => claim.rule)])] };
  }

  /** Gives up a connection that was reset in a way that is known. */
  #resetBy(socket: ModelSocket, call: SocketCall, answer: CallAnswer): DeviationId | undefined {
    if (socket.phase !== "connected") return undefined;
    const isFull = mayBeReset(socket) && tellsOfReset(socket, call, answer);
    const known = socket.isReused ? "pair-reused" : isFull ? "K-1" : undefined;
    if (known === undefined || !this.excuses.takes(known)) return undefined;
    socket.spoiled = true;
    if (socket.peer !== undefined) socket.peer.spoiled = true;
    return known;
  }

  #outcomes(call: SocketCall): Outcome[] {
    if (call.call === "socket") return socketOutcomes(this.world, call);
    const socket = this.world.find(call.socket);
    if (socket === undefined) return [fails("fd/closed", "EBADF")];
    const { world, excuses } = this;
    switch (call.call) {
      case "bind":
        return bindOutcomes(world, socket, call.port);
      case "autobind":
        return autobindOutcomes(socket);
      case "listen":
        return listenOutcomes(socket, call.backlog);
      case "connect":
        return connectOutcomes(world, socket, call.port, excuses);
      case "accept":
        return acceptOutcomes(world, socket, call.as);
      case "dup":
        return dupOutcomes(world, socket, call.as);
      case "close":
        return closeOutcomes(world, call.socket, socket);
      case "shutdown":
        return shutdownOutcomes(socket, call);
      case "send":
        return sendOutcomes(socket, call, excuses);
      case "recv":
        return receiveOutcomes(socket, call, excuses);
      case "poll":
        return pollOutcomes(socket);
      case "getsockname":
        return ownNameOutcomes(socket);
      case "getpeername":
        return peerNameOutcomes(socket);
      case "getsockopt":
        return optionOutcomes(socket, call.option);
      case "setsockopt":
        return setOutcomes(socket, call);
      case "ioctl":
        return ioctlOutcomes(socket, call, excuses);
    }
  }
}
