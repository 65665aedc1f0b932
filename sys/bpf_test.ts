import assert from "node:assert/strict";
import { encode } from "./bpf.ts";

Deno.test("encode() writes instructions as struct bpf_insn has them", () => {
  const code = encode([[0x18, 0x12, 0, 7], [0xb7, 3, -1, -2]]);
  assert.equal(code.toHex(), "1812000007000000b703fffffeffffff");
});
