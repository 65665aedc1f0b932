import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeKernel } from "./kernel_fields.ts";
import { decodeAnswer, encodeMessage } from "./wire.ts";

const KERNEL = {
  earlier: [["BUG: late", "Call Trace:"]],
  harm: { taint: 128, effects: ["tainted: D (the kernel has had an Oops)"], lasting: true },
  held: [{ what: "socket buffers", count: -26, slack: 0 }],
} as const;

Deno.test("a report carries what is known of its kernel", () => {
  const report = { state: "pass", reasons: [], step: "", milliseconds: 1, ...KERNEL } as const;
  const answer = { type: "done", run: 1, report } as const;
  assert.deepEqual(decodeAnswer(encodeMessage(answer)), answer);
});

Deno.test("decodeKernel() leaves out what is of another form", () => {
  assert.deepEqual(decodeKernel({}), {});
  assert.deepEqual(decodeKernel({ harm: { taint: -1, effects: [] }, held: "x" }), {});
  assert.deepEqual(decodeKernel({ harm: { taint: 0, effects: [1] }, held: [7, null, {}] }), {});
  const many = Array<unknown>(100).fill(KERNEL.held[0]);
  assert.equal(decodeKernel({ held: many }).held?.length, 40);
  const more = { ...KERNEL.harm, lasting: "yes", other: 1 };
  assert.deepEqual(decodeKernel({ harm: more }).harm, {
    taint: 128,
    effects: KERNEL.harm.effects,
  });
});

Deno.test("decodeKernel() takes anything", () => {
  const any = fc.record({ harm: fc.anything(), held: fc.anything() }, { requiredKeys: [] });
  fc.assert(fc.property(any, (value) => {
    for (const { count } of decodeKernel(value).held ?? []) assert.ok(Number.isSafeInteger(count));
  }));
});
