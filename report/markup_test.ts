import assert from "node:assert/strict";
import fc from "fast-check";
import { xmlTree } from "../tests/support/xml.ts";
import { escapeXml, markup } from "./markup.ts";

Deno.test("escapeXml() keeps a parser from seeing anything but text, and loses no text", () => {
  const any = fc.string({ unit: "binary" });
  fc.assert(fc.property(any, (text) => {
    const tree = xmlTree(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`);
    assert.equal(tree.attributes.b, tree.text);
    assert.deepEqual(tree.children, []);
  }));
  const kept = "a<b>&\"']]> ✓ 𝄞";
  assert.equal(xmlTree(`<a>${escapeXml(kept)}</a>`).text, kept);
  assert.equal(escapeXml("\u001b[2J\u0000\ud800\u202e\n."), "␛[2J␀\ufffd\ufffd .");
});

Deno.test("markup escapes values, but for markup, in lists as well", () => {
  const inner = ["<", ">"].map((text) => markup`<i>${text}</i>`);
  assert.equal(
    markup`<b c="${'"'}">${1}${inner}</b>`.text,
    '<b c="&quot;">1<i>&lt;</i><i>&gt;</i></b>',
  );
});
