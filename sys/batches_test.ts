import assert from "node:assert/strict";
import { connectedPair } from "../tests/support/unix_pair.ts";
import { recvmmsg, sendmmsg } from "./batches.ts";
import { MSG_DONTWAIT, MSG_TRUNC } from "./constants.ts";
import { bytes } from "./structs.ts";

Deno.test("several messages go out in one call and come in in one, each with length and flags", async () => {
  using pair = await connectedPair("seqpacket");
  const sent = await sendmmsg(pair.client, [bytes(1).fill(1), bytes(20).fill(2), bytes(3).fill(3)]);
  assert.deepEqual(sent.map(({ length }) => length), [1, 20, 3]);
  const buffers = [bytes(8), bytes(8), bytes(8), bytes(8)];
  const received = await recvmmsg(pair.server, buffers, MSG_DONTWAIT);
  assert.deepEqual(received.map(({ length }) => length), [1, 8, 3]);
  assert.deepEqual(received.map(({ flags }) => flags & MSG_TRUNC), [0, MSG_TRUNC, 0]);
  assert.deepEqual(buffers.map((buffer) => buffer[0]), [1, 2, 3, 0]);
});
