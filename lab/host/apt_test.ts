import assert from "node:assert/strict";
import { compareVersions, parseTargets, sourceList } from "./apt.ts";

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

Deno.test("parseTargets() finds Debian's own sites among others", () => {
  const text = [
    "https://vendor.invalid/apt nodistro",
    "http://one.invalid/debian bookworm",
    "http://one.invalid/debian bookworm-updates",
    "http://two.invalid/security bookworm-security",
  ].join("\n");
  assert.deepEqual(parseTargets(text), {
    main: "http://one.invalid/debian",
    security: "http://two.invalid/security",
    releases: ["bookworm", "trixie"],
  });
  assert.equal(parseTargets("https://vendor.invalid/apt nodistro\n"), undefined);
  assert.equal(parseTargets(""), undefined);
});

Deno.test("sourceList() asks every release for its backports and its security updates", () => {
  const sites = { main: "M", security: "S", releases: ["bookworm", "trixie"] };
  const list = sourceList(sites, "all");
  const suites = list.trim().split("\n").map((line) => line.split(" ").slice(2).join(" "));
  assert.deepEqual(suites, [
    "M bookworm main",
    "M bookworm-backports main",
    "S bookworm-security main",
    "M trixie main",
    "M trixie-backports main",
    "S trixie-security main",
  ]);
  assert.match(list, /^deb \[signed-by=\S+\] M bookworm main$/m);
  assert.doesNotMatch(sourceList(sites, "current"), /bookworm/);
});
