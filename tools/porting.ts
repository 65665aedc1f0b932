/**
 * Writes the tables of docs/porting.md: what became of every case of the kernel's test programs.
 * With `--check` it writes nothing and fails where they are stale.
 *
 * @module
 */
import type { CaseInfo } from "../core/case.ts";
import { UPSTREAM_VERSIONS, upstreamList } from "../suites/upstream.ts";
import { type Program, PROGRAMS } from "../suites/upstream_programs.ts";
import { toolCommand } from "./command.ts";

const FILE = new URL("../docs/porting.md", import.meta.url);
const BEGIN = "<!-- Written by tools/porting.ts: begin -->";
const END = "<!-- Written by tools/porting.ts: end -->";

/** What became of a case. */
function fate(definition: CaseInfo | undefined): string {
  if (definition === undefined) return "left out: not ported yet";
  const reference = definition.refs.find(({ kind }) => kind === "upstream");
  const changed = reference?.kind === "upstream" ? reference.changed : undefined;
  return changed === undefined ? "ported" : `changed: ${changed}`;
}

/** Its position in an older list: in brackets where that list has another case of the name. */
function position(
  program: Program,
  version: typeof UPSTREAM_VERSIONS[number],
  name: string,
): string {
  const entry = upstreamList(program, version).find((candidate) => candidate.name === name);
  if (entry === undefined) return "";
  return entry.case === undefined ? `(${entry.position})` : `${entry.position}`;
}

/** The table of a program, as Markdown. */
function portingTable(program: Program): string {
  const rows = [
    [...UPSTREAM_VERSIONS, "upstream's name", "our case", "what became of it"],
    [...UPSTREAM_VERSIONS.map(() => "--:"), "---", "---", "---"],
    ...upstreamList(program).map(({ name, case: definition }) => [
      ...UPSTREAM_VERSIONS.map((version) => position(program, version, name)),
      name,
      definition === undefined ? "" : `\`${definition.id}\``,
      fate(definition),
    ]),
  ];
  return rows.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/**
 * The text of the file with the tables of today in it.
 *
 * @throws {Error} where the text has no place for them.
 */
export function withTable(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new Error(`Cannot find the place of the tables in ${FILE.pathname}: ${BEGIN} ... ${END}`);
  }
  const ignore = "<!-- deno-fmt-ignore -->";
  const tables = PROGRAMS.map((program) =>
    `### ${program}\n\n${ignore}\n${portingTable(program)}\n`
  );
  return `${text.slice(0, begin)}${BEGIN}\n\n${tables.join("")}${text.slice(end)}`;
}

/** Whether docs/porting.md has the tables of today. */
export async function portingIsFresh(): Promise<boolean> {
  const text = await Deno.readTextFile(FILE);
  return text === withTable(text);
}

if (import.meta.main) {
  const { check } = toolCommand("porting", "writes the tables of docs/porting.md")
    .option("--check", "write nothing, and fail where they are stale")
    .parse(Deno.args, { from: "user" }).opts();
  if (check) {
    if (!(await portingIsFresh())) {
      const line = "docs/porting.md is stale: run 'deno run -A tools/porting.ts'\n";
      Deno.stderr.writeSync(new TextEncoder().encode(line));
      Deno.exit(1);
    }
  } else {
    await Deno.writeTextFile(FILE, withTable(await Deno.readTextFile(FILE)));
  }
}
