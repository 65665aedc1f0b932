import assert from "node:assert/strict";
import { decodePlayed, encodeProgram, NO_MORE, PUPPET, READY } from "../control/puppet_wire.ts";
import type { SocketCall } from "../core/socket_call.ts";
import { LineQueue } from "../control/lines.ts";
import { freshFamily } from "../tests/support/unix_pair.ts";
import { withPuppet } from "./puppet_side.ts";
import type { SideOrder } from "./session.ts";

const CALLS: readonly SocketCall[] = [
  { call: "socket", socket: 0, type: "stream" },
  { call: "poll", socket: 0 },
];

const place = () => ({ family: freshFamily(), peerCid: 1 });

/** An order to run a side, and its lines. */
function order(id: string) {
  const inbox = new LineQueue();
  const written: string[] = [];
  const stop = new AbortController();
  const side: SideOrder = {
    run: 1,
    id,
    role: "client",
    port: 100,
    seed: 0,
    timeout: 60_000,
    lines: {
      write: (line) => Promise.resolve(void written.push(line)),
      read: (signal) => inbox.read(signal),
    },
    stop: stop.signal,
    onStep: () => {},
  };
  return { side, inbox, written, stop };
}

Deno.test("an agent's side plays programs until there are no more", async () => {
  const { side, inbox, written } = order(PUPPET);
  const report = withPuppet(() => assert.fail(), place())(side);
  inbox.push(encodeProgram({ calls: CALLS }));
  inbox.push(NO_MORE);
  assert.equal((await report).state, "pass");
  const [ready, played = "", ...more] = written;
  assert.deepEqual([ready, more], [READY, []]);
  assert.equal(decodePlayed(played, CALLS.length).answers.length, CALLS.length);
});

Deno.test("an agent's side makes no call of a program that is none", async () => {
  const { side, inbox, written } = order(PUPPET);
  const report = withPuppet(() => assert.fail(), place())(side);
  inbox.push(`{"calls":[{"call":"unlink","socket":0}]}`);
  const { state, reasons } = await report;
  assert.equal(state, "broken");
  assert.match(reasons.join(), /makes no sense here/);
  assert.deepEqual(written, [READY]);
});

Deno.test("an agent's side that waits for programs can be stopped, and runs cases besides", async () => {
  const { side, stop } = order(PUPPET);
  const pass = { state: "pass", reasons: [], step: "", milliseconds: 0 } as const;
  const runner = withPuppet(() => Promise.resolve(pass), place());
  const report = runner(side);
  stop.abort(new Error("enough"));
  assert.deepEqual((await report).reasons, ["enough"]);
  assert.equal(await runner(order("stream/close/x").side), pass);
});
