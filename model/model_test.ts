import assert from "node:assert/strict";
import type { CallAnswer, SocketCall } from "../core/socket_call.ts";
import { DEVIATION_IDS, DEVIATIONS } from "./deviations.ts";
import { Excuses } from "./excuses.ts";
import { Model } from "./model.ts";
import { RULE_IDS, RULES } from "./rules.ts";
import { lengthOf, split } from "./state.ts";

const ok: CallAnswer = { result: 0 };
const fails = (errno: string): CallAnswer => ({ result: -1, errno });
/** The digest is how long the data is: what it is does not matter here. */
const digestOf = lengthOf;

type Line = [call: SocketCall, answer: CallAnswer];

const open = (socket: number, type: "stream" | "seqpacket" = "stream"): Line => [
  { call: "socket", socket, type },
  ok,
];
const send = (socket: number, length: number, ...flags: ("EOR" | "OOB")[]): SocketCall => ({
  call: "send",
  socket,
  length,
  pattern: 0,
  flags,
  wait: false,
});
const recv = (socket: number, length: number, ...flags: ("PEEK" | "TRUNC")[]): SocketCall => ({
  call: "recv",
  socket,
  length,
  flags,
  wait: false,
});
const received = (result: number, stored = result, ...flags: string[]): CallAnswer => ({
  result,
  flags,
  ...(stored === 0 ? {} : { digest: stored }),
});

/** Sockets 1 and 2 are connected, 0 is the listener. */
const pair = (type: "stream" | "seqpacket" = "stream"): Line[] => [
  open(0, type),
  [{ call: "bind", socket: 0, port: 3 }, ok],
  [{ call: "listen", socket: 0, backlog: 0 }, ok],
  open(1, type),
  [{ call: "connect", socket: 1, port: 3 }, ok],
  [{ call: "accept", socket: 0, as: 2 }, ok],
];

/** Plays lines on a model, all but the last of which it must allow; gives what it says of that. */
function last(lines: readonly Line[], model = new Model({ digestOf })) {
  for (const [call, answer] of lines.slice(0, -1)) {
    assert.equal(model.judge(call, answer).breach, undefined, JSON.stringify([call, answer]));
  }
  const [call, answer] = lines.at(-1) ?? assert.fail();
  return model.judge(call, answer);
}

function allows(...lines: Line[]): void {
  assert.equal(last(lines).breach, undefined, JSON.stringify(last(lines).breach));
}

function refuses(rule: string, ...lines: Line[]): void {
  assert.deepEqual(last(lines).breach?.rules, [rule]);
}

Deno.test("rules say MUST, SHOULD or MAY, and where it is written down", () => {
  for (const id of RULE_IDS) {
    assert.match(RULES[id].text, /\b(MUST|SHOULD|MAY)\b.*\.$/, id);
    assert.ok(RULES[id].refs.length > 0, id);
    assert.match(id, /^[a-z]+\/[a-z-]+$/);
  }
  for (const id of DEVIATION_IDS) assert.ok(DEVIATIONS[id].refs.length > 0, id);
});

Deno.test("split() cuts segments anywhere", () => {
  const segments = [{ pattern: 1, from: 0, to: 3 }, { pattern: 2, from: 5, to: 9 }];
  for (let at = 0; at <= 8; at++) {
    const [first, rest] = split(segments, at);
    assert.equal(lengthOf(first), Math.min(at, 7));
    assert.equal(lengthOf(rest), 7 - Math.min(at, 7));
  }
});

Deno.test("a stream has each byte once, in any pieces", () => {
  allows(...pair(), [send(1, 10), { result: 10 }], [recv(2, 4), received(4)], [
    recv(2, 100),
    received(6),
  ]);
  refuses("recv/stream", ...pair(), [send(1, 10), { result: 10 }], [recv(2, 100), received(9)]);
  refuses("recv/stream", ...pair(), [send(1, 10), { result: 10 }], [
    recv(2, 100),
    { result: 10, flags: [], digest: 9 },
  ]);
  refuses("recv/empty", ...pair(), [recv(2, 1), received(0)]);
});

Deno.test("MSG_PEEK leaves what it shows", () => {
  const peeked: Line[] = [...pair(), [send(1, 10), { result: 10 }], [
    recv(2, 10, "PEEK"),
    received(10),
  ]];
  allows(...peeked, [recv(2, 10), received(10)]);
  refuses("recv/stream", ...peeked, [recv(2, 10), fails("EAGAIN")]);
});

