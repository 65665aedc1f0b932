import assert from "node:assert/strict";
import {
  messageFlags,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  pollEvents,
  POLLHUP,
  POLLIN,
  POLLRDHUP,
} from "./constants.ts";

Deno.test("messageFlags() names every flag, and shows unknown bits as a number", () => {
  assert.equal(messageFlags(0), "0");
  assert.equal(
    messageFlags(MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT),
    "MSG_PEEK|MSG_TRUNC|MSG_DONTWAIT",
  );
  assert.equal(messageFlags(MSG_PEEK | 0x8000000), "MSG_PEEK|0x8000000");
});

Deno.test("pollEvents() names every event, and shows unknown bits as a number", () => {
  assert.equal(pollEvents(0), "0");
  assert.equal(pollEvents(POLLIN | POLLRDHUP | POLLHUP), "POLLIN|POLLHUP|POLLRDHUP");
  assert.equal(pollEvents(0x200), "0x200");
});
