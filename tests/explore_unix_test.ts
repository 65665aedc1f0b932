import assert from "node:assert/strict";
import type { CallSocketType } from "../core/socket_call.ts";
import { explore } from "../explore/explore.ts";
import { storyText } from "../explore/story.ts";
import type { RuleId } from "../model/rules.ts";
import {
  type Making,
  UNIX_BYTES,
  UNIX_CALLS,
  UNIX_FLAGS,
  UnixPairPlayer,
  UnixPlayer,
} from "./support/unix_puppet.ts";

/** Explores with sockets of one type: AF_UNIX has names of their own for each. */
function exploring(
  type: CallSocketType,
  making: Making | undefined,
  programs: number,
  isPair = false,
) {
  return explore({
    player: isPair ? new UnixPairPlayer() : new UnixPlayer(making),
    isPair,
    seed: 3,
    milliseconds: 60_000,
    programs,
    kernels: ["7.3.4"],
    types: [type],
    calls: UNIX_CALLS,
    flags: UNIX_FLAGS,
    maxBytes: UNIX_BYTES,
  });
}

const REACHED: Readonly<Record<CallSocketType, readonly RuleId[]>> = {
  stream: ["recv/stream", "recv/stream-peek", "recv/empty", "send/window"],
  seqpacket: ["recv/message", "recv/message-peek", "recv/truncated", "recv/empty", "send/message"],
};

for (const type of ["stream", "seqpacket"] as const) {
  Deno.test(`what AF_UNIX's ${type} sockets do with data is what the model says`, async () => {
    const found = await exploring(type, undefined, 150);
    assert.equal(found.finding, undefined, found.finding && storyText(found.finding));
    assert.deepEqual(REACHED[type].filter((rule) => !found.rules.has(rule)), []);
  });
}

for (const type of ["stream", "seqpacket"] as const) {
  Deno.test(`what AF_UNIX's ${type} sockets do between two puppets is it, too`, async () => {
    const found = await exploring(type, undefined, 80, true);
    assert.equal(found.finding, undefined, found.finding && storyText(found.finding));
    assert.deepEqual(REACHED[type].filter((rule) => !found.rules.has(rule)), []);
  });
}

/** Sockets that misbehave, and the rules of which one is found to be broken. */
const FAULTS: Readonly<Record<string, readonly [Making, readonly RuleId[]]>> = {
  "a send() that loses its last byte": [
    (call, make) => {
      if (call.call !== "send" || call.length < 2) return make(call);
      const answer = make({ ...call, length: call.length - 1 });
      return answer.errno === undefined ? { result: call.length } : answer;
    },
    ["recv/message", "recv/message-peek"],
  ],
  "a MSG_PEEK that takes what it shows": [
    (call, make) =>
      make(
        call.call === "recv"
          ? { ...call, flags: call.flags.filter((flag) => flag !== "PEEK") }
          : call,
      ),
    ["recv/message", "recv/message-peek", "recv/truncated"],
  ],
  "a recv() that never says that it cut a message": [
    (call, make) => {
      const { flags, ...rest } = make(call);
      const kept = flags?.filter((flag) => flag !== "TRUNC");
      return kept === undefined ? rest : { ...rest, flags: kept };
    },
    ["recv/truncated"],
  ],
  "a send() that always sends the same": [
    (call, make) => make(call.call === "send" ? { ...call, pattern: 1 } : call),
    ["recv/message", "recv/message-peek"],
  ],
  "an accept() that says that nobody is there": [
    (call, make) => call.call === "accept" ? { result: -1, errno: "EAGAIN" } : make(call),
    ["accept/first"],
  ],
};

for (const [name, [making, rules]] of Object.entries(FAULTS)) {
  Deno.test(`${name}: that is found, and made small`, async () => {
    const { finding } = await exploring("seqpacket", making, 500);
    assert.ok(finding);
    assert.ok(finding.breach.rules.every((rule) => rules.includes(rule)), storyText(finding));
    assert.ok(finding.calls.length <= 10, storyText(finding));
    assert.deepEqual(finding.again, [10, 10]);
  });
}
