import assert from "node:assert/strict";
import { CATALOGUE } from "../suites/catalogue.ts";
import { foundBy } from "./case_facts.ts";

const TRUNC = "seqpacket/msg-trunc/returns-real-length";

Deno.test("foundBy() searches ids, titles, requirements and sources for text that is no selector", () => {
  const first = CATALOGUE.find(({ id }) => id === TRUNC) ?? assert.fail();
  for (const text of ["MSG_TRUNC", "msg_trunc", "trunc", first.requirement, first.title]) {
    assert.ok(foundBy(text, CATALOGUE).includes(TRUNC), text);
  }
  const [source] = first.refs.flatMap((ref) => ref.kind === "man" ? [ref.page] : []);
  assert.ok(source !== undefined && foundBy(source, [first]).includes(TRUNC));
  const found = foundBy("MSG_TRUNC", CATALOGUE);
  assert.ok(found.length < CATALOGUE.length && !found.includes("stream/close"));
  assert.deepEqual(foundBy("!MSG_TRUNC", CATALOGUE), found.map((id) => `!${id}`));
});

Deno.test("foundBy() leaves selectors, and what no case has", () => {
  for (const text of ["seqpacket", "seqpacket/**", "!stream/close", "no such text", "!", ""]) {
    assert.deepEqual(foundBy(text, CATALOGUE), [text]);
  }
});
