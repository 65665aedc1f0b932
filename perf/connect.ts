/**
 * How fast connections are made: connect(2) here, accept(2) there, both ends closed, the next.
 *
 * @module
 */
import { SHUT_WR, SO_SNDTIMEO, SOL_SOCKET } from "../sys/constants.ts";
import { MonotonicClock } from "../sys/libc_fast.ts";
import { Socket } from "../sys/socket.ts";
import { bytes } from "../sys/structs.ts";
import { FastSocket, PeerError } from "./fast_socket.ts";
import { Histogram } from "./histogram.ts";
import type { Endpoint } from "./endpoint.ts";

/** What `perf connect` can be told. */
export interface ConnectOptions extends Endpoint {
  /** How many connections are measured. */
  readonly requests: number;
  /** How many come before them and are not. */
  readonly warmup: number;
  /** How long the peer may do nothing, in milliseconds. */
  readonly timeout: number;
}

/** What was measured. */
export interface ConnectFigures {
  /** Nanoseconds of each connect(2). */
  readonly connects: Histogram;
  /** Nanoseconds from socket(2) to the end that the peer made after it accepted. */
  readonly cycles: Histogram;
  /** Seconds that all of them took together. */
  readonly seconds: number;
}

/** Connects to the server on a machine, over and over; blocks this thread. */
export function runConnect(cid: number, options: ConnectOptions): ConnectFigures {
  const clock = new MonotonicClock();
  const byte = bytes(1);
  const round = (count: number): ConnectFigures => {
    const connects = new Histogram();
    const cycles = new Histogram();
    const began = clock.now();
    for (let i = 0; i < count; i++) {
      const opened = clock.now();
      using socket = Socket.open(options.family, options.type);
      // AF_UNIX waits that long where the backlog is full; AF_VSOCK has a limit of its own.
      socket.setTimeval(SOL_SOCKET, SO_SNDTIMEO, options.timeout);
      const before = clock.now();
      socket.connectHere({ cid, port: options.port });
      connects.record(clock.now() - before);
      // The server closes when it finds no greeting: that it did shows that it has accepted.
      socket.shutdown(SHUT_WR);
      const rest = new FastSocket(socket, options.timeout).recv(byte, 1n, 0);
      if (rest !== 0) throw new PeerError('the peer sent something: is it "perf echo"?');
      cycles.record(clock.now() - opened);
    }
    return { connects, cycles, seconds: (clock.now() - began) / 1e9 };
  };
  round(options.warmup);
  return round(options.requests);
}
