import assert from "node:assert/strict";
import { CounterDecoder, encodeCounters, MAX_COUNTERS } from "./counters_wire.ts";
import { ProtocolError } from "./wire.ts";

const FILE = "net/vmw_vsock/af_vsock";

Deno.test("counters are read as they were sent, whatever their size", () => {
  for (const size of [0, 1, 65_536, 200_001]) {
    const data = Uint8Array.from({ length: size }, (_, i) => i * 7);
    const decoder = new CounterDecoder();
    for (const line of encodeCounters(FILE, data)) decoder.push(line);
    assert.deepEqual(decoder.files, new Map([[FILE, data]]));
  }
});

Deno.test("anything but the next piece of such a file is refused", () => {
  const [line = ""] = encodeCounters(FILE, new Uint8Array(9));
  const message = JSON.parse(line);
  const wrong = [
    "{}",
    JSON.stringify({ ...message, at: 1 }),
    JSON.stringify({ ...message, file: "../../etc/passwd" }),
    JSON.stringify({ ...message, file: "net/vmw_vsock/../x" }),
    JSON.stringify({ ...message, piece: "!" }),
    JSON.stringify({ ...message, piece: "A".repeat(200_000) }),
  ];
  for (const each of wrong) {
    assert.throws(() => new CounterDecoder().push(each), ProtocolError, each.slice(0, 80));
  }
});

Deno.test("more than all counters of AF_VSOCK is refused", () => {
  const decoder = new CounterDecoder();
  const lines = encodeCounters(FILE, new Uint8Array(MAX_COUNTERS + 1));
  assert.throws(() => lines.forEach((line) => decoder.push(line)), ProtocolError);
});
