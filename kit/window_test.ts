import assert from "node:assert/strict";
import { LineQueue } from "../control/lines.ts";
import { POLLIN, POLLOUT, SHUT_WR } from "../sys/constants.ts";
import { bytes } from "../sys/structs.ts";
import { connectedPair } from "../tests/support/unix_pair.ts";
import { Check } from "./check.ts";
import { Peer } from "./peer.ts";
import { fillAgain, fillWindow, readToEnd, receiveSlowly, seesEvents } from "./window.ts";

/** Claims, and a peer that says nothing. */
function claims(patience = 200) {
  const queue = new LineQueue();
  const lines = {
    write: (line: string) => Promise.resolve(queue.push(line)),
    read: (signal: AbortSignal) => queue.read(signal),
  };
  const { signal } = new AbortController();
  const peer = new Peer(lines, { signal, trace: () => {}, begun: () => {} });
  return { check: new Check(patience), peer };
}

Deno.test("a window is filled, read to the end, and exactly what was taken comes", async () => {
  using pair = await connectedPair("stream");
  const both = claims();
  const taken = await fillWindow(both, pair.client);
  assert.ok(taken > 0);
  assert.equal(await fillWindow(both, pair.client), 0);
  await seesEvents(both, pair.client, POLLOUT, 0, "of a full window");
  pair.client.shutdown(SHUT_WR);
  assert.equal((await readToEnd(both, pair.server, taken)).length, taken);
  assert.deepEqual(both.check.mismatches, []);
});

Deno.test("what is more than was to come, or less, is claimed", async () => {
  using pair = await connectedPair("stream");
  const both = claims();
  await pair.client.send(bytes(10));
  await assert.rejects(readToEnd(both, pair.server, 9), /more than 9 bytes came/);
  pair.client.shutdown(SHUT_WR);
  await assert.rejects(receiveSlowly(both, pair.server, 5), /end of file after 0 bytes/);
});

Deno.test("a window that never has room again, and events that never come, take patience alone", async () => {
  using pair = await connectedPair("stream");
  const both = claims(50);
  await fillWindow(both, pair.client);
  const started = performance.now();
  assert.equal(await fillAgain(both, pair.client, 1), 0);
  await seesEvents(both, pair.client, POLLIN, POLLIN, "of data");
  assert.ok(performance.now() - started < 10_000);
  assert.deepEqual(both.check.mismatches, ['poll() of data: expected "POLLIN", got "0"']);
});
