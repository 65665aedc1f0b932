import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeGreeting,
  encodeGreeting,
  MAX_CONNECTIONS,
  MAX_REQUEST,
  MAX_SHARED_REQUEST,
} from "./greeting.ts";

Deno.test("decodeGreeting() reads what encodeGreeting() wrote", () => {
  const greeting = fc.oneof(
    fc.record({ size: fc.integer({ min: 1, max: MAX_REQUEST }), connections: fc.constant(1) }),
    fc.record({
      size: fc.integer({ min: 1, max: MAX_SHARED_REQUEST }),
      connections: fc.integer({ min: 2, max: MAX_CONNECTIONS }),
    }),
  );
  fc.assert(fc.property(greeting, (given) => {
    assert.deepEqual(decodeGreeting(encodeGreeting(given)), { ...given });
  }));
});

Deno.test("decodeGreeting() refuses what would take memory without end, or deadlock", () => {
  for (
    const greeting of [
      { size: 0, connections: 1 },
      { size: MAX_REQUEST + 1, connections: 1 },
      { size: MAX_SHARED_REQUEST + 1, connections: 2 },
      { size: 1, connections: 0 },
      { size: 1, connections: MAX_CONNECTIONS + 1 },
    ]
  ) {
    assert.throws(() => decodeGreeting(encodeGreeting(greeting)), /Cannot answer/);
  }
});
