import assert from "node:assert/strict";
import fc from "fast-check";
import { bytes } from "../sys/structs.ts";
import { DeviceQueue } from "./device_queue.ts";
import { type Buffer, DriverQueue } from "./driver_queue.ts";
import { gather, GuestMemory, QueueError, scatter } from "./memory.ts";
import { DESC_INDIRECT, DESC_NEXT, DESC_SIZE, layoutAt } from "./split_queue.ts";

/** Where the guest's memory begins: not at 0, so that an address is no offset. */
const START = 0x1_0000_0000n;
const SIZE = 8;
const ROOM = 65536;

/** A queue from both sides, and memory behind it for buffers. */
function pair(indirect = false) {
  const memory = new GuestMemory([{ start: START, bytes: bytes(ROOM) }]);
  const layout = layoutAt(START, SIZE);
  const driver = new DriverQueue(memory, layout);
  const device = new DeviceQueue(memory, layout, { indirect });
  return { memory, layout, driver, device, buffersAt: (layout.end + 15n) & ~15n };
}

/** Buffers of these lengths, one behind the other. */
function buffersOf(lengths: readonly number[], at: bigint, writable: boolean): Buffer[] {
  return lengths.map((length) => {
    const buffer = { address: at, length, writable };
    at += BigInt(length);
    return buffer;
  });
}

const lengths = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: SIZE });

for (const indirect of [false, true]) {
  const how = indirect ? "an indirect table" : "a chain";
  Deno.test(`what a driver offers in ${how} of any layout, a device reads`, () => {
    fc.assert(fc.property(lengths, fc.nat(255), (lengths, seed) => {
      const { driver, device, buffersAt } = pair(indirect);
      const table = indirect ? buffersAt : undefined;
      const buffers = buffersOf(lengths, buffersAt + 256n, false);
      const data = gather(buffers.map((buffer) => driver.bytesOf(buffer)));
      data.forEach((_, i) => data[i] = seed + i);
      scatter(data, buffers.map((buffer) => driver.bytesOf(buffer)));
      const head = driver.offer(buffers, table);
      const chain = device.next();
      assert.deepEqual(chain && gather(chain.readable), data);
      assert.equal(chain?.head, head);
      assert.equal(device.next(), undefined);
      device.use(head, 0);
      assert.equal(driver.take()?.head, head);
      assert.equal(driver.free, SIZE);
    }));
  });

  Deno.test(`what a device writes into ${how} of any layout, the driver has`, () => {
    fc.assert(fc.property(lengths, lengths, (lengths, dataLengths) => {
      const { driver, device, buffersAt } = pair(indirect);
      const table = indirect ? buffersAt : undefined;
      const buffers = buffersOf(lengths, buffersAt + 256n, true);
      driver.offer(buffers, table);
      const data = bytes(dataLengths.reduce((sum, length) => sum + length));
      data.forEach((_, i) => data[i] = 7 * i);
      const chain = device.next();
      assert(chain);
      const written = scatter(data, chain.writable);
      device.use(chain.head, written);
      const used = driver.take();
      assert(used);
      const read = gather(used.buffers.map((buffer) => driver.bytesOf(buffer)), used.written);
      assert.deepEqual(read, data.subarray(0, written));
    }));
  });
}

/** What happens to a queue, in any order. */
const events = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant("offer" as const), length: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ what: fc.constant("next" as const) }),
    fc.record({ what: fc.constant("use" as const), which: fc.nat(SIZE) }),
    fc.record({ what: fc.constant("take" as const) }),
  ),
  { maxLength: 200 },
);

Deno.test("chains come once each, whichever order they are used in, as the rings go round", () => {
  fc.assert(fc.property(events, (events) => {
    const { driver, device, buffersAt } = pair();
    const offered: number[] = [];
    const taken: number[] = [];
    const used: number[] = [];
    for (const event of events) {
      if (event.what === "offer" && event.length <= driver.free) {
        offered.push(driver.offer(buffersOf(Array(event.length).fill(4), buffersAt, false)));
      } else if (event.what === "next") {
        const chain = device.next();
        assert.equal(chain?.head, offered.shift());
        if (chain) taken.push(chain.head);
      } else if (event.what === "use") {
        const [head] = taken.splice(event.which % Math.max(1, taken.length), 1);
        if (head === undefined) continue;
        device.use(head, 0);
        used.push(head);
      } else if (event.what === "take") assert.equal(driver.take()?.head, used.shift());
    }
  }));
});

