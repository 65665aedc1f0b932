import assert from "node:assert/strict";
import { parseTargets, targetsOf } from "./apt_sites.ts";

Deno.test("targetsOf() reads the sites of apt's sources, which parseTargets() takes", () => {
  const targets = targetsOf(
    "'http://a.example/debian/dists/bookworm/InRelease' a.example_debian_dists_bookworm_InRelease 0 \n" +
      "'https://b.example/x/dists/stable/InRelease' b.example_x_dists_stable_InRelease 0 \n" +
      "'http://a.example/security/dists/bookworm-security/InRelease' x 0 \n",
  );
  assert.equal(
    targets,
    "http://a.example/debian bookworm\nhttps://b.example/x stable\n" +
      "http://a.example/security bookworm-security\n",
  );
  const found = parseTargets(targets);
  assert.equal(found?.main, "http://a.example/debian");
  assert.equal(found?.security, "http://a.example/security");
  assert.equal(targetsOf("E: nothing\n"), "");
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
