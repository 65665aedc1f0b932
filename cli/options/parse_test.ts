import assert from "node:assert/strict";
import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { Baseline } from "../../core/baseline.ts";
import { addressOption, cidOption, seedOption, vsockPortOption, wholeNumber } from "./parse.ts";
import { reportOption } from "./report.ts";

/** Nothing but digits, now and then, among any text. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.constantFrom("", " 1", "1e3", "0x10", "+1", "1.0", "٣", "NaN", "Infinity", "-0"),
);

/** What a parser gives, or that it refused as commander expects it. */
function parsed<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text);
  } catch (error) {
    assert.ok(error instanceof InvalidArgumentError, String(error));
    return undefined;
  }
}

Deno.test("numbers are taken in their range, written in digits, or refused", () => {
  const parsers = [
    [cidOption, 0xfffffffe],
    [vsockPortOption, 0xffffffef],
    [seedOption, 0xffffffff],
    [wholeNumber(0, 7), 7],
  ] as const;
  fc.assert(fc.property(text, fc.constantFrom(...parsers), (text, [parse, max]) => {
    const value = parsed(parse, text);
    const fits = /^[0-9]+$/.test(text) && BigInt(text) <= BigInt(max);
    assert.equal(value, fits ? Number(text) : undefined);
  }));
});

Deno.test("addresses and reports are taken, or refused as commander expects it", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const address = parsed(addressOption("127.0.0.1"), text);
    assert.ok(address === undefined || address.port >= 0 && address.port <= 65535);
    const target = parsed(reportOption, text);
    assert.ok(target === undefined || target.path !== "");
  }));
});

Deno.test("baselines are taken, or refused with the line's number", () => {
  const word = fc.constantFrom("a/b/c", "a/**", "x", "6.1", "<6", "loopback", "#", "# why", "\n");
  const line = fc.oneof(fc.string({ unit: "binary" }), fc.array(word).map((all) => all.join(" ")));
  fc.assert(fc.property(line, (text) => {
    try {
      Baseline.parse(text, "known", ["a/b/c"]);
    } catch (error) {
      assert.match(String(error), /^BaselineError: known:\d+: /);
    }
  }));
});
