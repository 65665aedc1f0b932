import assert from "node:assert/strict";
import { rangeOf } from "./lab_bisect.ts";

const ALL = ["6.1.170", "6.1.192", "6.12.90", "6.12.94", "6.12.118", "7.3.4"];

Deno.test("rangeOf() takes the newest of a version, or one release, in either order", () => {
  assert.deepEqual(rangeOf(ALL, { good: "debian:6.1", bad: "debian:6.12" }), {
    range: ["6.1.192", "6.12.90", "6.12.94", "6.12.118"],
    from: "good",
  });
  assert.deepEqual(rangeOf(ALL, { good: "debian:7.3", bad: "debian:6.12.94" }), {
    range: ["6.12.94", "6.12.118", "7.3.4"],
    from: "bad",
  });
  assert.throws(() => rangeOf(ALL, { good: "debian:6.9", bad: "debian:7.3" }), /no kernel 6\.9/);
  assert.throws(() => rangeOf(ALL, { good: "debian:7.3", bad: "debian:7.3.4" }), /the same kernel/);
});
