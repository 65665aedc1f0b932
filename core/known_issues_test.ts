import assert from "node:assert/strict";
import type { Judged } from "./baseline.ts";
import { withKnownIssue } from "./known_issues.ts";
import type { Outcome, SideReport, Verdict } from "./outcome.ts";

const SIDE: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };

function verdict(outcome: Outcome, splats: SideReport["splats"] = []): Verdict {
  const sides = { client: SIDE, server: { ...SIDE, splats } };
  return { outcome, reasons: ["client: a claim"], milliseconds: 1, sides };
}

/** What is said of a verdict, and what its outcome is. */
function named(where: Partial<Judged>, of = verdict("fail")): [Outcome, string[]] {
  const at: Judged = {
    id: "messages/small/two-thousand-unread",
    direction: "guest-server",
    kernels: ["7.3.4+deb13-cloud-arm64", "7.3.4+deb13-cloud-arm64"],
    ...where,
  };
  const { outcome, reasons } = withKnownIssue(at, of);
  return [outcome, [...reasons]];
}

Deno.test("withKnownIssue() names what is known of a failure, which stays one", () => {
  const [outcome, [first, second]] = named({});
  assert.equal(outcome, "fail");
  assert.match(
    first ?? "",
    /^known: K-1: a connection .* \(Linux >=6\.12; see docs\/kernels\.md, and --baseline /,
  );
  assert.equal(second, "client: a claim");
  assert.match(
    named({ id: "errors/memory/stream-send" })[1][0] ?? "",
    /^known: K-7: .*all kernels/,
  );
  for (const outcome of ["warn", "timeout"] as const) {
    assert.equal(named({}, verdict(outcome))[1].length, 2);
  }
});

Deno.test("withKnownIssue() names nothing where the issue does not explain it", () => {
  const unnamed = (where: Partial<Judged>, of?: Verdict) =>
    assert.deepEqual(named(where, of)[1], ["client: a claim"]);
  unnamed({ kernels: ["6.1.0-56-cloud-amd64"] });
  unnamed({ id: "messages/small/others" });
  unnamed({ id: "connect/refused/stream-at-any-cid" });
  for (const outcome of ["pass", "skip", "broken", "expected-fail", "unexpected-pass"] as const) {
    unnamed({}, verdict(outcome));
  }
  unnamed({}, verdict("fail", [["BUG: KASAN"]]));
  const { sides: _, ...died } = verdict("fail");
  unnamed({}, died);
});
