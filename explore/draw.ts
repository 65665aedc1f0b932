/**
 * Draws programs of calls with fast-check: in states that the model foresees, with sizes at the
 * edges that matter, from a part of the calls at a time, and towards what was seen least.
 *
 * @module
 */
import fc, { type GeneratorValue } from "fast-check";
import {
  CALL_FLAGS,
  CALL_IOCTLS,
  CALL_NAMES,
  CALL_OPTIONS,
  CALL_PORTS,
  type CallFlag,
  type CallName,
  type CallSocketType,
  type MachineName,
  MACHINES,
  madeBy,
  MAX_CALL_BYTES,
  MAX_PIECES,
  MAX_SOCKETS,
  SETTABLE,
  SHUTDOWNS,
  type SocketCall,
} from "../core/socket_call.ts";
import { Model } from "../model/model.ts";
import { type ModelSocket, stateName } from "../model/state.ts";
import type { Excuses } from "../model/excuses.ts";
import { foresee } from "./foresee.ts";
import { pairOf, type Seen } from "./seen.ts";
import { CANDIDATES, CONNECT_TIMEOUTS, EDGES, LENGTHS, MAKING } from "./weights.ts";
import { otherThan } from "./machines.ts";
import { MAX_OPEN, SMALL_BUFFERS, VALUES, WEIGHTS } from "./weights.ts";

/** How programs are drawn. */
export interface DrawOptions {
  readonly seed: number;
  /** Those that may be drawn; all where this is missing. */
  readonly calls?: readonly CallName[] | undefined;
  /** Flags that may be drawn; all where this is missing. */
  readonly flags?: readonly CallFlag[] | undefined;
  readonly types?: readonly CallSocketType[] | undefined;
  /** Whether the sockets are on two machines, and connect from one to the other. */
  readonly isPair?: boolean | undefined;
  /** The largest number of bytes of a call. */
  readonly maxBytes?: number | undefined;
  /** What was seen so far. */
  readonly seen?: Seen;
  readonly excuses?: Excuses;
}

/** Draws a program. */
export function drawProgram(options: DrawOptions): SocketCall[] {
  const [draw] = fc.sample(fc.gen(), { seed: options.seed, numRuns: 1 });
  if (draw === undefined) throw new Error("fast-check drew nothing");
  return new Drawing(draw, options).program();
}

/** A program while it is being drawn. */
class Drawing {
  readonly #draw: GeneratorValue;
  readonly #options: DrawOptions;
  readonly #model: Model;
  readonly #calls: SocketCall[] = [];
  readonly #swarm: readonly CallName[];
  #names = 0;
  #patterns = 0;
  /** The machine of the last call. */
  #at: MachineName | undefined;

  constructor(draw: GeneratorValue, options: DrawOptions) {
    this.#draw = draw;
    this.#options = options;
    const { excuses } = options;
    this.#model = new Model({ digestOf: () => 0, ...(excuses === undefined ? {} : { excuses }) });
    const allowed = options.calls ?? CALL_NAMES;
    const some = draw(fc.subarray, [...allowed], { minLength: Math.min(3, allowed.length) });
    // Half of the programs have all calls, the others a part of them.
    this.#swarm = draw(fc.boolean) ? allowed : some;
  }

