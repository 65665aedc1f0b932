import assert from "node:assert/strict";
import { shellsOf } from "./lab.ts";

Deno.test("shellsOf() names the VMs that lab shell takes, of each topology", () => {
  assert.deepEqual(shellsOf("loopback"), ["loopback"]);
  for (const topology of ["guest-host", "three-cids", "three-devices"] as const) {
    assert.deepEqual(shellsOf(topology), ["host", "guest"]);
  }
});
