/**
 * Each function of the kernel that a case names is entered while it runs, counted in a loopback VM.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DEFAULT_KERNEL } from "../../lab/kernel/kernel.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { measure } from "../../tools/exercised/measure.ts";
import { complaintOf, exercisedText, rowsIn, withMeasured } from "../../tools/exercised/table.ts";
import { testProgress } from "./support.ts";

/** A case that connects nothing. */
const ASKS_A_DEVICE = "addressing/device/names-own-cid";

Deno.test("every case enters the functions of the kernel that it names, on loopback", async (t) => {
  // Families that docs/exercised.md does not have yet are tools/exercised/table_test.ts's to name.
  const counted = new Set(rowsIn(await exercisedText()).map(({ id }) => id));
  const cases = CATALOGUE.filter(({ id }) => counted.has(id));
  const options = { topology: "loopback", kernel: DEFAULT_KERNEL, cases } as const;
  const measured = await measure(options, testProgress());
  const [machine = assert.fail("there is no kernel")] = measured.machines;

  await t.step("what a case names is entered", () => {
    const rows = withMeasured([], measured)
      .filter(({ id, cells }) => counted.has(id) && cells.loopback !== "not run");
    assert.ok(rows.length > 100, `${rows.length} functions were counted`);
    assert.deepEqual(rows.flatMap((row) => complaintOf(row) ?? []), []);
  });

  await t.step("what a case does not enter is not counted for it", () => {
    assert.ok(machine.functions.has("vsock_connect"));
    const counts = machine.counts.get(ASKS_A_DEVICE) ?? assert.fail("it was not run");
    assert.ok(counts.vsock_dev_ioctl !== undefined);
    assert.equal(counts.vsock_connect, undefined);
  });

  await t.step("the lab's loopback has a second transport, so that these are no skips", () => {
    const ids = [
      "transport/change/release-of-unbound-socket",
      "transport/change/after-interrupted-connect",
      "addressing/connect/stream-from-other-cid",
      "addressing/listen/seqpacket-by-cid",
      "namespaces/cid/same-twice",
    ];
    for (const id of ids) assert.equal(measured.verdicts.get(id)?.[0]?.outcome, "pass", id);
  });
});