Deno.test("a message is whole or cut, says so, and has MSG_EOR where it was sent with it", () => {
  const sent: Line[] = [...pair("seqpacket"), [send(1, 10, "EOR"), { result: 10 }]];
  allows(...sent, [recv(2, 10), received(10, 10, "EOR")]);
  allows(...sent, [recv(2, 4), received(4, 4, "EOR", "TRUNC")]);
  allows(...sent, [recv(2, 4, "TRUNC"), received(10, 4, "EOR", "TRUNC")]);
  refuses("recv/eor", ...sent, [recv(2, 10), received(10)]);
  refuses("recv/truncated", ...sent, [recv(2, 4), received(4, 4, "EOR")]);
  refuses("recv/message", ...sent, [recv(2, 4, "TRUNC"), received(4, 4, "EOR", "TRUNC")]);
});

Deno.test("the window is the smaller buffer, and is exact until something is read", () => {
  allows(...pair(), [send(1, 300_000), { result: 262_144 }], [send(1, 1), fails("EAGAIN")]);
  refuses("send/window", ...pair(), [send(1, 300_000), { result: 262_143 }]);
  refuses("send/full", ...pair(), [send(1, 300_000), { result: 262_144 }], [
    send(1, 1),
    { result: 1 },
  ]);
  const small: Line = [
    { call: "setsockopt", socket: 1, option: "BUFFER_SIZE", value: 1000 },
    ok,
  ];
  allows(...pair(), small, [send(1, 2000), { result: 1000 }]);
  refuses("send/window", ...pair(), small, [send(1, 2000), { result: 2000 }]);
});

Deno.test("what was read in part may be known to the sender or not, what was read to the end is", () => {
  const full: Line[] = [...pair(), [send(1, 300_000), { result: 262_144 }]];
  const part: Line[] = [...full, [recv(2, 100), received(100)]];
  for (const answer of [fails("EAGAIN"), { result: 1 }, { result: 100 }]) {
    allows(...part, [send(1, 200), answer]);
  }
  assert.equal(last([...part, [send(1, 200), { result: 101 }]]).breach?.rules[0], "send/window");
  const all: Line[] = [...full, [recv(2, 300_000), received(262_144)]];
  allows(...all, [send(1, 300_000), { result: 262_144 }]);
  refuses("send/window", ...all, [send(1, 300_000), { result: 262_043 }]);
});

Deno.test("a torn message is taken where the kernel is known for it, and counted", () => {
  const torn: Line[] = [
    ...pair("seqpacket"),
    [send(1, 200_000), { result: 200_000 }],
    [send(1, 100_000), fails("EAGAIN")],
    [recv(2, 200_000), received(200_000)],
    [send(1, 5), { result: 5 }],
  ];
  refuses("recv/message", ...torn, [recv(2, 100_000), received(62_149)]);
  allows(...torn, [recv(2, 100_000), received(5)]);
  const excuses = Excuses.of(["7.3.4"]);
  const model = new Model({ digestOf, excuses });
  const { breach } = last([...torn, [recv(2, 100_000), received(62_149)]], model);
  assert.equal(breach, undefined);
  assert.equal(excuses.counts.get("K-2"), 1);
});

Deno.test("the end comes for good, and is lost only where a kernel is known for it", () => {
  const ended: Line[] = [...pair(), [{ call: "close", socket: 1 }, ok]];
  allows(...ended, [recv(2, 1), received(0)], [recv(2, 1), received(0)], [
    send(2, 1),
    fails("EPIPE"),
  ]);
  const shut: Line[] = [...ended, [{ call: "shutdown", socket: 2, how: "WR" }, ok]];
  refuses("recv/end", ...shut, [recv(2, 1), fails("ENOTCONN")]);
  const model = new Model({ digestOf, excuses: Excuses.of(["6.1.192"]) });
  assert.equal(last([...shut, [recv(2, 1), fails("ENOTCONN")]], model).deviation, "K-9");
});

Deno.test("a queue has room for one more than its length, and then refuses", () => {
  const asked: Line[] = [...pair().slice(0, 5), open(5), [
    { call: "connect", socket: 5, port: 3 },
    fails("ECONNRESET"),
  ]];
  allows(...asked, [{ call: "accept", socket: 0, as: 6 }, ok], [
    { call: "connect", socket: 5, port: 3 },
    ok,
  ]);
  refuses("connect/queue-full", ...asked.slice(0, -1), [
    { call: "connect", socket: 5, port: 3 },
    ok,
  ]);
});

