/**
 * A kernel with faults that can be turned on: named cases catch some of them, as docs/faults.md says
 * of all.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { select } from "../../core/selector.ts";
import { Hunt } from "../../tools/faults/hunt.ts";
import { runLab, testProgress } from "./support.ts";

/** Faults, and a case that has to catch each; docs/faults.md has them all. */
const CAUGHT: readonly (readonly [string, string])[] = [
  ["absent-guest-as-unreachable", "addressing/destination/stream-nobody"],
];

Deno.test("cases catch faults of a kernel, and pass where they are off", async (t) => {
  const cases = select(CATALOGUE, CAUGHT.map(([, id]) => id));
  await using hunt = new Hunt({ topology: "loopback", jobs: 1, enough: Infinity }, testProgress());
  for (const [fault, id] of CAUGHT) {
    await t.step(`${fault}: ${id}`, async () => {
      const own = cases.filter((each) => each.id === id);
      assert.deepEqual(await hunt.noticed(fault, own), [id]);
    });
  }
});

Deno.test("lab --kernel faults:<name> has a fault on from its boot, and none without a name", async () => {
  const [[fault, id] = ["", ""]] = CAUGHT;
  const args = ["lab", "--topology", "loopback", id, "--kernel"];
  const wrong = await runLab([...args, `faults:${fault}`]);
  assert.equal(wrong.code, 1, wrong.stdout + wrong.stderr);
  assert.match(wrong.stdout, new RegExp(`^ {2}FAIL .* ${id}$`, "m"));
  const right = await runLab([...args, "faults"]);
  assert.equal(right.code, 0, right.stdout + right.stderr);
});
