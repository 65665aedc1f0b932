import assert from "node:assert/strict";
import { bytes } from "../sys/structs.ts";
import { OP, type OpName, type Packet } from "../wire/packet.ts";
import { Check } from "./check.ts";
import { WireLine } from "./wire_line.ts";

/** A connection whose host's packets are those of a list. */
class Scripted {
  readonly cid = 77;
  readonly check = new Check(50);
  readonly sent: Packet[] = [];
  readonly line = new WireLine(this, "stream", 5, 1234);
  readonly #packets: Packet[];
  settled = 0;

  constructor(packets: readonly (readonly [OpName, Partial<Packet>?])[] = []) {
    this.#packets = packets.map(([op, fields = {}]) => ({
      ...{ srcCid: 2n, dstCid: 77n, srcPort: 1234, dstPort: 5, len: fields.data?.length ?? 0 },
      ...{ type: 1, op: OP[op], flags: 0, bufAlloc: 9, fwdCnt: 0, data: bytes(0) },
      ...fields,
    }));
  }

  send(packet: Packet): void {
    this.sent.push(packet);
  }

  next(): Promise<Packet | undefined> {
    return Promise.resolve(this.#packets.shift());
  }

  forget(): void {}

  settle(): Promise<void> {
    this.settled++;
    this.line.waiting.push(...this.#packets.splice(0));
    return Promise.resolve();
  }
}

Deno.test("sends() fills in what is right for the connection", () => {
  const { line, sent } = new Scripted();
  line.sends("RW", { data: 3 });
  assert.deepEqual(sent, [{
    ...{ srcCid: 77n, dstCid: 2n, srcPort: 5, dstPort: 1234, len: 3, type: 1, op: 5, flags: 0 },
    ...{ bufAlloc: 262_144, fwdCnt: 0, data: bytes(3) },
  }]);
});

Deno.test("sends() takes any field and any op as they are given", () => {
  const { line, sent } = new Scripted();
  line.sends(77, { srcCid: 1n << 40n, type: 9, len: 4, data: 3, fwdCnt: 8, flags: 7 });
  const [packet] = sent;
  assert.equal(packet?.srcCid, 1n << 40n);
  assert.deepEqual([packet?.op, packet?.type, packet?.len, packet?.fwdCnt, packet?.flags], [
    ...[77, 9, 4, 8, 7],
  ]);
});

Deno.test("gets() passes over updates of credit, unless one is what is waited for", async () => {
  const end = new Scripted([["CREDIT_UPDATE"], ["RW"], ["CREDIT_UPDATE", { fwdCnt: 1 }]]);
  assert.equal((await end.line.gets("RW")).op, OP.RW);
  assert.equal((await end.line.gets("CREDIT_UPDATE", { fwdCnt: 1 })).fwdCnt, 1);
  assert.deepEqual(end.check.mismatches, []);
});

Deno.test("gets() ends the case where another packet comes, or none", async () => {
  const end = new Scripted([["RST"]]);
  await assert.rejects(end.line.gets("RESPONSE"), /expected RESPONSE, got RST stream 2:1234/);
  await assert.rejects(end.line.gets("RESPONSE"), /expected RESPONSE, and nothing came/);
  assert.equal(end.check.mismatches.length, 2);
});

Deno.test("gets() compares each field that is given, and flags in any case", async () => {
  const end = new Scripted([["RW", { flags: 1, bufAlloc: 8, data: bytes(2) }]]);
  await end.line.gets("RW", { bufAlloc: 9, fwdCnt: 0, data: Uint8Array.of(0, 1) });
  const said = end.check.mismatches.map((line) => line.slice(line.lastIndexOf(": ", 90) + 2));
  assert.equal(said.length, 3, said.join("\n"));
  assert.match(end.check.mismatches.join("\n"), /flags: expected 0, got 1/);
  assert.match(end.check.mismatches.join("\n"), /bufAlloc: expected 9, got 8/);
  assert.match(end.check.mismatches.join("\n"), /data: byte 1 is 0x00, expected 0x01/);
});

Deno.test("getsBytes() joins packets, and takes no byte too many", async () => {
  const end = new Scripted([["RW", { data: bytes(2) }], ["RW", { data: bytes(3) }]]);
  assert.equal((await end.line.getsBytes(5)).length, 5);
  const more = new Scripted([["RW", { data: bytes(6) }]]);
  await assert.rejects(more.line.getsBytes(5), /6 bytes came, not 5/);
});

Deno.test("getsNothing() waits until all is dealt with, and quotes what came", async () => {
  const end = new Scripted([["RST"], ["CREDIT_UPDATE"]]);
  await end.line.getsNothing(["CREDIT_UPDATE"]);
  assert.equal(end.settled, 1);
  assert.match(end.check.mismatches[0] ?? "", /expected nothing, got RST stream [^;]*$/);
  await end.line.getsNothing();
  assert.equal(end.check.mismatches.length, 1);
});

Deno.test("getsForwarded() asks until the number is right", async () => {
  const end = new Scripted([["CREDIT_UPDATE", { fwdCnt: 1 }], ["CREDIT_UPDATE", { fwdCnt: 3 }]]);
  await end.line.getsForwarded(3);
  assert.deepEqual(end.check.mismatches, []);
  assert.deepEqual(end.sent.map(({ op }) => op), [OP.CREDIT_REQUEST, OP.CREDIT_REQUEST]);
});