Deno.test("poll() is judged bit by bit", () => {
  const poll = (socket: number): SocketCall => ({ call: "poll", socket });
  allows(...pair(), [poll(1), { result: 1, flags: ["OUT"] }]);
  refuses("poll/in", ...pair(), [poll(1), { result: 1, flags: ["IN", "OUT"] }]);
  refuses("poll/out", ...pair(), [poll(1), { result: 0, flags: [] }]);
  const closed: Line[] = [...pair(), [{ call: "close", socket: 1 }, ok]];
  allows(...closed, [poll(2), { result: 1, flags: ["IN", "OUT", "RDHUP"] }]);
  refuses("poll/rdhup", ...closed, [poll(2), { result: 1, flags: ["IN", "OUT"] }]);
  refuses("poll/hup", ...closed, [poll(2), { result: 1, flags: ["IN", "OUT", "RDHUP", "HUP"] }]);
});

Deno.test("a port that the kernel chose is learnt, and must stay", () => {
  const name = (socket: number, call: "getsockname" | "getpeername", port: number): Line => [
    { call, socket },
    { result: 0, cid: 1, port },
  ];
  allows(...pair(), name(2, "getpeername", 5000), name(1, "getsockname", 5000));
  refuses("name/own", ...pair(), name(2, "getpeername", 5000), name(1, "getsockname", 5001));
  refuses("name/own", ...pair(), name(1, "getsockname", 1023));
});

/** Sockets 1, bound to port 7, and 2 were connected through 0, and 1 is closed. */
const half: readonly Line[] = [
  open(0),
  [{ call: "bind", socket: 0, port: 3 }, ok],
  [{ call: "listen", socket: 0, backlog: 0 }, ok],
  open(1),
  [{ call: "bind", socket: 1, port: 7 }, ok],
  [{ call: "connect", socket: 1, port: 3 }, ok],
  [{ call: "accept", socket: 0, as: 2 }, ok],
];

Deno.test("that a new connection ends with an old one of the same ports is a known deviation", () => {
  const again: Line[] = [
    ...half,
    [{ call: "close", socket: 1 }, ok],
    open(5),
    [{ call: "bind", socket: 5, port: 7 }, ok],
    [{ call: "connect", socket: 5, port: 3 }, ok],
    [{ call: "close", socket: 2 }, ok],
    [send(5, 1), fails("EPIPE")],
  ];
  assert.ok(last(again).breach);
  const known = new Model({ digestOf, excuses: Excuses.of(["7.3.4"]) });
  assert.equal(last(again, known).deviation, "pair-reused");
});

Deno.test("that nobody answers a connect() with the ports of a connection is a known deviation", () => {
  const across: Line[] = [
    ...half,
    [{ call: "close", socket: 0 }, ok],
    open(5),
    [{ call: "bind", socket: 5, port: 3 }, ok],
    [{ call: "connect", socket: 5, port: 7 }, fails("ETIMEDOUT")],
  ];
  refuses("connect/refused", ...across);
  const known = new Model({ digestOf, excuses: Excuses.of(["7.3.4"]) });
  assert.equal(last(across, known).deviation, "pair-in-use");
});

Deno.test("a reset for want of room is told by the next send(), too, but by a STREAM socket's alone", () => {
  const full = (type: "stream" | "seqpacket"): Line[] => [
    ...pair(type),
    [{ call: "setsockopt", socket: 1, option: "BUFFER_MAX_SIZE", value: 1 }, ok],
    [{ call: "shutdown", socket: 1, how: "WR" }, ok],
    [send(2, 1), { result: 1 }],
    [send(1, 0), fails("ENOBUFS")],
  ];
  refuses("send/after-end", ...full("stream"));
  const known = () => new Model({ digestOf, excuses: Excuses.of(["7.3.4"]) });
  assert.equal(last(full("stream"), known()).deviation, "K-1");
  assert.deepEqual(last(full("seqpacket"), known()).breach?.rules, ["send/after-end"]);
});

Deno.test("a socket ends with the last of its descriptors", () => {
  const twice: Line[] = [
    ...pair(),
    [{ call: "dup", socket: 1, as: 5 }, ok],
    [{ call: "close", socket: 1 }, ok],
    [send(5, 1), { result: 1 }],
  ];
  allows(...twice, [recv(2, 9), received(1)], [recv(2, 9), fails("EAGAIN")]);
  allows(...twice, [{ call: "close", socket: 5 }, ok], [recv(2, 9), received(1)], [
    recv(2, 9),
    received(0),
  ]);
  refuses("fd/closed", ...twice, [send(1, 1), { result: 1 }]);
});

Deno.test("SO_RCVLOWAT is bounded by the buffer on STREAM sockets only", () => {
  const set: Line = [
    { call: "setsockopt", socket: 1, option: "SO_RCVLOWAT", value: 262_145 },
    ok,
  ];
  allows(...pair("seqpacket"), set);
  refuses("option/lowat-too-large", ...pair(), set);
});
