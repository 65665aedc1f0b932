import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";

const TOOLS = fileURLToPath(new URL("../tools/", import.meta.url));

/** Tools with arguments that they must refuse, before they do anything, and what they say. */
const REFUSED: readonly (readonly [tool: string, args: readonly string[], says: RegExp])[] = [
  ["deaths", ["x", "y"], /'x' is invalid for argument 'runs'\. Give a whole number from 1 to/],
  ["deaths", ["-1"], /'-1' is invalid for argument 'runs'/],
  ["deaths", ["1", "y"], /'y' is invalid for argument 'seed'/],
  ["deaths", ["1", "2", "3"], /too many arguments/],
  ["reliability", ["abc"], /'abc' is invalid for argument 'rounds'/],
  ["reliability", ["2", "--frobnicate"], /unknown option '--frobnicate'/],
  ["reliability", ["2", "no/such"], /Cannot select "no\/such"/],
  ["ffi_loops", ["many"], /'many' is invalid for argument 'rounds'/],
  ["ffi_loops", ["1", "-1"], /'-1' is invalid for argument 'processes'/],
  ["fresh", ["sid"], /'sid' is invalid for argument 'release'/],
  ["fresh", ["trixie", "somebody"], /'somebody' is invalid for argument 'who'/],
  ["porting", ["--chek"], /unknown option '--chek'/],
  ["behaviours", ["--chek"], /unknown option '--chek'/],
  ["exercised", ["--chek"], /unknown option '--chek'/],
  ["exercised", ["no/such"], /Cannot select "no\/such"/],
  ["exercised", ["--topology", "ring"], /'ring' is invalid.*Allowed choices are loopback/],
];

for (const [tool, args, says] of REFUSED) {
  Deno.test(`tools/${tool}.ts refuses ${args.join(" ")} with 2`, async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${TOOLS}${tool}.ts`, ...args],
    }).output();
    const text = new TextDecoder().decode(stderr);
    assert.match(text, says);
    assert.doesNotMatch(text, /\n\s+at /);
    assert.deepEqual([code, stdout.length], [2, 0]);
  });
}
