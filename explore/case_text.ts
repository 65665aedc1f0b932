/**
 * A finding as a file of cases, for --cases: a case that fails as it did.
 *
 * @module
 */
import type { Reference } from "../core/case.ts";
import { RULES } from "../model/rules.ts";
import type { KeptFinding } from "./file.ts";
import { programText } from "./calls_text.ts";

/** What is claimed where no rule is known, or one that says MAY. */
const ANY_RULE = "each call MUST answer what a rule of docs/model.md allows";

/** The text of the file. */
export function caseText({ program, kernel, topology, seed, rules, strict }: KeptFinding): string {
  const [rule] = rules;
  const { text, refs } = rule === undefined ? { text: ANY_RULE, refs: [] } : RULES[rule];
  const requirement = /\b(MUST|SHOULD)\b/.test(text) ? text.replace(/\.$/, "") : ANY_RULE;
  const story = programText(program.calls).trimEnd().split("\n").map((line) => line.trimStart());
  const codes = refs.length === 0 ? ['man("vsock", 7, "DESCRIPTION")'] : refs.map(referenceCode);
  const names = [...new Set(codes.map((code) => code.slice(0, code.indexOf("("))))];
  const imported = ["type ConformanceCase", "defineCase", "isExplored", ...names, "playsStory"];
  return `/**
 * Found by explore with seed ${seed}, Linux ${kernel}, ${topology}. Run it with --cases.
 *
 * @module
 */
import { ${imported.sort(byName).join(", ")} } from "@vsock/conformance/kit";

const STORY = \`
${story.join("\n")}
\`;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "found/${rule ?? `model/seed-${seed}`}",
    title: "the calls that explore found with seed ${seed} answer what the model allows",
    requirement: ${JSON.stringify(requirement)},
    refs: [${codes.join(", ")}],
    does: {
      client: "makes the calls of STORY that are its machine's, and judges their answers",
      server: "makes the calls of STORY that are its machine's",
    },
    client: (context) => playsStory(context, STORY${strict ? ", { strict: true }" : ""}),
    server: isExplored,
  }),
];
`;
}

function byName(a: string, b: string): number {
  const name = (text: string) => text.replace("type ", "").toLowerCase();
  return name(a) < name(b) ? -1 : 1;
}

function referenceCode(reference: Reference): string {
  const quoted = (text: string) => JSON.stringify(text);
  switch (reference.kind) {
    case "man":
      return `man(${quoted(reference.page)}, ${reference.section}, ${quoted(reference.at)})`;
    case "spec":
      return `spec(${quoted(reference.section)})`;
    case "kernel":
      return `kernel(${quoted(reference.function)})`;
    case "firecracker":
      return `firecracker(${JSON.stringify(reference.section)})`;
    case "proposal":
      return `proposal(${quoted(reference.part)})`;
    case "upstream":
      return `upstream(${quoted(reference.name)})`;
  }
}
