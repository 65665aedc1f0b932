import assert from "node:assert/strict";
import { digestOf, patternBytes } from "./pattern.ts";
import { decodePlayed, decodeProgram, encodePlayed, encodeProgram } from "./puppet_wire.ts";
import { MAX_CALLS, type SocketCall } from "../core/socket_call.ts";

const CALLS: readonly SocketCall[] = [
  { call: "socket", socket: 0, type: "seqpacket" },
  { call: "socket", socket: 2, type: "stream", at: "guest" },
  { call: "bind", socket: 0, port: 7 },
  { call: "autobind", socket: 0 },
  { call: "listen", socket: 0, backlog: 100 },
  { call: "connect", socket: 63, port: 0 },
  { call: "accept", socket: 0, as: 1 },
  { call: "dup", socket: 1, as: 2 },
  { call: "send", socket: 1, pattern: 5, length: 1_000_000, flags: ["EOR", "OOB"], wait: true },
  { call: "recv", socket: 1, length: 0, flags: [], wait: false },
  { call: "recv", socket: 1, length: 9, flags: [], wait: false, pieces: 8 },
  { call: "shutdown", socket: 1, how: "RDWR" },
  { call: "close", socket: 1 },
  { call: "poll", socket: 1 },
  { call: "getsockname", socket: 1 },
  { call: "getpeername", socket: 1 },
  { call: "getsockopt", socket: 1, option: "SO_ERROR" },
  { call: "setsockopt", socket: 1, option: "BUFFER_SIZE", value: 2 ** 40 },
  { call: "ioctl", socket: 1, request: "SIOCOUTQ" },
];

Deno.test("a program is read as it was written", () => {
  for (const program of [{ calls: CALLS }, { calls: [], more: true }]) {
    assert.deepEqual(decodeProgram(encodeProgram(program)), program);
  }
});

Deno.test("what is beyond what a puppet may do is refused", () => {
  const [first] = CALLS;
  const wrong: unknown[] = [
    { call: "open", socket: 0 },
    { call: "__proto__", socket: 0 },
    { call: "close", socket: 64 },
    { call: "close", socket: -1 },
    { call: "close" },
    { call: "socket", socket: 0, type: "dgram" },
    { call: "socket", socket: 0, type: "stream", at: "moon" },
    { call: "bind", socket: 0, port: 8 },
    { call: "listen", socket: 0, backlog: 101 },
    { call: "accept", socket: 0, as: 64 },
    { call: "send", socket: 0, pattern: 0, length: 1e9, flags: [], wait: false },
    { call: "send", socket: 0, pattern: 0, length: 1, flags: ["ZEROCOPY"], wait: false },
    { call: "send", socket: 0, pattern: 0, length: 1, flags: "EOR", wait: false },
    { call: "recv", socket: 0, length: 1, flags: [], wait: 5 },
    { call: "recv", socket: 0, length: 1.5, flags: [], wait: false },
    { call: "recv", socket: 0, length: 1, flags: [], wait: false, pieces: 9 },
    { call: "shutdown", socket: 0, how: "ALL" },
    { call: "setsockopt", socket: 0, option: "SO_ERROR", value: 0 },
    { call: "setsockopt", socket: 0, option: "SO_RCVLOWAT", value: 2 ** 41 },
    { call: "ioctl", socket: 0, request: "TIOCSTI" },
    null,
    5,
  ];
  for (const call of wrong) {
    const line = JSON.stringify({ calls: [first, call] });
    assert.throws(() => decodeProgram(line), /^ProtocolError/, line);
  }
  const many = JSON.stringify({ calls: Array(MAX_CALLS + 1).fill(first) });
  for (const line of ["", "[]", "{}", `{"calls":{}}`, `{"calls":[],"more":1}`, many]) {
    assert.throws(() => decodeProgram(line), /^ProtocolError/);
  }
});

Deno.test("answers are read as they were written, and others refused", () => {
  const answers = [
    { result: 0 },
    { result: -1, errno: "EAGAIN" },
    { result: 5, flags: ["EOR"], digest: 0xffffffff },
    { result: 0, cid: 1, port: 0xffffffff },
  ];
  assert.deepEqual(decodePlayed(encodePlayed({ answers }), 4), { answers });
  const stalled = { answers: answers.slice(0, 2), stalled: "ETIMEDOUT" };
  assert.deepEqual(decodePlayed(encodePlayed(stalled), 4), stalled);
  for (const wrong of [{ answers }, { answers: [{}] }, { answers: [{ result: "0" }] }, {}]) {
    assert.throws(() => decodePlayed(JSON.stringify(wrong), 1), /^ProtocolError/);
  }
  assert.throws(() => decodePlayed(encodePlayed({ answers: [] }), 1), /^ProtocolError/);
});

Deno.test("patterns differ, and the digest tells of any byte and any length", () => {
  const whole = patternBytes(3, 1003);
  assert.deepEqual(whole.subarray(0, 10), patternBytes(3, 10));
  const digest = digestOf(whole);
  assert.equal(digestOf(whole.slice()), digest);
  assert.notEqual(digestOf(patternBytes(4, 1003)), digest);
  for (const at of [0, 1, 999, 1000, 1002]) {
    const other = whole.slice();
    other[at] = (other[at] ?? 0) ^ 1;
    assert.notEqual(digestOf(other), digest, `byte ${at}`);
    assert.notEqual(digestOf(whole.subarray(0, at)), digest);
  }
});
