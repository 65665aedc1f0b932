import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type DefaultTreeAdapterMap, parse } from "parse5";
import type { Outcome } from "../../core/outcome.ts";
import { exampleNotStarted, exampleReport } from "../../tests/support/example_run.ts";
import { html } from "./page.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";
import type { RunReport } from "../model.ts";

type Element = DefaultTreeAdapterMap["element"];

/** The elements of a page, as a browser's parser sees them; it must find nothing to mend. */
function elementsOf(page: string): Element[] {
  const found: Element[] = [];
  const visit = (node: DefaultTreeAdapterMap["node"]): void => {
    if ("tagName" in node) found.push(node);
    if ("childNodes" in node) node.childNodes.forEach(visit);
  };
  visit(
    parse(page, { onParseError: ({ code, startLine }) => assert.fail(`${code}, ${startLine}`) }),
  );
  return found;
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((attribute) => attribute.name === name)?.value;
}

function textOf(node: DefaultTreeAdapterMap["node"]): string {
  if ("value" in node) return node.value;
  return "childNodes" in node ? node.childNodes.map(textOf).join("") : "";
}

const REPORTS: readonly RunReport[] = [
  exampleReport(),
  exampleReport(0),
  exampleReport(5, true),
  { ...exampleReport(), cases: [] },
  exampleNotStarted("the lab did not boot"),
];

