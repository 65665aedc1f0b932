/**
 * Fills a peer's window until nothing more fits, and reads until nothing more arrives.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { pollEvents, POLLOUT } from "../sys/constants.ts";
import { SysError } from "../sys/errno.ts";
import { timedSleep } from "../sys/libc.ts";
import type { Socket } from "../sys/socket.ts";
import { type Bytes, bytes } from "../sys/structs.ts";
import type { Check } from "./check.ts";
import type { Peer } from "./peer.ts";

interface Claims {
  readonly check: Check;
  readonly peer: Peer;
}

/** SO_VM_SOCKETS_BUFFER_SIZE of a fresh socket, in bytes. */
export const WINDOW = 256 * 1024;
/** The size of one send() or recv(), in bytes. */
const PIECE = 4096;
const ROOM = 64 * 1024;
/** If more than this many bytes are accepted, there is no limit. */
const ENDLESS = 64 * WINDOW;

/**
 * Sends without blocking until that fails with EAGAIN.
 *
 * @param piece the data of each send(); the last one may be accepted in part.
 * @returns how many bytes were accepted.
 * @throws {ClaimError} if send() fails with another error, or there is no limit.
 */
export async function fillWindow(
  { check, peer }: Claims,
  socket: Socket,
  piece: number | Bytes = PIECE,
): Promise<number> {
  const data = typeof piece === "number" ? bytes(piece) : piece;
  const fill = async (): Promise<number> => {
    for (let taken = 0;;) {
      await peer.letOthersRun();
      try {
        taken += socket.sendHere(data);
      } catch (error) {
        if (error instanceof SysError && error.code === "EAGAIN") return taken;
        throw error;
      }
      if (taken > ENDLESS) throw check.stop(`send() took ${taken} bytes that nobody read`);
    }
  };
  return await check.succeeds("send() until EAGAIN", fill);
}

/**
 * Continues to fill the window while room becomes available, up to a number of bytes.
 *
 * @returns how many bytes were accepted.
 */
export async function fillAgain(
  claims: Claims,
  socket: Socket,
  expected: number,
  piece: number | Bytes = PIECE,
): Promise<number> {
  const { patience } = claims.check;
  let taken = 0;
  let deadline = performance.now() + patience;
  while (taken < expected && performance.now() < deadline) {
    const wait = () => socket.poll(POLLOUT, patience);
    if (await claims.check.succeeds("poll(POLLOUT)", wait) === 0) break;
    const more = await fillWindow(claims, socket, piece);
    // Repeated POLLOUT without any room is not progress.
    if (more > 0) deadline = performance.now() + patience;
    taken += more;
  }
  return taken;
}

/**
 * Receives until the end of file.
 *
 * @param most the maximum that may arrive, in bytes.
 * @throws {ClaimError} if recv() fails, or more than that arrives.
 */
export async function readToEnd(
  { check }: Pick<Claims, "check">,
  socket: Socket,
  most: number,
): Promise<Bytes> {
  const data = bytes(most + 1);
  for (let got = 0;;) {
    // There must be room for a whole message.
    const rest = data.subarray(got);
    const count = await check.succeeds("recv() to the end", () => socket.recv(rest));
    if (count === 0) return data.slice(0, got);
    got += count;
    if (got > most) throw check.stop(`recv() to the end: more than ${most} bytes came`);
  }
}

/**
 * Receives a stream in pieces of given sizes, with pauses.
 *
 * @param sizeOf the size of the next recv(), in bytes.
 * @param pause after each `every` bytes, in milliseconds.
 */
export async function receiveSlowly(
  { check }: Pick<Claims, "check">,
  socket: Socket,
  length: number,
  { sizeOf = () => ROOM, every = WINDOW, pause = 0 }: {
    readonly sizeOf?: () => number;
    readonly every?: number;
    readonly pause?: number;
  } = {},
): Promise<Bytes> {
  const data = bytes(length);
  let due = every;
  for (let got = 0; got < length;) {
    const rest = data.subarray(got, got + sizeOf());
    const count = await check.succeeds(`recv(${rest.length})`, () => socket.recv(rest));
    if (count === 0) throw check.stop(`recv(${rest.length}): end of file after ${got} bytes`);
    got += count;
    if (got >= due && pause > 0) {
      due += every;
      await timedSleep(pause);
    }
  }
  return data;
}

/** Whether two arrays are equal; faster than any loop. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/**
 * Check that poll() reports exactly these events, now or soon.
 *
 * @param asked the requested events; POLLERR and POLLHUP are always reported.
 */
export async function seesEvents(
  { check }: Pick<Claims, "check">,
  socket: Socket,
  asked: number,
  expected: number,
  what: string,
): Promise<void> {
  const look = () => check.succeeds(`poll() ${what}`, () => socket.poll(asked, 0));
  const deadline = performance.now() + check.patience;
  let seen = await look();
  while (seen !== expected && performance.now() < deadline) {
    await timedSleep(1);
    seen = await look();
  }
  check.equal(pollEvents(seen), pollEvents(expected), `poll() ${what}`);
}
