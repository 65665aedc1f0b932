import assert from "node:assert/strict";
import { keptSayings, runPictureIsFresh, sayings } from "../tools/run_picture.ts";
import { recordRun } from "../tools/run_recording.ts";

Deno.test("docs/run.svg is drawn from the recording that is kept", async () => {
  assert.ok(await runPictureIsFresh(), "run 'deno run -A tools/run_picture.ts'");
});

Deno.test("what is said in a run is what the recording says", async () => {
  const today = sayings(await recordRun());
  assert.deepEqual(today, await keptSayings(), "run 'deno run -A tools/run_picture.ts --record'");
});
