import assert from "node:assert/strict";
import { connectedPair } from "../tests/support/unix_pair.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, MSG_DONTWAIT, PROT_READ, PROT_WRITE } from "./constants.ts";
import { Mapping, pageSize } from "./memory.ts";
import { callWide } from "./libc.ts";
import { bytes } from "./structs.ts";

const MAP_FIXED_NOREPLACE = 0x100000;
/** So large that other threads, which map at the upper end of a gap, leave its lower end free. */
const ROOMY = 256 * 1024 * 1024;

Deno.test("pageSize() is a power of two of at least 4096", () => {
  assert.ok(pageSize() >= 4096);
  assert.equal(pageSize() & (pageSize() - 1), 0);
});

Deno.test("Mapping is zeroed memory that can be written and read", () => {
  for (const populate of [false, true]) {
    using mapping = new Mapping(2 * pageSize(), { populate });
    const view = mapping.bytes();
    assert.equal(view.length, 2 * pageSize());
    assert.ok(view.every((byte) => byte === 0));
    view[pageSize()] = 7;
    assert.equal(mapping.bytes(pageSize(), 1)[0], 7);
  }
});

Deno.test("Mapping reports memory that there is not", () => {
  assert.throws(() => new Mapping(2 ** 62), { name: "SysError", code: "ENOMEM" });
});

Deno.test("Mapping.bytes() refuses what is unmapped, and nothing else", () => {
  const page = pageSize();
  const mapping = new Mapping(4 * page);
  mapping.punch(page, page);
  assert.equal(mapping.bytes(0, page).length, page);
  assert.equal(mapping.bytes(2 * page).length, 2 * page);
  for (const [offset, length] of [[0, page + 1], [page, page], [2 * page - 1, 2]] as const) {
    assert.throws(() => mapping.bytes(offset, length), RangeError);
  }
  mapping[Symbol.dispose]();
  assert.throws(() => mapping.bytes(0, 1), RangeError);
});

Deno.test("Mapping.punch() makes a hole that the kernel reads and writes as EFAULT", async () => {
  const page = pageSize();
  using pair = await connectedPair("seqpacket");
  using holed = new Mapping(page + ROOMY);
  holed.punch(page, ROOMY);
  const whole = { address: holed.address, length: page };
  const across = { address: holed.address, length: 2 * page };
  await assert.rejects(pair.client.send(across), { name: "SysError", code: "EFAULT" });
  assert.equal(await pair.client.send(bytes(2 * page).fill(1)), 2 * page);
  await assert.rejects(pair.server.recv(across), { name: "SysError", code: "EFAULT" });
  assert.equal(await pair.client.send(whole), page, "before the hole it is still memory");
});

Deno.test("Mapping keeps its holes, so that nobody maps anything into them", () => {
  const page = pageSize();
  using mapping = new Mapping(page + ROOMY);
  mapping.punch(page, ROOMY);
  const hole = mapping.address + BigInt(page);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  const EEXIST = 17n;
  assert.equal(callWide("mmap", hole, page, PROT_READ | PROT_WRITE, flags, -1, 0), -EEXIST);
});

Deno.test("Mapping is unmapped once it is disposed of", async () => {
  using pair = await connectedPair("stream");
  const mapping = new Mapping(ROOMY);
  const raw = { address: mapping.address, length: 1 };
  assert.equal(await pair.client.send(raw, MSG_DONTWAIT), raw.length);
  mapping[Symbol.dispose]();
  mapping[Symbol.dispose]();
  await assert.rejects(pair.client.send(raw, MSG_DONTWAIT), { code: "EFAULT" });
});
