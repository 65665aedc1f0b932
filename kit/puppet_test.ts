import assert from "node:assert/strict";
import { digestOf, patternBytes } from "../control/pattern.ts";
import type { SocketCall } from "../core/socket_call.ts";
import { freshFamily } from "../tests/support/unix_pair.ts";
import { Puppet } from "./puppet.ts";

const transfer = { flags: [], wait: false } as const;
const PAIR: readonly SocketCall[] = [
  { call: "socket", socket: 0, type: "stream" },
  { call: "bind", socket: 0, port: 1 },
  { call: "listen", socket: 0, backlog: 1 },
  { call: "socket", socket: 1, type: "stream" },
  { call: "connect", socket: 1, port: 1 },
  { call: "accept", socket: 0, as: 2 },
];
const ECHO: readonly SocketCall[] = [
  ...PAIR,
  { call: "send", socket: 1, length: 1001, pattern: 9, ...transfer },
  { call: "recv", socket: 2, length: 4096, ...transfer },
  { call: "poll", socket: 2 },
  { call: "ioctl", socket: 2, request: "SIOCINQ" },
  { call: "getsockopt", socket: 0, option: "SO_ACCEPTCONN" },
];

const place = () => ({ family: freshFamily(), peerCid: 1, port: 100 });

Deno.test("a puppet makes the calls of a program and says what they answered", () => {
  using puppet = new Puppet(place());
  const { answers, stalled } = puppet.play({ calls: ECHO });
  assert.equal(stalled, undefined);
  assert.deepEqual(answers.slice(0, 6), PAIR.map(() => ({ result: 0 })));
  assert.deepEqual(answers.slice(6), [
    { result: 1001 },
    { result: 1001, flags: [], digest: digestOf(patternBytes(9, 1001)) },
    { result: 1, flags: ["OUT"] },
    { result: 0 },
    { result: 1 },
  ]);
});

Deno.test("a puppet closes all sockets of a program, so that the next can have its ports", () => {
  using puppet = new Puppet(place());
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(puppet.play({ calls: PAIR }).answers[1], { result: 0 });
  }
});

Deno.test("what is sent from parts of memory is received into others, and a duplicate is the socket", () => {
  using puppet = new Puppet(place());
  const sent = { length: 1001, pattern: 9, ...transfer };
  const { answers } = puppet.play({
    calls: [
      ...PAIR,
      { call: "dup", socket: 1, as: 5 },
      { call: "close", socket: 1 },
      { call: "send", socket: 5, pieces: 3, ...sent },
      { call: "recv", socket: 2, length: 4096, pieces: 8, ...transfer },
    ],
  });
  assert.deepEqual(answers.slice(PAIR.length), [
    { result: 0 },
    { result: 0 },
    { result: 1001 },
    { result: 1001, flags: [], digest: digestOf(patternBytes(9, 1001)) },
  ]);
});

Deno.test("a puppet has no socket but those that the program made", () => {
  using puppet = new Puppet(place());
  const { answers } = puppet.play({
    calls: [
      { call: "close", socket: 0 },
      { call: "socket", socket: 0, type: "seqpacket" },
      { call: "close", socket: 0 },
      { call: "send", socket: 0, length: 1, pattern: 0, ...transfer },
    ],
  });
  assert.deepEqual(answers.map(({ errno }) => errno), ["EBADF", undefined, undefined, "EBADF"]);
});

Deno.test("what a call waits for has an end", () => {
  using puppet = new Puppet(place());
  const began = performance.now();
  const { answers } = puppet.play({
    calls: [
      ...PAIR,
      { call: "accept", socket: 0, as: 3 },
      { call: "recv", socket: 1, length: 1, flags: ["WAITALL"], wait: true },
    ],
  });
  assert.deepEqual(answers.slice(-2).map(({ errno }) => errno), ["EAGAIN", "EAGAIN"]);
  assert.ok(performance.now() - began < 5000);
});
