import assert from "node:assert/strict";
import { CAP_NET_BIND_SERVICE, hasCapability, WithoutCapability } from "./capabilities.ts";

Deno.test("WithoutCapability takes a capability and gives it back", () => {
  const before = hasCapability(CAP_NET_BIND_SERVICE);
  {
    using _without = new WithoutCapability(CAP_NET_BIND_SERVICE);
    assert.equal(hasCapability(CAP_NET_BIND_SERVICE), false);
  }
  assert.equal(hasCapability(CAP_NET_BIND_SERVICE), before);
});
