/**
 * A program: calls libc without the frame (`sys/libc_fast.ts`) from hot loops, a thousand calls a
 * round and loop. Every fifty rounds the loops are functions that the engine has not seen before, and
 * compiles anew while they run. Its arguments are how many rounds and the number of the first one; it
 * writes a line for each hundred rounds, and one in the end. It opens AF_UNIX sockets alone.
 *
 * The loops are those that a public report says crash the engine on arm64 now and then: a branch
 * that is taken for a part of the iterations, and a null pointer as the argument.
 *
 * @module
 */
import assert from "node:assert/strict";
import { POLLOUT } from "../../sys/constants.ts";
import { directCalls } from "../../sys/libc_fast.ts";
import { openLibc } from "../../sys/libc.ts";
import { bytes, pollfd } from "../../sys/structs.ts";
import { FastSocket } from "../../perf/fast_socket.ts";
import { connectedPair } from "./unix_pair.ts";

/** Iterations of each loop of a round. */
const ITERATIONS = 10_000;
/** In how many of them the branch with the call is taken. */
const CALLS = 1000;
/** For how many rounds a loop is the same function. */
const AGE = 50;
/** Round trips of a message over a socket in each round, of four calls each. */
const ROUND_TRIPS = 250;
const SIZE = 64;
const LENGTH = BigInt(SIZE);

const { free } = openLibc({ free: { parameters: ["pointer"], result: "void" } }).symbols;
const { poll, send, recv } = directCalls();
const choices = Array.from({ length: ITERATIONS }, (_, i) => i < CALLS);
const set = bytes(8);
const buffer = bytes(SIZE);
using pair = await connectedPair("stream");
set.set(pollfd(pair.client.fd, POLLOUT));
const client = new FastSocket(pair.client, 10_000);
const server = new FastSocket(pair.server, 10_000);

/** The functions of the loops, by their text. */
const made = new Map<string, (...given: unknown[]) => number>();

/**
 * Calls a function, made anew if it is old: with a text that is no other one's.
 *
 * @param given its arguments, by name.
 * @param result what it must return.
 */
function callFresh(
  round: number,
  given: Readonly<Record<string, unknown>>,
  result: number,
  body: string,
): void {
  const known = round % AGE === 0 ? undefined : made.get(body);
  const loop = known ?? new Function(...Object.keys(given), `/* ${round} */ ${body}`);
  made.set(body, loop as (...given: unknown[]) => number);
  assert.equal(loop(...Object.values(given)), result, body);
}

/** A null pointer in a branch, and no result. */
function nullPointers(round: number): void {
  const body = "for (const x of xs) { if (x) free(null); } return 0;";
  callFresh(round, { xs: choices, free }, 0, body);
}

/** A buffer or null, a bigint and a number, by turns; and the results count. */
function mixedArguments(round: number): void {
  const body = `let sum = 0;
    for (let i = 0; i < xs.length; i++) {
      if (xs[i]) sum += i % 2 === 0 ? poll(set, 1n, 0) : poll(null, 0n, 0);
    }
    return sum;`;
  callFresh(round, { xs: choices, poll, set }, CALLS / 2, body);
}

/** The loop of `perf`, all of it in one function: send(2) and recv(2) in a branch. */
function transfers(round: number): void {
  const body = `let sum = 0;
    for (let i = 0; i < xs.length; i++) {
      if (!xs[i] || i % 2 === 0) continue;
      if (send(from, buffer, length, 0) < 0) return -1;
      const received = recv(to, buffer, length, 0);
      if (received < 0) return -1;
      sum += received;
    }
    return sum;`;
  const ends = { from: pair.client.fd, to: pair.server.fd };
  const given = { xs: choices, send, recv, ...ends, buffer, length: LENGTH };
  callFresh(round, given, CALLS / 2 * SIZE, body);
}

/** What `perf` itself calls, both ends on one thread. */
function roundTrips(round: number): void {
  const body = `for (let i = 0; i < count; i++) {
      one.sendAll(buffer, size, length);
      if (!other.recvAll(buffer, size, length)) return -1;
      other.sendAll(buffer, size, length);
      if (!one.recvAll(buffer, size, length)) return -1;
    }
    return count;`;
  const ends = { one: client, other: server };
  const given = { count: ROUND_TRIPS, ...ends, buffer, size: SIZE, length: LENGTH };
  callFresh(round, given, ROUND_TRIPS, body);
}

const [rounds = NaN, first = 0] = Deno.args.map(Number);
const say = (text: string) => void Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
for (let round = first; round < first + rounds; round++) {
  for (const loop of [nullPointers, mixedArguments, transfers, roundTrips]) loop(round);
  if (round % 100 === 99) say(`round ${round + 1}`);
}
say(`all ${rounds} rounds passed on ${Deno.build.arch}`);
