import assert from "node:assert/strict";
import { bytes } from "../sys/structs.ts";
import { OP, type OpName, type Packet } from "../wire/packet.ts";
import { Check } from "./check.ts";
import { WireExchange } from "./wire_exchange.ts";

const packet = (op: OpName, by: "guest" | "host", data = 0): Packet => ({
  ...(by === "guest"
    ? { srcCid: 77n, srcPort: 5000, dstCid: 2n, dstPort: 1234 }
    : { srcCid: 2n, srcPort: 1234, dstCid: 77n, dstPort: 5000 }),
  ...{ type: 1, op: OP[op], flags: 0, bufAlloc: 9, fwdCnt: 0, len: data, data: bytes(data) },
});

Deno.test("an exchange reads from top to bottom, with failed checks where they were made", () => {
  const check = new Check(50);
  const exchange = new WireExchange(check);
  exchange.note("guest", packet("REQUEST", "guest"));
  exchange.note("host", packet("RST", "host"));
  check.that(false, "expected RESPONSE, got RST");
  exchange.note("guest", packet("CREDIT_REQUEST", "guest"));
  check.that(true, "this holds");
  check.that(false, "nothing came");
  assert.deepEqual(exchange.lines, [
    "| guest ──REQUEST───────────▶ host stream 77:5000 > 2:1234, 0 bytes, flags 0, buf_alloc 9, fwd_cnt 0",
    "| guest ◀───────────────RST── host stream 2:1234 > 77:5000, 0 bytes, flags 0, buf_alloc 9, fwd_cnt 0",
    "| ✗ expected RESPONSE, got RST",
    "| guest ──CREDIT_REQUEST────▶ host stream 77:5000 > 2:1234, 0 bytes, flags 0, buf_alloc 9, fwd_cnt 0",
    "| ✗ nothing came",
  ]);
  assert.deepEqual(exchange.lines.length, 5, "asked again it says the same");
});

Deno.test("of a long exchange the end is shown, and how much is missing", () => {
  const exchange = new WireExchange(new Check(50));
  for (let i = 0; i < 100; i++) exchange.note("guest", packet("RW", "guest", i));
  const { lines } = exchange;
  assert.equal(lines.length, 25);
  assert.equal(lines[0], "| (76 earlier lines are not shown)");
  assert.match(lines.at(-1) ?? "", /^\| guest ──RW─+▶ host stream .*, 99 bytes,/);
});
