import assert from "node:assert/strict";
import fc from "fast-check";
import { Socket } from "../sys/socket.ts";
import { bytes, unixStandIn } from "../sys/structs.ts";
import type { DeviceQueues } from "./device_queues.ts";
import { FEATURE } from "./features.ts";
import { encodePacket, OP, type Packet, TYPE } from "./packet.ts";
import { RawDevice } from "./raw_device.ts";
import { UserGuest, type UserGuestOptions } from "./user_guest.ts";
import { REQUEST, sendMessage, VhostUserError } from "./vhost_user.ts";

const CID = 77;
/** How long anything may take, in milliseconds. */
const PATIENCE = 20_000;

interface Wired {
  readonly guest: UserGuest;
  readonly device: DeviceQueues;
  readonly raw: RawDevice;
}

/** A raw guest and a raw device, connected by vhost-user within this process. */
async function wired(
  body: (wired: Wired) => Promise<void>,
  options: UserGuestOptions = {},
): Promise<void> {
  const [here, there] = Socket.pair(unixStandIn("vhost-user"), "stream");
  assert(here && there);
  using raw = new RawDevice(there, { cid: CID });
  const served = raw.serve();
  {
    using guest = await UserGuest.open(here, options);
    await body({ guest, raw, device: await raw.queues });
  }
  here[Symbol.dispose]();
  await served;
  there[Symbol.dispose]();
}

function packet(length: number, fields: Partial<Packet> = {}): Packet {
  const data = bytes(length).map((_, i) => i * 13 + (i >> 8));
  return {
    ...{ srcCid: BigInt(CID), dstCid: 2n, srcPort: 1, dstPort: 2, len: length, flags: 0 },
    ...{ type: TYPE.stream, op: OP.RW, bufAlloc: 3, fwdCnt: 4, data },
    ...fields,
  };
}

Deno.test("a device tells a guest its CID, and learns which features it took", async () => {
  await wired(({ guest, raw }) => {
    assert.equal(guest.cid, CID);
    assert.equal(raw.accepted & 0x3_1000_0002n, FEATURE.version1 | FEATURE.seqpacket);
    return Promise.resolve();
  });
});

Deno.test("packets go from the guest to the device and back, in any layout", async () => {
  const layouts = fc.record({
    length: fc.nat(3000),
    split: fc.array(fc.nat(600), { maxLength: 8 }),
    indirect: fc.boolean(),
  });
  const features = FEATURE.version1 | FEATURE.indirect;
  await wired(async ({ guest, device }) => {
    const each = fc.asyncProperty(layouts, async ({ length, split, indirect }) => {
      const out = packet(length);
      guest.queues.send(out, { split, indirect });
      assert.deepEqual(await device.receive(PATIENCE), out);
      const back = packet(length, { op: OP.RST, srcCid: 2n, dstCid: BigInt(CID) });
      await device.send(back, PATIENCE);
      assert.deepEqual(await guest.queues.receive(PATIENCE), back);
    });
    await fc.assert(each, { numRuns: 50 });
  }, { features });
});

Deno.test("each side is woken by the other", async () => {
  await wired(async ({ guest, device }) => {
    const received = device.receive(PATIENCE);
    guest.queues.send(packet(10));
    assert.equal((await received)?.data.length, 10);
    const answered = guest.queues.receive(PATIENCE);
    await device.send(packet(20), PATIENCE);
    assert.equal((await answered)?.data.length, 20);
    assert.equal(await guest.queues.receive(0), undefined);
    assert.equal(await device.receive(0), undefined);
  });
});

Deno.test("a device waits for buffers, and each packet takes one", async () => {
  await wired(async ({ guest, device }) => {
    guest.queues.setOffering(false);
    await device.send(packet(1), PATIENCE);
    await assert.rejects(device.send(packet(2), 10), /no buffer came within 10 ms/);
    const sent = device.send(packet(3), PATIENCE);
    guest.queues.offerBuffers(1);
    await sent;
    assert.equal((await guest.queues.receive(PATIENCE))?.data.length, 1);
    assert.equal((await guest.queues.receive(PATIENCE))?.data.length, 3);
  }, { receiveBuffers: 1 });
});

Deno.test("a thousand packets go through queues of eight", async () => {
  await wired(async ({ guest, device }) => {
    for (let i = 0; i < 1000; i++) {
      guest.queues.send(packet(i));
      assert.equal((await device.receive(PATIENCE))?.len, i);
    }
    assert.equal(guest.queues.used, 1000);
    assert.equal(guest.queues.room, 8);
  }, { size: 8 });
});

Deno.test("a packet that has no room in a buffer is refused", async () => {
  await wired(async ({ device }) => {
    await assert.rejects(device.send(packet(100), PATIENCE), /has room for 64 bytes of 144/);
  }, { receiveBuffer: 64 });
});

Deno.test("what is shorter than a header is no packet", async () => {
  await wired(async ({ guest, device }) => {
    guest.queues.sendBytes(encodePacket(packet(0)).slice(0, 43));
    await assert.rejects(device.receive(PATIENCE), RangeError);
  });
});

for (const [request, why] of [[99, /99 is unknown/], [REQUEST.SET_VRING_NUM, /queue 7/]] as const) {
  Deno.test(`a device refuses ${why.source}`, async () => {
    const [here, there] = Socket.pair(unixStandIn("vhost-user"), "stream");
    assert(here && there);
    using _ = here;
    using __ = there;
    using device = new RawDevice(there, { cid: CID });
    const payload = bytes(8);
    payload[0] = request === 99 ? 0 : 7;
    await sendMessage(here, { request, flags: 0, payload, fds: [] });
    await assert.rejects(device.serve(), (error: Error) => {
      assert(error instanceof VhostUserError);
      assert.match(error.message, why);
      return true;
    });
  });
}
