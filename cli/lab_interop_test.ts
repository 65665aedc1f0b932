import assert from "node:assert/strict";
import { upstreamList } from "../suites/upstream.ts";
import { unknownCases } from "./lab_interop.ts";

Deno.test("unknownCases() names what upstream added, and nothing that is ported", () => {
  const known = upstreamList("vsock_test").map(({ name }) => name);
  assert.deepEqual(unknownCases({ "vsock_test": known, "vsock_perf": ["none of ours"] }), []);
  const names = {
    "vsock_test": [...known, "SOCK_STREAM a new one"],
    "vsock_uring_test": ["another"],
  };
  assert.deepEqual(unknownCases(names), [
    "  vsock_test: SOCK_STREAM a new one",
    "  vsock_uring_test: another",
  ]);
});
