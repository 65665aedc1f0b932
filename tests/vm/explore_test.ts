/**
 * Exploring real kernels: what they answer is what the model says, or what they are known for.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runLab } from "./support.ts";

/** The fewest calls that are made in the time: 300 a second, and a machine that is shared. */
const LEAST_CALLS = 2000;

for (const kernel of ["debian:latest", "debian:6.12", "debian:6.1"]) {
  Deno.test(`lab explore finds nothing on ${kernel} that is not known`, async () => {
    const { stdout, stderr, code } = await runLab(
      ["lab", "explore", "--kernel", kernel, "--for", "30"],
    );
    assert.equal(code, 0, stdout + stderr);
    const calls = /^(\d+) calls in \d+ programs/m.exec(stdout)?.[1];
    assert.ok(Number(calls) >= LEAST_CALLS, stdout);
    assert.doesNotMatch(stdout, /; idle:/);
  });
}
