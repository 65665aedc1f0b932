import assert from "node:assert/strict";
import { POLLIN } from "./constants.ts";
import { EventFd } from "./eventfd.ts";

Deno.test("an eventfd counts, wakes, and is 0 again once it is read", async () => {
  using event = EventFd.open();
  assert.equal(await event.poll(POLLIN, 0), 0);
  assert.equal(event.drain(), 0);
  event.signal();
  event.signal();
  assert.equal(await event.poll(POLLIN, 0), POLLIN);
  assert.equal(event.drain(), 2);
  assert.equal(await event.poll(POLLIN, 0), 0);
});
