/**
 * Sending and receiving through an io_uring, with what must hold of its completions.
 *
 * @module
 */
import { SO_ZEROCOPY, SOL_SOCKET } from "../../sys/constants.ts";
import { errnoMeaning, errnoName, SysError } from "../../sys/errno.ts";
import { IoUring } from "../../sys/io_uring.ts";
import {
  IORING_CQE_F_MORE,
  IORING_CQE_F_NOTIF,
  IORING_OP_SENDMSG_ZC,
  type RingCompletion,
} from "../../sys/io_uring_abi.ts";
import type { Socket } from "../../sys/socket.ts";
import { type Bytes, bytes } from "../../sys/structs.ts";
import type { Claims } from "./claims.ts";
import type { Pieces } from "./pieces.ts";
import { SkipError } from "./skip.ts";
import type { VsockOptions } from "./vsock.ts";

/** Why there is no io_uring, by the errno that io_uring_setup(2) gives. */
const LACKING: Readonly<Record<string, string>> = {
  ENOSYS: "this kernel has no io_uring (CONFIG_IO_URING)",
  EPERM: "io_uring is disabled here (the sysctl kernel.io_uring_disabled, or seccomp)",
};

/**
 * Opens a ring.
 *
 * @throws {SkipError} where there is no io_uring.
 */
export function openRing(
  entries: number,
  { context, ringClass = IoUring }: VsockOptions,
): IoUring {
  try {
    return ringClass.open(entries, context);
  } catch (error) {
    const why = error instanceof SysError ? LACKING[error.code] : undefined;
    if (why === undefined) throw error;
    throw new SkipError(`${why}: ${String(error)}`, { cause: error });
  }
}

/**
 * Claims that SO_ZEROCOPY can be set and stays set.
 *
 * @throws {SkipError} where the kernel or the transport has no MSG_ZEROCOPY.
 */
export async function requireZerocopy(check: Claims, socket: Socket): Promise<void> {
  await check.succeeds("set SO_ZEROCOPY", () => {
    try {
      socket.setInt(SOL_SOCKET, SO_ZEROCOPY, 1);
    } catch (error) {
      if (!(error instanceof SysError) || error.code !== "EOPNOTSUPP") throw error;
      const why = "no MSG_ZEROCOPY: this kernel is older than 6.7, or the transport has none";
      throw new SkipError(`${why}: ${String(error)}`, { cause: error });
    }
  });
  check.equal(socket.getInt(SOL_SOCKET, SO_ZEROCOPY), 1, "SO_ZEROCOPY after setting it");
}

/** @throws {SkipError} where the kernel has no IORING_OP_SENDMSG_ZC. */
export function requireSendmsgZc(ring: IoUring): void {
  if (ring.supports(IORING_OP_SENDMSG_ZC)) return;
  throw new SkipError("this kernel has no IORING_OP_SENDMSG_ZC: it came with Linux 6.1");
}

/**
 * Claims that all of the pieces can be sent; sends again what a request did not take.
 *
 * @throws {ClaimError} where that fails.
 */
export async function sendThroughRing(
  check: Claims,
  ring: IoUring,
  socket: Socket,
  pieces: Pieces,
  zerocopy: boolean,
): Promise<void> {
  const what = zerocopy ? "IORING_OP_SENDMSG_ZC" : "IORING_OP_SENDMSG";
  const total = pieces.joined().length;
  for (let sent = 0; sent < total;) {
    const rest = pieces.after(sent);
    const request = zerocopy ? ring.sendmsgZc(socket.fd, rest) : ring.sendmsg(socket.fd, rest);
    const completion = await completes(check, ring, request, what);
    const { result, flags } = completion;
    if (result === 0 || result > total - sent) {
      throw check.stop(`${what}: its result is ${result}, with ${total - sent} bytes to send`);
    }
    sent += result;
    const more = (flags & IORING_CQE_F_MORE) !== 0;
    check.equal(more, zerocopy, `${what}: a second completion is announced`);
    if (more && zerocopy) await notifies(check, ring, request, what);
  }
}

/**
 * Claims that exactly `length` bytes can be received; reads again until they are there.
 *
 * @returns the bytes.
 * @throws {ClaimError} where that fails.
 */
export async function receiveThroughRing(
  check: Claims,
  ring: IoUring,
  socket: Socket,
  length: number,
): Promise<Bytes> {
  const data = bytes(length);
  for (let got = 0; got < length;) {
    const count = await reads(check, ring, socket, data.subarray(got));
    if (count === 0) throw check.stop(`IORING_OP_READV: end of file after ${got} bytes`);
    got += count;
  }
  return data;
}

/** Claims that there is nothing more to receive: IORING_OP_READV gives 0. */
export async function receivesEndThroughRing(
  check: Claims,
  ring: IoUring,
  socket: Socket,
): Promise<void> {
  const count = await reads(check, ring, socket, bytes(1));
  check.equal(count, 0, "the result of IORING_OP_READV after the last byte");
}

async function reads(check: Claims, ring: IoUring, socket: Socket, into: Bytes): Promise<number> {
  const what = "IORING_OP_READV";
  const { result, flags } = await completes(check, ring, ring.readv(socket.fd, [into]), what);
  check.equal(flags & IORING_CQE_F_MORE, 0, `${what}: IORING_CQE_F_MORE in its completion`);
  if (result > into.length) {
    throw check.stop(`${what}: its result is ${result}, with room for ${into.length} bytes`);
  }
  return result;
}

/** The completion of a request, which must be the next one and no failure. */
async function completes(
  check: Claims,
  ring: IoUring,
  request: bigint,
  what: string,
): Promise<RingCompletion> {
  const completion = await check.succeeds(`${what}: io_uring_enter()`, () => ring.wait());
  check.equal(completion.userData, request, `${what}: the user data of its completion`);
  check.equal(completion.flags & IORING_CQE_F_NOTIF, 0, `${what}: IORING_CQE_F_NOTIF comes first`);
  const errno = -completion.result;
  if (errno > 0) throw check.stop(`${what}: ${errnoName(errno)} (${errnoMeaning(errno)})`);
  return completion;
}

/** Claims that the notification follows: the kernel no longer uses the memory. */
async function notifies(
  check: Claims,
  ring: IoUring,
  request: bigint,
  what: string,
): Promise<void> {
  const notification = await check.succeeds(`${what}: io_uring_enter()`, () => ring.wait());
  const expected = { userData: request, result: 0, flags: IORING_CQE_F_NOTIF };
  check.equal(notification, expected, `${what}: the notification`);
}
