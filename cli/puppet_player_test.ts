import assert from "node:assert/strict";
import { withPuppet } from "../agent/puppet_side.ts";
import { serveController, type SideRunner } from "../agent/session.ts";
import { LineChannel } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";
import type { SocketCall } from "../core/socket_call.ts";
import { End } from "../runner/end.ts";
import { freshFamily } from "../tests/support/unix_pair.ts";
import { PuppetLostError, PuppetPlayer } from "./puppet_player.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const CALLS: readonly SocketCall[] = [
  { call: "socket", socket: 0, type: "stream" },
  { call: "poll", socket: 0 },
];

/** A player over an agent of this process. */
async function playerOn(runSide: SideRunner) {
  const [near, far] = streamPair();
  const served = serveController(new LineChannel(near), { facts: FACTS, runSide });
  served.catch(() => {});
  const end = await End.open("loopback", new LineChannel(far), FACTS);
  return { end, player: new PuppetPlayer(end, 100, 60_000) };
}

const place = () => ({ family: freshFamily(), peerCid: 1 });

Deno.test("a player gives each program its answers, however many are under way", async () => {
  const opened = await playerOn(withPuppet(() => assert.fail(), place()));
  using _end = opened.end;
  using player = opened.player;
  const all = await Promise.all([1, 2, 1].map((n) => player.play({ calls: CALLS.slice(0, n) })));
  assert.deepEqual(all.map(({ answers }) => answers.length), [1, 2, 1]);
  assert.equal((await player.end()).state, "pass");
  await assert.rejects(player.play({ calls: CALLS }), PuppetLostError);
});

Deno.test("what was under way when an agent was lost is known", async () => {
  const opened = await playerOn(withPuppet(() => assert.fail(), place()));
  using _end = opened.end;
  using player = opened.player;
  await player.play({ calls: CALLS });
  opened.end.close();
  const error = await player.play({ calls: CALLS }).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(error instanceof PuppetLostError);
  assert.deepEqual(error.calls, CALLS);
  assert.match(error.message, /^the agent makes no more calls: lost contact with its agent: /);
});
