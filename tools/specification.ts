/**
 * Writes the table of docs/specification.md: the sentences of the virtio specification, and the
 * cases that check them.
 *
 * @module
 */
import { select } from "../core/selector.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { GeneratedPart } from "./generated.ts";
import { type Row, SENTENCES } from "./specification/rows.ts";

const FILE = new URL("../docs/specification.md", import.meta.url);

/**
 * The cases of a row.
 *
 * @throws {Error} where a selector names none, and where there are neither cases nor a reason.
 */
function casesOf([section, bound, , what, cases, left]: Row): string[] {
  const selectors = cases.split(" ").filter((selector) => selector !== "");
  if (selectors.length === 0 && left === undefined) {
    throw new Error(`Cannot use "${section}, ${bound}: ${what}": it has no cases and says no why`);
  }
  for (const selector of selectors) select(CATALOGUE, [selector]);
  return selectors;
}

/** Cases of `wire/` that no sentence has. */
function unnamed(): string[] {
  const selectors = SENTENCES.flatMap(casesOf);
  const named = new Set(select(CATALOGUE, selectors).map(({ id }) => id));
  return CATALOGUE.map(({ id }) => id).filter((id) => id.startsWith("wire/") && !named.has(id));
}

function table(): string {
  const rows = SENTENCES.map((row) => {
    const [section, bound, force, what, , left = ""] = row;
    const cases = casesOf(row).map((selector) => `\`${selector}\``).join(", ");
    return [section, bound, force, what, cases, left];
  });
  const lines = [
    ["section", "whom", "", "what", "cases", "what is left out"],
    Array(6).fill("---"),
    ...rows,
  ].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
  const normative = SENTENCES.filter(([, , force]) => force !== "says");
  const checked = normative.filter((row) => casesOf(row).length > 0);
  const others = unnamed().map((id) => `\`${id}\``).join(", ");
  return `${checked.length} of ${normative.length} normative sentences have cases, and ` +
    `${
      SENTENCES.filter((row) => casesOf(row).length > 0).length
    } of ${SENTENCES.length} in all.\n\n` +
    `<!-- deno-fmt-ignore -->\n${lines}\n<!-- deno-fmt-ignore -->\n` +
    `Cases of \`wire/\` that no sentence of it demands: ${others}.\n\n`;
}

const PART = new GeneratedPart(FILE, "tools/specification.ts", table);

/** Whether docs/specification.md has the table of today. */
export function specificationIsFresh(): Promise<boolean> {
  return PART.isFresh();
}

if (import.meta.main) await PART.write();