Deno.test("indexes go round at 65536", () => {
  const { driver, device, buffersAt } = pair();
  for (let i = 0; i < 65536 + 10; i++) {
    const head = driver.offer(buffersOf([4], buffersAt, false));
    assert.equal(device.next()?.head, head);
    device.use(head, 0);
    assert.equal(driver.take()?.head, head);
  }
});

Deno.test("each side tells the other that it wants no notification", () => {
  const { driver, device } = pair();
  assert.deepEqual([driver.wantsKick, device.wantsCall], [true, true]);
  device.setQuiet(true);
  driver.setQuiet(true);
  assert.deepEqual([driver.wantsKick, device.wantsCall], [false, false]);
  device.setQuiet(false);
  driver.setQuiet(false);
  assert.deepEqual([driver.wantsKick, device.wantsCall], [true, true]);
});

/** Descriptors that no driver writes, each for what a device finds wrong with it. */
const HOSTILE = {
  "chain 0 does not end": { address: START, length: 1, flags: DESC_NEXT, next: 0 },
  "descriptor 8 of 8": { address: START, length: 1, flags: DESC_NEXT, next: 8 },
  "there is no memory of 4096 bytes": {
    ...{ address: START + BigInt(ROOM - 4095), length: 4096, flags: 0, next: 0 },
  },
  "there is no memory of 1 bytes at 0x0": { address: 0n, length: 1, flags: 0, next: 0 },
  "at 0xffffffffffffffff": { address: 0xffffffffffffffffn, length: 2, flags: 0, next: 0 },
  "an indirect table of 17 bytes": {
    ...{ address: START, length: 17, flags: DESC_INDIRECT, next: 0 },
  },
  "an indirect table within one": {
    ...{ address: START, length: DESC_SIZE, flags: DESC_INDIRECT, next: 0 },
  },
  "chain 0: a buffer to read lies behind one to write": {
    ...{ address: START, length: 1, flags: 2 | DESC_NEXT, next: 1 },
  },
};

for (const [why, descriptor] of Object.entries(HOSTILE)) {
  Deno.test(`a device finds: ${why}`, () => {
    const { driver, device } = pair(true);
    driver.writeDescriptor(1, { address: START, length: 1, flags: 0, next: 0 });
    driver.writeDescriptor(0, descriptor);
    driver.publish(0);
    assert.throws(() => device.next(), (error: Error) => {
      assert(error instanceof QueueError);
      assert.ok(error.message.includes(why), error.message);
      return true;
    });
  });
}

Deno.test("a device refuses an indirect table that was not negotiated", () => {
  const { driver, device, buffersAt } = pair(false);
  driver.offer(buffersOf([4], buffersAt + 256n, false), buffersAt);
  assert.throws(() => device.next(), /indirect was not negotiated/);
});

Deno.test("a device refuses more chains than the queue has descriptors", () => {
  const { driver, device } = pair();
  for (let i = 0; i <= SIZE; i++) driver.publish(0);
  assert.throws(() => device.next(), /9 chains are available in a queue of 8/);
});

Deno.test("a driver refuses a chain that it did not offer", () => {
  const { driver, device } = pair();
  device.use(3, 0);
  assert.throws(() => driver.take(), /chain 3 came back/);
});

Deno.test("any descriptors at all end in a chain or a QueueError", () => {
  const descriptor = fc.record({
    address: fc.oneof(
      fc.bigInt({ min: START, max: START + BigInt(ROOM) }),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    ),
    length: fc.oneof(fc.nat(64), fc.nat(0xffffffff)),
    flags: fc.nat(7),
    next: fc.nat(9),
  });
  const table = fc.array(descriptor, { minLength: SIZE, maxLength: SIZE });
  fc.assert(fc.property(table, fc.nat(9), fc.boolean(), (table, head, indirect) => {
    const { driver, device } = pair(indirect);
    table.forEach((descriptor, i) => driver.writeDescriptor(i, descriptor));
    driver.publish(head);
    try {
      assert.equal(device.next()?.head, head);
    } catch (error) {
      assert(error instanceof QueueError, String(error));
    }
  }));
});
