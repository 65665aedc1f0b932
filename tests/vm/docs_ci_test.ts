/**
 * docs/ci/run.sh as CI calls it, with a VM.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseReport } from "../../report/schema.ts";
import { CiScript } from "../support/ci_script.ts";

Deno.test("docs/ci/run.sh boots a lab, and keeps the report of its run", async () => {
  await using script = await CiScript.make();
  const id = "stream/close/by-client-keeps-data";
  const { code, stdout, stderr } = await script.run(["--topology", "loopback", id]);
  assert.equal(code, 0, `${stdout}${stderr}`);
  const { topology, cases } = parseReport(await script.report("run.json"), "run.json");
  assert.equal(topology, "loopback");
  assert.deepEqual(cases.map(({ id, verdict }) => [id, verdict?.outcome]), [[id, "pass"]]);
});
