import assert from "node:assert/strict";
import { allocatedAt, jiffiesNow, Kmemleak, leaksOf } from "./kernel_memory.ts";

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

Deno.test("allocatedAt() says when what leaked was allocated", () => {
  assert.deepEqual(leaksOf(LISTED).map(allocatedAt), [4294919822, 4294667296]);
  assert.equal(allocatedAt(["and 3 more leaks"]), undefined);
});

Deno.test("jiffiesNow() reads the kernel's clock, where there is one", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "cpu: 0\njiffies: 4294919822\n\ncpu: 1\njiffies: 4294919823\n");
    assert.equal(jiffiesNow(path), 4294919822);
    await Deno.writeTextFile(path, "cpu: 0\n");
    assert.equal(jiffiesNow(path), undefined);
  } finally {
    await Deno.remove(path);
  }
  assert.equal(jiffiesNow("/nonexistent"), undefined);
});

Deno.test("Kmemleak.find() gives no command, Kmemleak.begin() scans and forgets what it found", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/kmemleak`;
  try {
    assert.equal(Kmemleak.find(path), undefined);
    assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
    // Whoever reads it, too, is not waited for.
    using pipe = await Deno.open(path, { read: true, write: true });
    const written = async () => {
      const text = new Uint8Array(100);
      return new TextDecoder().decode(text.subarray(0, await pipe.read(text) ?? 0));
    };
    const kmemleak = Kmemleak.find(path);
    assert.equal(await written(), "?");
    kmemleak?.begin();
    assert.equal(await written(), "scan=offscanscanclear");
    kmemleak?.prepare();
    assert.equal(await written(), "scan");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
