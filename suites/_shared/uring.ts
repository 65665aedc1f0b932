import type { ShapedMemory } from "./shapes.ts";
import {
  type Bytes,
  bytes,
  type Check,
  errnoMeaning,
  errnoName,
  IORING_CQE_F_MORE,
  IORING_CQE_F_NOTIF,
  type IoUring,
  type RingCompletion,
  type Socket,
} from "../../kit/mod.ts";

/**
 * Check that all of the memory can be sent; sends the rest again if a request took only a part.
 *
 * @throws {ClaimError} where that fails.
 */
export async function sendThroughRing(
  check: Check,
  ring: IoUring,
  socket: Socket,
  memory: ShapedMemory,
  zerocopy: boolean,
): Promise<void> {
  const what = zerocopy ? "IORING_OP_SENDMSG_ZC" : "IORING_OP_SENDMSG";
  const total = memory.content.length;
  for (let sent = 0; sent < total;) {
    const rest = memory.after(sent);
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
 * Check that exactly `length` bytes can be received; reads again until they have arrived.
 *
 * @returns the bytes.
 * @throws {ClaimError} where that fails.
 */
export async function receiveThroughRing(
  check: Check,
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

/** Check that there is nothing more to receive: IORING_OP_READV returns 0. */
export async function receivesEndThroughRing(
  check: Check,
  ring: IoUring,
  socket: Socket,
): Promise<void> {
  const count = await reads(check, ring, socket, bytes(1));
  check.equal(count, 0, "the result of IORING_OP_READV after the last byte");
}

async function reads(check: Check, ring: IoUring, socket: Socket, into: Bytes): Promise<number> {
  const what = "IORING_OP_READV";
  const { result, flags } = await completes(check, ring, ring.readv(socket.fd, [into]), what);
  check.equal(flags & IORING_CQE_F_MORE, 0, `${what}: IORING_CQE_F_MORE in its completion`);
  if (result > into.length) {
    throw check.stop(`${what}: its result is ${result}, with room for ${into.length} bytes`);
  }
  return result;
}

/** The completion of a request, which must be the next one and must not be a failure. */
async function completes(
  check: Check,
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

/** Check that the notification follows: the kernel no longer uses the memory. */
async function notifies(
  check: Check,
  ring: IoUring,
  request: bigint,
  what: string,
): Promise<void> {
  const notification = await check.succeeds(`${what}: io_uring_enter()`, () => ring.wait());
  const expected = { userData: request, result: 0, flags: IORING_CQE_F_NOTIF };
  check.equal(notification, expected, `${what}: the notification`);
}
