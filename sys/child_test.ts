import assert from "node:assert/strict";
import { connectedPair } from "../tests/support/unix_pair.ts";
import { Holder } from "./child.ts";
import { POLLIN, POLLRDHUP } from "./constants.ts";
import { bytes } from "./structs.ts";

Deno.test("a socket that a process holds lives until the process is killed", async () => {
  using pair = await connectedPair("stream");
  await pair.client.send(bytes(5));
  {
    await using _holder = new Holder(pair.client);
    await pair.client.close();
    assert.equal(await pair.server.poll(POLLRDHUP, 20), 0);
  }
  assert.equal(await pair.server.poll(POLLIN | POLLRDHUP, 1000) & POLLRDHUP, POLLRDHUP);
  assert.equal(await pair.server.recv(bytes(10)), 5);
  assert.equal(await pair.server.recv(bytes(10)), 0);
});
