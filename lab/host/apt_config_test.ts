import assert from "node:assert/strict";
import { sourceList } from "./apt_config.ts";

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
