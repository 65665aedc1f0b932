import assert from "node:assert/strict";
import { compareVersions } from "./deb_version.ts";

Deno.test("compareVersions() orders as dpkg does", () => {
  // Each pair as `dpkg --compare-versions` answers for "lt".
  const ascending = [
    ["6.12.9-1", "6.12.117-1"],
    ["6.12.117-1~deb12u1", "6.12.117-1"],
    ["7.3.4-1~bpo13+1", "7.3.4-1"],
    ["1:7.2+dfsg-7", "1:10.0.2+ds-2"],
    ["9.0-1", "1:1.0-1"],
    ["6.1.192-2", "6.1.192-10"],
    ["1.0a-1", "1.0+b-1"],
  ] as const;
  for (const [less, more] of ascending) {
    assert.ok(compareVersions(less, more) < 0, `${less} < ${more}`);
    assert.ok(compareVersions(more, less) > 0, `${more} > ${less}`);
    assert.equal(compareVersions(less, less), 0);
  }
});
