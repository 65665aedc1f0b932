import assert from "node:assert/strict";
import { leaksOf } from "./kernel_memory.ts";

const LISTED = `unreferenced object 0xff1100000c324640 (size 208):
  comm "tokio-runtime-w", pid 98, jiffies 4294919822
  hex dump (first 32 bytes):
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
    00 a0 7f 07 80 88 ff ff 00 00 00 00 00 00 00 00  ................
  backtrace (crc 1b6d20):
    __alloc_skb+0x102/0x5c0
    sock_omalloc+0xe6/0x1e0
unreferenced object 0xff110000122f5040 (size 704):
  comm "swapper", pid 0, jiffies 4294667296
  backtrace (crc 0):
`;

Deno.test("leaksOf() tells what leaked and whence, without its contents", () => {
  assert.deepEqual(leaksOf(LISTED), [
    [
      "unreferenced object 0xff1100000c324640 (size 208):",
      'comm "tokio-runtime-w", pid 98, jiffies 4294919822',
      "backtrace (crc 1b6d20):",
      "__alloc_skb+0x102/0x5c0",
      "sock_omalloc+0xe6/0x1e0",
    ],
    [
      "unreferenced object 0xff110000122f5040 (size 704):",
      'comm "swapper", pid 0, jiffies 4294667296',
      "backtrace (crc 0):",
    ],
  ]);
  assert.deepEqual(leaksOf(""), []);
});
