import assert from "node:assert/strict";
import { compareVersions } from "../../lab/host/deb_version.ts";
import { movedOn } from "./archive.ts";

Deno.test("movedOn() makes every version newer, and keeps what depends on what", () => {
  const list = `Package: a
Version: 1:10.0-1+b1
Depends: b (= 1:10.0-1+b1), c (>= 2), d (<< 3~), e (<= 4) | f
Provides: g (= 1)

Package: b
Version: 1:10.0-1
Filename: pool/b_10.0-1.deb
`;
  const moved = movedOn(list);
  const lines = moved.split("\n");
  assert.ok(lines.includes("Version: 1:10.0-1+b1+moved1"));
  assert.ok(
    lines.includes("Depends: b (= 1:10.0-1+b1+moved1), c (>= 2), d (<< 3~), e (<= 4+moved1) | f"),
  );
  assert.ok(lines.includes("Provides: g (= 1+moved1)"));
  assert.ok(lines.includes("Filename: pool/b_10.0-1.deb"));
  assert.ok(compareVersions("1:10.0-1+b1+moved1", "1:10.0-1+b1") > 0);
});
