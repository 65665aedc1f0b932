/**
 * Exploring a real kernel: it goes on at a good pace, and what it finds is told as a story.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runLab } from "./support.ts";

/** The fewest calls that are made in the time, on a machine that is shared. */
const LEAST_CALLS = 300;

// What it finds is for people to look at: a kernel may do what the model does not know of yet.
Deno.test("lab explore plays programs in a VM, and tells what the model does not allow", async () => {
  const { stdout, stderr, code } = await runLab(["lab", "explore", "--for", "30"]);
  const calls = /^(\d+) calls in \d+ programs/m.exec(stdout)?.[1];
  assert.ok(code === 0 || Number(calls) > 0, stdout + stderr);
  if (code === 0) {
    assert.ok(Number(calls) >= LEAST_CALLS, stdout);
    assert.doesNotMatch(stdout, /^failed with seed/m);
  } else {
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout, /^failed with seed \d+, shrunk from \d+ calls to \d+, reproduced/m);
    assert.match(stdout, /^ {2}1\. .*\n[^]*^ {5}allowed: /m);
  }
});
