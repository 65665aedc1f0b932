import assert from "node:assert/strict";
import type { CallAnswer, SocketCall } from "../../core/socket_call.ts";
import type { Played, Program } from "../../control/puppet_wire.ts";
import { foresee } from "../../explore/foresee.ts";
import { segmentsDigest } from "../../explore/judge.ts";
import { Puppet } from "../../kit/puppet.ts";
import { Excuses } from "../../model/excuses.ts";
import { Model } from "../../model/model.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import { knownCase } from "../../tests/support/known_case.ts";

const CASES = ["explored/stream/as-modelled", "explored/seqpacket/as-modelled"] as const;

/** A change of what a kernel answers that otherwise does just what the model says. */
type Fault = (call: SocketCall, answer: CallAnswer) => CallAnswer;

/** K-2 is every kernel's. */
const freshModel = () => new Model({ digestOf: segmentsDigest, excuses: new Excuses(["K-2"]) });

/** Puppets of kernels that do what the model says but for a fault; both share a state. */
function puppetsWith(fault: Fault): typeof Puppet {
  let model = freshModel();
  return class extends Puppet {
    override play({ calls, more = false }: Program): Played {
      const answers = calls.map((call) => fault(call, foresee(model, call, segmentsDigest)));
      if (!more) model = freshModel();
      return { answers };
    }
  };
}

/** Both sides, on one machine (1) or on a host and its guest, whose CIDs these are. */
async function run(id: string, fault: Fault, [client, server]: readonly [number, number]) {
  const puppetClass = puppetsWith(fault);
  return await runBothSides(knownCase(id), {
    client: { puppetClass, peerCid: server },
    server: { puppetClass, peerCid: client },
  });
}

const none: Fault = (_, answer) => answer;
const PLACES = {
  "loopback": [1, 1],
  "a host as the client": [2, 3],
  "a guest as the client": [3, 2],
} as const;

for (const [place, cids] of Object.entries(PLACES)) {
  Deno.test(`${place}: sockets that do what the model says pass`, async () => {
    const all = await Promise.all(CASES.map((id) => run(id, none, cids)));
    assert.deepEqual(all.map(({ outcome, reasons }) => [outcome, reasons]), [
      ["pass", []],
      ["pass", []],
    ]);
  });
}

Deno.test("a connect() that takes too long once says nothing of the kernel", async () => {
  let isFirst = true;
  const lateOnce: Fault = (call, answer) => {
    if (!isFirst || call.call !== "connect" || answer.errno !== undefined) return answer;
    isFirst = false;
    return { result: -1, errno: "ETIMEDOUT" };
  };
  const { outcome, reasons } = await run(CASES[0], lateOnce, PLACES.loopback);
  assert.equal(isFirst, false);
  assert.deepEqual([outcome, reasons], ["pass", []]);
  const late: Fault = (call, answer) =>
    call.call === "connect" && answer.errno === undefined
      ? { result: -1, errno: "ETIMEDOUT" }
      : answer;
  assert.equal((await run(CASES[0], late, PLACES.loopback)).outcome, "fail");
});

const faults: Readonly<Record<string, readonly [Fault, RegExp]>> = {
  "POLLRDHUP is lost": [
    (call, { flags, ...rest }) =>
      call.call !== "poll" || flags === undefined
        ? { ...rest, ...(flags === undefined ? {} : { flags }) }
        : { ...rest, flags: flags.filter((flag) => flag !== "RDHUP") },
    /poll\/rdhup: POLLRDHUP MUST/,
  ],
  "bind() of a bound socket succeeds": [
    (call, answer) =>
      (call.call === "bind" || call.call === "autobind") && answer.errno === "EINVAL"
        ? { result: 0 }
        : answer,
    /bind\/twice: bind\(\) of a socket/,
  ],
};

for (const [name, [fault, reason]] of Object.entries(faults)) {
  Deno.test(`where ${name}, explored cases fail, and tell it as a story`, async () => {
    for (const id of CASES) {
      const { outcome, reasons } = await run(id, fault, PLACES["a host as the client"]);
      assert.equal(outcome, "fail");
      const text = reasons.join("\n");
      assert.match(text, reason);
      assert.match(text, /client: {3}1\. (host|guest) +\d+\.socket\((stream|seqpacket)\) = 0/);
      assert.match(text, /lab explore replay story\.txt --topology guest-host/);
    }
  });
}
