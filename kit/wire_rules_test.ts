import assert from "node:assert/strict";
import { bytes } from "../sys/structs.ts";
import { OP, type OpName, type Packet, TYPE } from "../wire/packet.ts";
import { WireRules } from "./wire_rules.ts";

const CID = 77;

/** A packet of the host's, with nothing wrong with it. */
function fromHost(op: OpName, fields: Partial<Packet> = {}): Packet {
  const data = fields.data ?? bytes(0);
  return {
    ...{ srcCid: 2n, dstCid: BigInt(CID), srcPort: 1, dstPort: 2, len: data.length, data },
    ...{ type: TYPE.stream, op: OP[op], flags: 0, bufAlloc: 100, fwdCnt: 0 },
    ...fields,
  };
}

/** A packet of the guest's, which gives so much room. */
function fromGuest(op: OpName, bufAlloc = 10, fwdCnt = 0, data = bytes(0)): Packet {
  return fromHost(op, { srcCid: BigInt(CID), dstCid: 2n, bufAlloc, fwdCnt, data });
}

/** Rules of a connection that was asked for with room for 10 bytes, and of which 5 bytes were sent. */
function connected(): WireRules {
  const rules = new WireRules(CID);
  rules.sent(fromGuest("REQUEST"));
  assert.deepEqual(rules.broken(fromHost("RESPONSE")), []);
  rules.sent(fromGuest("RW", 10, 0, bytes(5)));
  return rules;
}

Deno.test("packets that keep the rules break none", () => {
  const rules = connected();
  const packets = [
    fromHost("RW", { data: bytes(10) }),
    fromHost("CREDIT_UPDATE", { fwdCnt: 3 }),
    fromHost("RW", { type: TYPE.seqpacket, flags: 3, fwdCnt: 5 }),
    fromHost("SHUTDOWN", { flags: 3, fwdCnt: 5 }),
    fromHost("RST"),
  ];
  for (const packet of packets) assert.deepEqual(rules.broken(packet), []);
  assert.equal(rules.received, 10);
});

Deno.test("credit grows with what the guest tells, and never falls", () => {
  const rules = connected();
  assert.deepEqual(rules.broken(fromHost("RW", { data: bytes(10) })), []);
  rules.sent(fromGuest("CREDIT_UPDATE", 4, 10));
  assert.deepEqual(rules.broken(fromHost("RW", { data: bytes(4) })), []);
  const [why = ""] = rules.broken(fromHost("RW", { data: bytes(1) }));
  assert.match(why, /^it is byte 15, and credit was for 14: RW stream 2:1 > 77:2, 1 bytes/);
});

/** What is wrong, and how that reads. */
const WRONG: readonly (readonly [RegExp, Packet])[] = [
  [/its CIDs/, fromHost("RW", { srcCid: 3n })],
  [/its CIDs/, fromHost("RW", { dstCid: BigInt(CID) | 1n << 32n })],
  [/there is no such op/, { ...fromHost("RW"), op: 8 }],
  [/there is no such op/, { ...fromHost("RW"), op: 0 }],
  [/len is not/, fromHost("RW", { len: 1 })],
  [/only RW has data/, fromHost("CREDIT_UPDATE", { data: bytes(1) })],
  [/its flags/, fromHost("RW", { flags: 1 })],
  [/its flags/, fromHost("SHUTDOWN")],
  [/its flags/, fromHost("SHUTDOWN", { flags: 4 })],
  [/its flags/, fromHost("RW", { type: TYPE.seqpacket, flags: 2 })],
  [/fwd_cnt is more than the 5 bytes sent/, fromHost("CREDIT_UPDATE", { fwdCnt: 6 })],
  [/it is byte 11, and credit was for 10/, fromHost("RW", { data: bytes(11) })],
];

for (const [i, [why, packet]] of WRONG.entries()) {
  Deno.test(`rule ${i + 1}: ${why.source}`, () => {
    const wrong = connected().broken(packet);
    assert.equal(wrong.length, 1, wrong.join("\n"));
    assert.match(wrong[0] ?? "", why);
  });
}

Deno.test("fwd_cnt does not fall", () => {
  const rules = connected();
  assert.deepEqual(rules.broken(fromHost("CREDIT_UPDATE", { fwdCnt: 4 })), []);
  assert.match(rules.broken(fromHost("RW", { fwdCnt: 3 }))[0] ?? "", /^fwd_cnt was 4 before/);
});

Deno.test("nothing comes after RST, unless the guest begins anew", () => {
  const rules = connected();
  assert.deepEqual(rules.broken(fromHost("RST")), []);
  assert.match(rules.broken(fromHost("RW"))[0] ?? "", /^it comes after RST/);
  rules.sent(fromGuest("REQUEST"));
  assert.deepEqual(rules.broken(fromHost("RESPONSE")), []);
});

Deno.test("RST does not answer RST", () => {
  const rules = connected();
  rules.sent(fromGuest("RST"));
  assert.match(rules.broken(fromHost("RST"))[0] ?? "", /^RST answers RST/);
});
