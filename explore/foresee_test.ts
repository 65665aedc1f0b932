import assert from "node:assert/strict";
import fc from "fast-check";
import { Excuses } from "../model/excuses.ts";
import { Model } from "../model/model.ts";
import type { ModelSocket } from "../model/state.ts";
import { drawProgram } from "./draw.ts";
import { foresee } from "./foresee.ts";
import { segmentsDigest } from "./judge.ts";

/** What must hold of an end of a connection whatever was called. */
function holds({ peer, inFlight, space, window, unread, messages, over, peers }: ModelSocket) {
  assert.ok(inFlight.least <= inFlight.most, "the range is one");
  assert.ok(space.least <= space.most && space.most <= window, "the space is within the window");
  assert.ok(unread >= 0 && messages.every(({ length }) => length > 0));
  if (peer?.open) assert.ok(peer.unread <= inFlight.least, "what is unread counts as under way");
  if (over) assert.ok(peers.wr && peers.rd, "both sides know the end");
}

Deno.test("whatever is called, and whichever answer comes, the model's state makes sense", () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.infiniteStream(fc.nat(3)), (seed, turns) => {
      const excuses = new Excuses(["K-2"]);
      const model = new Model({ digestOf: segmentsDigest, excuses });
      for (const call of drawProgram({ seed, maxBytes: 300_000 })) {
        const turn = turns.next().value ?? 0;
        const answer = foresee(model, call, segmentsDigest, (from) => from[turn % from.length]);
        assert.ok(answer.result >= -1);
        for (const socket of model.world.sockets.values()) {
          if (socket.phase === "connected") holds(socket);
        }
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("what the model foresees it allows", () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), (seed) => {
      const foreseen = new Model({ digestOf: segmentsDigest });
      const judging = new Model({ digestOf: segmentsDigest });
      for (const call of drawProgram({ seed, maxBytes: 300_000 })) {
        const { breach } = judging.judge(call, foresee(foreseen, call, segmentsDigest));
        assert.equal(breach, undefined, JSON.stringify([call, breach]));
      }
    }),
    { numRuns: 30 },
  );
});
