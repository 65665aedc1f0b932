import assert from "node:assert/strict";
import { decodeSocket, dumpVsock, encodeRequest, TCP_LISTEN } from "./sock_diag.ts";
import { FORBID_VSOCK } from "./forbidden.ts";

/** A struct vsock_diag_msg: a listener on port 1234. */
const LISTENER = new Uint8Array([
  ...[40, 1, TCP_LISTEN, 2],
  ...[0xff, 0xff, 0xff, 0xff, 0xd2, 4, 0, 0],
  ...[3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
  ...[0x40, 0xe2, 1, 0],
  ...[1, 0, 0, 0, 2, 0, 0, 0],
]);

Deno.test("encodeRequest() writes a struct vsock_diag_req", () => {
  assert.deepEqual([...encodeRequest(1 << TCP_LISTEN)], [
    ...[40, 0, 0, 0, 0, 4, 0, 0],
    ...Array(16).fill(0),
  ]);
  assert.deepEqual([...encodeRequest(0xffffffff).subarray(4, 8)], [255, 255, 255, 255]);
});

Deno.test("decodeSocket() reads a struct vsock_diag_msg", () => {
  assert.deepEqual(decodeSocket(LISTENER), {
    type: 1,
    state: TCP_LISTEN,
    shutdown: 2,
    local: { cid: 0xffffffff, port: 1234 },
    remote: { cid: 3, port: 0xffffffff },
    inode: 123456,
    cookie: 0x2_0000_0001n,
  });
});

Deno.test("decodeSocket() refuses what is too short or of another family", () => {
  assert.throws(() => decodeSocket(LISTENER.slice(0, 31)), RangeError);
  const other = LISTENER.slice();
  other[0] = 2;
  assert.throws(() => decodeSocket(other), RangeError);
});

Deno.test("dumpVsock() asks nothing where AF_VSOCK is forbidden", async () => {
  // It stays so: the variable is the whole process's, and other tests run beside this one.
  Deno.env.set(FORBID_VSOCK, "1");
  await assert.rejects(() => dumpVsock(), /is set/);
});