Deno.test("html() writes every outcome", async (t) => {
  const page = html(exampleReport()).replace(STYLE, "").replace(SCRIPT, "");
  await t.assertSnapshot(page.replace(/(sha256-)[^']+/g, "$1"), {
    serializer: (text: string) => text,
  });
});

/** The example's cases that ended in one of these ways; nothing stopped the run. */
function only(...outcomes: readonly Outcome[]): RunReport {
  const cases = exampleReport().cases.filter(({ verdict }) =>
    verdict !== undefined && outcomes.includes(verdict.outcome)
  );
  return { ...exampleReport(), cases };
}

/** The page's headline, and what colours it. */
function headlineOf(report: RunReport): (string | undefined)[] {
  const head = elementsOf(html(report)).find(({ tagName }) => tagName === "h1");
  return head === undefined ? [] : [textOf(head), attribute(head, "class")];
}

Deno.test("html() calls only what passed a success", () => {
  const twice = { ...only("skip"), cases: [...only("skip").cases, ...only("skip").cases] };
  const skipped = { ...twice, cases: twice.cases.map((each, i) => ({ ...each, id: `${i}` })) };
  const all: readonly (readonly [RunReport, string, string])[] = [
    [skipped, "Nothing ran: all 2 were skipped", "neutral"],
    [only("skip"), "Nothing ran: it was skipped", "neutral"],
    [only(), "Nothing ran", "neutral"],
    [only("expected-fail", "skip"), "Nothing but 1 known failure", "neutral"],
    [only("pass", "expected-fail"), "Passed, but for 1 known failure", "good"],
    [only("pass", "skip"), "All that ran passed", "good"],
    [only("pass"), "All passed", "good"],
    [only("warn"), "Passed, 1 of 1 verdict with a warning", "good"],
    [only("pass", "retried"), "Passed, 1 of 4 verdicts run again", "good"],
    [only("warn", "retried"), "Passed, 1 of 2 verdicts with a warning, 1 run again", "good"],
    [exampleNotStarted("x"), "Did not start", "bad"],
    [only("skip", "broken"), "1 of 1 verdict broken", "unsure"],
    [only("skip", "pass", "fail"), "2 of 5 verdicts failed", "bad"],
    [only("pass", "fail"), "2 of 5 verdicts failed", "bad"],
  ];
  for (const [report, ...head] of all) assert.deepEqual(headlineOf(report), head);
});

Deno.test("html() writes pages in which parse5 finds nothing to mend", () => {
  for (const report of REPORTS) elementsOf(html(report));
});

Deno.test("html() needs nothing from elsewhere and lets only its own script and style act", () => {
  const page = html(exampleReport());
  const elements = elementsOf(page);
  for (const element of elements) {
    for (const { name, value } of element.attrs) {
      assert.doesNotMatch(name, /^(on|style$|src)/, `${element.tagName} ${name}`);
      if (name === "href") assert.match(value, /^(#|https:)/);
      // A link is followed when somebody wants that; nothing is fetched.
      if (value.startsWith("https:")) assert.equal(`${element.tagName} ${name}`, "a href");
    }
  }
  assert.doesNotMatch(page, /@import|url\(/);
  const policy =
    elements.map((element) => attribute(element, "content")).find((content) =>
      content?.startsWith("default-src")
    ) ?? "";
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[^ ]+'; script-src 'sha256-[^ ]+'$/);
  for (const tag of ["style", "script"]) {
    const [content, second] = elements.filter(({ tagName }) => tagName === tag).map(textOf);
    const hash = createHash("sha256").update(content ?? "").digest("base64");
    assert.ok(policy.includes(`${tag}-src 'sha256-${hash}'`), tag);
    assert.equal(second, undefined);
  }
});

Deno.test("html() makes no element out of what a report contains", () => {
  const nasty = `</script></title><img src=x onerror="alert(1)">'" & \u0000 <!-- ]]>`;
  const plain = "plain";
  const having = (text: string): RunReport => {
    const report = exampleReport(7, true);
    return {
      ...report,
      argv: [text],
      tool: text,
      stopped: { reason: text, during: 8 },
      commit: text,
      again: [text],
      lab: { kernel: text, vms: [{ name: text, qemu: text, command: [text], console: text }] },
      retries: [{ what: text, why: text }],
      ends: report.ends.map((end) => ({
        ...end,
        ...{ name: text, kernel: text, machine: text, uname: text, commandLine: text },
        ...{ config: { path: text, sha256: text }, faultsBefore: [[text, text]] },
      })),
      cases: report.cases.map((entry) => ({
        ...entry,
        title: text,
        requirement: text,
        upstream: text,
        ...(entry.verdict === undefined ? {} : { verdict: { ...entry.verdict, reasons: [text] } }),
      })),
    };
  };
  const tags = (text: string) => elementsOf(html(having(text))).map(({ tagName }) => tagName);
  assert.deepEqual(tags(nasty), tags(plain));
});

Deno.test("html() has a verdict in words for each case and direction, and headings for all", () => {
  const elements = elementsOf(html(exampleReport(10)));
  const words = elements.filter((element) => attribute(element, "class")?.startsWith("badge"));
  assert.deepEqual(words.map(textOf), [
    // By family; each case in both directions, where it is in both.
    ...["pass", "pass", "FAIL", "not run", "BRKN", "TIME", "xfail", "XPASS", "FAIL"],
    ...["not run", "skip", "warn"],
  ]);
  const heads = elements.filter(({ tagName }) => tagName === "th");
  assert.ok(heads.every((head) => attribute(head, "scope") !== undefined));
});

Deno.test("html() shows what neither side says beside what they do", () => {
  const known = exampleReport().cases.find(({ verdict }) => verdict?.outcome === "expected-fail");
  assert.ok(known?.verdict?.sides !== undefined);
  const { sides } = known.verdict;
  const verdict = {
    ...known.verdict,
    reasons: ["known: never mended", "client (host): no", "client (host): last step: x"],
    sides: { ...sides, client: { ...sides.client, reasons: ["no"] } },
  };
  const { retries: _, ...report } = exampleReport();
  const ends = report.ends.map(({ taint: _, faultsBefore: __, ...end }) => end);
  const page = html({ ...report, ends, cases: [{ ...known, refs: [], verdict }] });
  const listed = elementsOf(page).filter(({ tagName }) => tagName === "li").map(textOf);
  assert.deepEqual(listed, ["known: never mended", "no"]);
});

Deno.test("html() has for each verdict the command that brings it about again, and its button", () => {
  const elements = elementsOf(html(exampleReport()));
  const commands = elements.filter((element) => attribute(element, "class") === "again");
  assert.equal(commands.length, exampleReport().cases.length);
  assert.match(
    textOf(commands[0] ?? assert.fail()),
    /^vsock-conformance lab --kernel '.\/my kernel' --direction host-server --seed 42 \S+ Copy$/,
  );
  const buttons = elements.filter((element) => attribute(element, "class") === "copy");
  const labels = new Set(buttons.map((button) => attribute(button, "aria-label")));
  assert.equal(labels.size, commands.length);
  // They do nothing without the script, which shows them.
  for (const button of buttons) assert.equal(attribute(button, "hidden"), "");
  assert.match(SCRIPT, /all\("\.copy"\)/);
  const { again: _, ...without } = exampleReport();
  assert.ok(!elementsOf(html(without)).some((element) => attribute(element, "class") === "copy"));
});

Deno.test("html() names every control, and refers only to what is there, once", () => {
  for (const report of REPORTS) {
    const elements = elementsOf(html(report));
    const ids = elements.flatMap((element) => attribute(element, "id") ?? []);
    assert.equal(new Set(ids).size, ids.length);
    for (const element of elements) {
      for (const name of ["aria-controls", "aria-labelledby"]) {
        const to = attribute(element, name);
        assert.ok(to === undefined || ids.includes(to), `${name}=${to}`);
      }
      const target = attribute(element, "href");
      if (target?.startsWith("https:")) continue;
      assert.ok(target === undefined || ids.includes(target.slice(1)), `href=${target}`);
      if (element.tagName === "button") assert.notEqual(textOf(element).trim(), "");
    }
  }
});

Deno.test("html() uses no class without a style, but for those that the script looks for", () => {
  const classes = REPORTS.filter(({ cases }) => cases.length > 0).flatMap((report) =>
    elementsOf(html(report))
  ).flatMap((element) => attribute(element, "class")?.split(" ") ?? []);
  for (const name of new Set(classes)) {
    assert.ok(STYLE.includes(`.${name}`) || SCRIPT.includes(`.${name}`), name);
  }
});
