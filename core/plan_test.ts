import assert from "node:assert/strict";
import { directionsOf, planRun } from "./plan.ts";

const CASES = ["a/b/c", "a/b/d"].map((id) => ({
  id,
  title: id,
  requirement: "MUST",
  refs: [],
}));

Deno.test("directionsOf() has both directions between host and guest, one on loopback", () => {
  assert.deepEqual(directionsOf("guest-host", "both"), ["host-server", "guest-server"]);
  assert.deepEqual(directionsOf("guest-host", "guest-server"), ["guest-server"]);
  assert.deepEqual(directionsOf("guest-host", "host-server"), ["host-server"]);
  assert.deepEqual(directionsOf("loopback", "both"), ["loopback"]);
});

Deno.test("planRun() goes direction by direction, in the order of the cases", () => {
  const plan = planRun(CASES, ["host-server", "guest-server"]);
  assert.deepEqual(plan.map(({ case: { id }, direction }) => [id, direction]), [
    ["a/b/c", "host-server"],
    ["a/b/d", "host-server"],
    ["a/b/c", "guest-server"],
    ["a/b/d", "guest-server"],
  ]);
});
