import assert from "node:assert/strict";
import { pictureIsFresh } from "../tools/multi_device_picture.ts";

Deno.test("docs/multi_device.svg is drawn from the run that is kept", async () => {
  assert.ok(await pictureIsFresh(), "run 'deno run -A tools/multi_device_picture.ts'");
});
