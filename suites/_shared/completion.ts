import {
  bytes,
  type Check,
  extendedError,
  MSG_ERRQUEUE,
  SO_EE_CODE_ZEROCOPY_COPIED,
  SO_EE_ORIGIN_ZEROCOPY,
  type Socket,
  SOL_VSOCK,
  VSOCK_RECVERR,
} from "../../kit/mod.ts";

/** Room for control messages, the same as in the kernel's tests. */
const CONTROL_SIZE = 128;

/**
 * Check that there is a completion in the error queue, and its contents.
 *
 * @param copied whether the kernel must have copied the data after all.
 */
export async function receivesCompletion(
  check: Check,
  socket: Socket,
  copied: boolean,
  what: string,
): Promise<void> {
  const receive = () => socket.recvmsg([], MSG_ERRQUEUE, bytes(CONTROL_SIZE));
  const { length, control } = await check.succeeds(`${what}: recvmsg(MSG_ERRQUEUE)`, receive);
  check.equal(length, 0, `${what}: what recvmsg(MSG_ERRQUEUE) returned`);
  const [message] = control;
  if (message === undefined) throw check.stop(`${what}: the completion has no control message`);
  check.equal(message.level, SOL_VSOCK, `${what}: cmsg_level`);
  check.equal(message.type, VSOCK_RECVERR, `${what}: cmsg_type`);
  const { errno, origin, code } = extendedError(message.data);
  check.equal(origin, SO_EE_ORIGIN_ZEROCOPY, `${what}: ee_origin`);
  check.equal(errno, 0, `${what}: ee_errno`);
  check.equal((code & SO_EE_CODE_ZEROCOPY_COPIED) !== 0, copied, `${what}: whether it was copied`);
}
