import assert from "node:assert/strict";
import { NETLINK_SOCK_DIAG } from "./constants.ts";
import { SysError } from "./errno.ts";
import {
  decodeMessages,
  encodeMessage,
  messageErrno,
  type NetlinkMessage,
  NetlinkSocket,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "./netlink.ts";
import { SOCK_DIAG_BY_FAMILY } from "./sock_diag.ts";
import { Socket } from "./socket.ts";
import { type Bytes, bytes, int, unixStandIn } from "./structs.ts";

function message(payload: Bytes, type = SOCK_DIAG_BY_FAMILY): NetlinkMessage {
  return { type, flags: 2, sequence: 7, port: 9, payload };
}

function joined(...parts: Bytes[]): Bytes {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test("encodeMessage() writes a struct nlmsghdr with the length of all", () => {
  assert.deepEqual(
    [...encodeMessage(message(new Uint8Array([1, 2, 3])))],
    [19, 0, 0, 0, 20, 0, 2, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1, 2, 3],
  );
});

Deno.test("decodeMessages() reads what encodeMessage() wrote, padded to four bytes", () => {
  const odd = message(new Uint8Array([1, 2, 3, 4, 5]));
  const next = message(bytes(0), NLMSG_DONE);
  const datagram = joined(encodeMessage(odd), bytes(3), encodeMessage(next));
  assert.deepEqual(decodeMessages(datagram), [odd, next]);
});

Deno.test("decodeMessages() reads a last message without its padding", () => {
  const odd = message(new Uint8Array([1]));
  assert.deepEqual(decodeMessages(encodeMessage(odd)), [odd]);
});

Deno.test("decodeMessages() refuses a message that is cut short or says it is tiny", () => {
  const whole = encodeMessage(message(bytes(8)));
  assert.throws(() => decodeMessages(whole.slice(0, 23)), RangeError);
  assert.throws(() => decodeMessages(whole.slice(0, 15)), RangeError);
  const tiny = whole.slice();
  tiny[0] = 0;
  assert.throws(() => decodeMessages(tiny), RangeError);
});

Deno.test("messageErrno() gives the positive errno, and 0 for an end without one", () => {
  assert.equal(messageErrno(message(int(-2), NLMSG_ERROR)), 2);
  assert.equal(messageErrno(message(int(0), NLMSG_DONE)), 0);
  assert.equal(messageErrno(message(bytes(0), NLMSG_DONE)), 0);
  assert.throws(() => messageErrno(message(bytes(0), NLMSG_ERROR)), RangeError);
});

/** struct unix_diag_req: sockets in every state, without more about them. */
function unixRequest(): Bytes {
  const request = bytes(24);
  const view = new DataView(request.buffer);
  view.setUint8(0, 1);
  view.setUint32(4, 0xffffffff, true);
  return request;
}

Deno.test("NetlinkSocket.dump() lists this process's AF_UNIX socket by its inode", async (t) => {
  using socket = Socket.open(unixStandIn("netlink"), "stream");
  using netlink = NetlinkSocket.open(NETLINK_SOCK_DIAG);
  let messages: NetlinkMessage[];
  try {
    messages = await netlink.dump(SOCK_DIAG_BY_FAMILY, unixRequest());
  } catch (error) {
    if (!(error instanceof SysError && error.code === "ENOENT")) throw error;
    await t.step({ name: `skipped: no unix_diag here: ${error.message}`, ignore: true, fn() {} });
    return;
  }
  const inodes = messages.map(({ payload }) => new DataView(payload.buffer).getUint32(4, true));
  assert.equal(inodes.filter((inode) => inode === socket.inode()).length, 1);
});

Deno.test("NetlinkSocket.dump() throws the errno that the kernel answers", async () => {
  using netlink = NetlinkSocket.open(NETLINK_SOCK_DIAG);
  const dump = () => netlink.dump(SOCK_DIAG_BY_FAMILY, bytes(1));
  await assert.rejects(dump, (error) => error instanceof SysError && error.code === "EINVAL");
});
