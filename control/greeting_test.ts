import assert from "node:assert/strict";
import { ProtocolError } from "./fields.ts";
import {
  BusyError,
  decodeHello,
  encodeHello,
  encodeRefusal,
  HELLO,
  RefusedError,
} from "./greeting.ts";

Deno.test("decodeHello() gives back the facts that encodeHello() was given", () => {
  const facts = { name: "guest", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
  assert.deepEqual(decodeHello(encodeHello(facts)), { facts });
  const more = { session: "a run", resumed: [3, 4], token: "secret", ports: [1234, 1489] } as const;
  const known = { ...facts, localCid: 3, leaks: { watched: ["sockets"], milliseconds: 12_000 } };
  assert.deepEqual(decodeHello(encodeHello(known, more)), { facts: known, ...more });
});

Deno.test("decodeHello() refuses numbers that cannot be, and texts that are too long", () => {
  const facts = { name: "guest", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
  const bad = [
    { localCid: -1 },
    { localCid: 2 ** 32 },
    { localCid: "3" },
    { localCids: [3, 1.5] },
    { localCids: Array.from({ length: 1000 }, (_, i) => i) },
    { localCids: 3 },
    { name: "x".repeat(2000) },
    { unwatched: "x".repeat(2000) },
    { session: "x".repeat(2000) },
    { session: 1 },
    { session: "" },
    { session: "a\u0000b" },
    { token: "x".repeat(2000) },
    { resumed: [2 ** 60] },
    { resumed: Array.from({ length: 1000 }, (_, i) => i) },
    { ports: [1, 2 ** 32] },
    { ports: [5, 4] },
    { ports: [1] },
    { leaks: { watched: Array.from({ length: 1000 }, () => "x"), milliseconds: 1 } },
  ];
  for (const more of bad) {
    const line = `${HELLO} ${JSON.stringify({ ...facts, ...more })}`;
    assert.throws(() => decodeHello(line), ProtocolError, line.slice(0, 200));
  }
});

Deno.test("decodeHello() says who the peer is, where that is known", () => {
  const messages: readonly (readonly [string, string, RegExp])[] = [
    ["NEXT", "ProtocolError", /protocol of the kernel's vsock_test.*--mode/],
    ["SKIP", "ProtocolError", /protocol of the kernel's vsock_test/],
    ["REFUSED no token", "RefusedError", /^the peer refused: no token$/],
    ["BUSY another controller is using this agent", "BusyError", /refused: another controller/],
    [
      "HTTP/1.1 400 Bad Request",
      "ProtocolError",
      /the peer does not speak vsock-conformance\/2: it wrote "HTTP\/1.1 400/,
    ],
    ["HELLO vsock-conformance/1 {}", "RefusedError", OTHER_VERSION],
    [
      "HELLO vsock-conformance/99 {}",
      "RefusedError",
      /\/99 .*the same version of the tool on both/,
    ],
    [`REFUSED ${"x".repeat(10_000)}`, "RefusedError", /^.{1,500}$/],
  ];
  for (const [line, name, message] of messages) {
    assert.throws(() => decodeHello(line), { name, message });
  }
});

const OTHER_VERSION =
  /^one side speaks vsock-conformance\/1 and the other vsock-conformance\/2: use the same version of the tool on both$/;

Deno.test("decodeHello() refuses an end that says nonsense of how it looks for leaks", () => {
  const facts = { name: "host", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
  const bad = [
    null,
    7,
    { watched: "sockets", milliseconds: 1 },
    { watched: [1], milliseconds: 1 },
    { watched: [], milliseconds: -1 },
    { watched: [], milliseconds: 1e9 },
  ];
  for (const leaks of bad) {
    const line = `${HELLO} ${JSON.stringify({ ...facts, leaks })}`;
    assert.throws(() => decodeHello(line), /does not say how it checks for leaks/);
  }
});

Deno.test("decodeHello() gives the refusal that encodeRefusal() was given", () => {
  for (const Kind of [RefusedError, BusyError]) {
    const line = encodeRefusal(new Kind("for a reason"));
    assert.throws(() => decodeHello(line), (error) => {
      assert.ok(error instanceof Kind);
      assert.equal(error.message, "the peer refused: for a reason");
      return true;
    });
  }
});
