/**
 * Writes the tables of docs/behaviours.md: what AF_VSOCK does beyond the kernel's own tests, and the
 * cases that check it. With `--check` it writes nothing and fails where they are stale.
 *
 * @module
 */
import { select } from "../core/selector.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { BEHAVIOURS, type Row } from "./behaviours/rows.ts";
import { toolCommand } from "./command.ts";
import { GeneratedPart } from "./generated.ts";

const FILE = new URL("../docs/behaviours.md", import.meta.url);

/** The tables: how the ids of each begin, and its heading. */
const TABLES: readonly (readonly [prefix: RegExp, heading: string])[] = [
  [/^A-/, "Behaviours"],
  [/^K-/, "Known deviations of Linux"],
  [/^R\d/, "From public reports"],
  [/^S\d/, "What reaches the rest of the kernel's code"],
];

/**
 * The cases that a row's selectors name.
 *
 * @throws {Error} where one names none, and where the row has neither cases nor a reason.
 */
function casesOf([id, , selectors, left]: Row): number {
  if (selectors === "" && left === undefined) {
    throw new Error(
      `Cannot use ${id} of tools/behaviours/rows.ts: it has no cases and says no why`,
    );
  }
  return selectors === "" ? 0 : select(CATALOGUE, selectors.split(" ")).length;
}

function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const [id, what, selectors, left = ""] = row;
    const names = selectors.split(" ").filter((selector) => selector !== "");
    return [id, what, names.map((name) => `\`${name}\``).join(", "), `${casesOf(row)}`, left];
  });
  const head = [["id", "what", "cases", "how many", "what is left out"], [
    ...["---", "---", "---", "--:", "---"],
  ]];
  return [...head, ...cells].map((line) => `| ${line.join(" | ")} |\n`).join("");
}

function tables(): string {
  const ids = new Set(BEHAVIOURS.map(([id]) => id));
  if (ids.size !== BEHAVIOURS.length) {
    throw new Error("Cannot use tools/behaviours/rows.ts: two ids");
  }
  const done = BEHAVIOURS.filter((row) => casesOf(row) > 0).length;
  const parts = TABLES.map(([prefix, heading]) => {
    const rows = BEHAVIOURS.filter(([id]) => prefix.test(id));
    return `## ${heading}\n\n<!-- deno-fmt-ignore -->\n${tableOf(rows)}\n`;
  });
  return `${done} of ${BEHAVIOURS.length} have cases.\n\n${parts.join("")}`;
}

const PART = new GeneratedPart(FILE, "tools/behaviours.ts", tables);

/** Whether docs/behaviours.md has the tables of today. */
export function behavioursAreFresh(): Promise<boolean> {
  return PART.isFresh();
}

if (import.meta.main) {
  const { check } = toolCommand("behaviours", "writes the tables of docs/behaviours.md")
    .option("--check", "write nothing, and fail where they are stale")
    .parse(Deno.args, { from: "user" }).opts();
  if (!check) {
    await PART.write();
  } else if (!(await behavioursAreFresh())) {
    const line = "docs/behaviours.md is stale: run 'deno run -A tools/behaviours.ts'\n";
    Deno.stderr.writeSync(new TextEncoder().encode(line));
    Deno.exit(1);
  }
}
