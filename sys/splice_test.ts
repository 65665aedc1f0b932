import assert from "node:assert/strict";
import { connectedPair } from "../tests/support/unix_pair.ts";
import { DataFile, sendfile, splice } from "./splice.ts";
import { bytes } from "./structs.ts";

Deno.test("a file in memory is sent to a socket, and moved from there into a pipe", async () => {
  const content = bytes(100).map((_, i) => i);
  using pair = await connectedPair("stream");
  using file = await DataFile.inMemory(content);
  assert.equal(await sendfile(pair.client, file, 1000), 100);
  assert.equal(await sendfile(pair.client, file, 1000), 0);
  const { reader, writer } = DataFile.pipe();
  using _writer = writer;
  using pipe = reader;
  assert.equal(await splice(pair.server, writer, 1000), 100);
  const data = bytes(200);
  assert.equal(await pipe.read(data), 100);
  assert.deepEqual(data.slice(0, 100), content);
});