  program(): SocketCall[] {
    const length = this.#draw(fc.integer, LENGTHS);
    if (this.#draw(fc.nat, 9) > 0) this.#pair();
    while (this.#calls.length < length) {
      if (this.#draw(fc.nat, 29) === 0) this.#pair();
      if (this.#draw(fc.nat, 9) === 0) this.#bindAgain();
      const candidates = Array.from({ length: CANDIDATES }, () => this.#candidate());
      this.#push(this.#leastSeen(candidates));
    }
    return this.#calls;
  }

  #push(call: SocketCall): void {
    this.#calls.push(call);
    this.#names = Math.max(this.#names, (madeBy(call) ?? -1) + 1);
    if (call.call === "send") this.#patterns++;
    this.#at = call.call === "socket" ? call.at : this.#model.world.find(call.socket)?.at;
    foresee(this.#model, call);
  }

  #leastSeen(candidates: readonly SocketCall[]): SocketCall {
    const { seen = new Map<string, number>() } = this.#options;
    const counted = candidates.map((call) => {
      const socket = this.#model.world.find(call.socket);
      const state = socket === undefined ? "none" : stateName(socket);
      return { call, count: seen.get(pairOf(state, call.call)) ?? 0 };
    });
    // Mostly as drawn: what is seen often is often where the bugs are.
    const first = counted[0];
    if (first === undefined) throw new Error("no candidates");
    if (this.#draw(fc.boolean)) return first.call;
    return counted.reduce((least, one) => one.count < least.count ? one : least).call;
  }

  /** Makes a connection. */
  #pair(): void {
    const [listener, client, server] = [this.#names, this.#names + 1, this.#names + 2];
    // Its queue is full before anybody accepts.
    const isCrowded = this.#draw(fc.nat, 15) === 0;
    if (server + 1 >= MAX_SOCKETS || this.#model.world.sockets.size > MAX_OPEN - 3) return;
    const port = this.#draw(fc.nat, CALL_PORTS - 1);
    const type = this.#type();
    const at = this.#machine();
    this.#push({ call: "socket", socket: listener, type, ...at });
    this.#push({ call: "bind", socket: listener, port });
    this.#push({
      call: "listen",
      socket: listener,
      backlog: isCrowded ? 0 : this.#draw(fc.nat, 3),
    });
    this.#shrinkBuffer(listener);
    this.#push({ call: "socket", socket: client, type, ...otherThan(at) });
    this.#shrinkBuffer(client);
    if (this.#draw(fc.nat, 2) === 0) {
      this.#push({ call: "bind", socket: client, port: this.#draw(fc.nat, CALL_PORTS - 1) });
    }
    this.#push({ call: "connect", socket: client, port });
    if (isCrowded) {
      this.#push({ call: "socket", socket: server + 1, type, ...otherThan(at) });
      this.#push({ call: "connect", socket: server + 1, port });
    }
    this.#push({ call: "accept", socket: listener, as: server });
  }

  /** One of several. */
  #pick<T>(from: readonly T[]): T {
    const one = from[this.#draw(fc.nat, from.length - 1)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }

  /** Often makes a window small: its edges are then reached with little data. */
  #shrinkBuffer(socket: number): void {
    if (!this.#swarm.includes("setsockopt") || this.#draw(fc.nat, 2) === 0) return;
    const value = this.#pick(SMALL_BUFFERS);
    this.#push({ call: "setsockopt", socket, option: "BUFFER_SIZE", value });
  }

  /** Binds to a port of a socket that was closed, if one may still hold it. */
  #bindAgain(): void {
    const { world } = this.#model;
    const at = this.#machine();
    const ports = Array.from({ length: CALL_PORTS }, (_, port) => port)
      .filter((port) => world.mayLinger(port, at.at) && world.holderOf(port, at.at) === undefined);
    const socket = this.#names;
    if (ports.length === 0 || socket >= MAX_SOCKETS) return;
    this.#push({ call: "socket", socket, type: this.#type(), ...at });
    this.#push({ call: "bind", socket, port: this.#pick(ports) });
  }

  #type(): CallSocketType {
    return this.#pick(this.#options.types ?? ["stream", "seqpacket"]);
  }

  /** Where a socket is made. */
  #machine(): { at?: MachineName } {
    return this.#options.isPair ? { at: this.#pick(MACHINES) } : {};
  }

  #bufferOption() {
    const option = this.#pick(SETTABLE.slice(0, 3));
    return { option, value: this.#pick(VALUES) };
  }

  /** A call that might be made now. */
  #candidate(): SocketCall {
    const sockets = [...this.#model.world.sockets];
    const isFull = sockets.length >= MAX_OPEN || this.#names >= MAX_SOCKETS;
    const names = this.#swarm.filter((name) => !(isFull && MAKING.includes(name)));
    const made = { socket: this.#names, type: this.#type(), ...this.#machine() };
    const make: SocketCall = { call: "socket", ...made };
    if (sockets.length === 0 || names.length === 0) return make;
    const name = this.#weighted(names);
    if (name === "socket") return make;
    // One that is closed, or of which accept() failed.
    const gone = this.#draw(fc.nat, 199) === 0 ? this.#draw(fc.nat, this.#names - 1) : undefined;
    if (gone !== undefined && this.#model.world.find(gone) === undefined) {
      return { call: "poll", socket: gone };
    }
    const [socket, state] = this.#socketFor(name, sockets);
    return this.#callOn(name, socket, state);
  }

  #weighted(names: readonly CallName[]): CallName {
    let left = this.#draw(fc.nat, names.reduce((sum, name) => sum + WEIGHTS[name], 0) - 1);
    return names.find((name) => (left -= WEIGHTS[name]) < 0) ?? "poll";
  }

  /** A socket for a call: mostly one in a state in which the call does something. */
  #socketFor(name: CallName, all: [number, ModelSocket][]): [number, ModelSocket] {
    const wantsData = name === "recv" && this.#draw(fc.boolean);
    const fits = all.filter(([, { phase, bound, unread }]) => {
      switch (name) {
        case "bind":
        case "autobind":
          return phase === "unconnected" && bound === undefined;
        case "listen":
          return phase !== "connected" && bound !== undefined;
        case "connect":
          return phase === "unconnected";
        case "accept":
          return phase === "listening";
        default:
          return phase === "connected" && (unread > 0 || !wantsData);
      }
    });
    const from = fits.length > 0 && this.#draw(fc.nat, 6) > 0 ? fits : all;
    // Each change of machine costs a round trip.
    const here = from.filter(([, { at }]) => at === this.#at);
    return this.#pick(here.length > 0 && this.#draw(fc.nat, 3) > 0 ? here : from);
  }

  #callOn(call: Exclude<CallName, "socket">, socket: number, state: ModelSocket): SocketCall {
    const draw = this.#draw;
    switch (call) {
      case "bind":
        return { call, socket, port: draw(fc.nat, CALL_PORTS - 1) };
      case "connect":
        return { call, socket, port: this.#portToConnect(state) };
      case "listen":
        return { call, socket, backlog: draw(fc.nat, 3) };
      case "accept":
      case "dup":
        return { call, socket, as: this.#names };
      case "send":
        return {
          call,
          socket,
          pattern: this.#patterns,
          ...this.#transfer(state, state.space.most),
        };
      case "recv":
        return { call, socket, ...this.#transfer(state, state.unread) };
      case "shutdown":
        return { call, socket, how: this.#pick(SHUTDOWNS) };
      case "getsockopt":
        return { call, socket, option: this.#pick(CALL_OPTIONS) };
      case "setsockopt":
        return this.#setOption(socket, state);
      case "ioctl":
        return { call, socket, request: this.#pick(CALL_IOCTLS) };
      default:
        return { call, socket };
    }
  }

  /** Mostly one at which somebody listens. */
  #portToConnect({ bound, peerAt }: ModelSocket): number {
    if (bound?.port !== undefined && this.#draw(fc.nat, 3) === 0) return bound.port;
    const ports = [...this.#model.world.sockets.values()]
      .filter(({ phase, at }) => phase === "listening" && at === peerAt)
      .flatMap(({ bound }) => bound?.port ?? []);
    const any = this.#draw(fc.nat, CALL_PORTS - 1);
    return ports.length > 0 && this.#draw(fc.nat, 4) > 0 ? this.#pick(ports) : any;
  }

  #setOption(socket: number, { buffer }: ModelSocket): SocketCall {
    if (this.#draw(fc.boolean)) return { call: "setsockopt", socket, ...this.#bufferOption() };
    if (this.#draw(fc.nat, 7) === 0) {
      const value = this.#pick(CONNECT_TIMEOUTS);
      return { call: "setsockopt", socket, option: "CONNECT_TIMEOUT", value };
    }
    const values = [0, 1, 2, 128, 4096, buffer.size - 1, buffer.size, buffer.size + 1];
    const value = this.#pick(values);
    return { call: "setsockopt", socket, option: "SO_RCVLOWAT", value };
  }

  /** How much, and with which flags. */
  #transfer({ window, buffer }: ModelSocket, exact: number) {
    const draw = this.#draw;
    const { maxBytes = MAX_CALL_BYTES, flags: allowed = CALL_FLAGS } = this.#options;
    // Small ones are quick; those at the window's edge matter most.
    const edges = [exact, exact, window, buffer.size, ...draw(fc.boolean) ? EDGES : []];
    const size = draw(fc.nat, 3) === 0
      ? this.#pick(edges) + draw(fc.integer, { min: -1, max: 1 })
      : this.#pick(EDGES.slice(0, 8)) + draw(fc.integer, { min: -1, max: 1 });
    const isPlain = draw(fc.boolean);
    const flags = isPlain ? [] : this.#flags(allowed);
    return {
      length: Math.max(0, Math.min(maxBytes, size)),
      flags,
      wait: draw(fc.nat, 39) === 0,
      ...(draw(fc.nat, 5) === 0 ? { pieces: draw(fc.integer, { min: 1, max: MAX_PIECES }) } : {}),
    };
  }

  /** Some flags; MSG_OOB, which makes a call fail at once, seldom. */
  #flags(allowed: readonly CallFlag[]): CallFlag[] {
    const some = this.#draw(fc.subarray, [...allowed], { minLength: 0, maxLength: 2 });
    return this.#draw(fc.nat, 7) > 0 ? some.filter((flag) => flag !== "OOB") : some;
  }
}
