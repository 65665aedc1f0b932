/**
 * Writes the table of docs/broken_peers.md: which wrongness each case was shown to notice.
 *
 * @module
 */
import { CATALOGUE } from "../suites/catalogue.ts";
import { lackingOnUnix, MUTATIONS, SHOWN_ELSEWHERE } from "../tests/mutations/table.ts";

const FILE = new URL("../docs/broken_peers.md", import.meta.url);
const BEGIN = "<!-- Written by tools/broken_peers.ts: begin -->";
const END = "<!-- Written by tools/broken_peers.ts: end -->";

/** One wrongness of a case. */
interface Shown {
  readonly id: string;
  readonly cells: readonly string[];
}

function shown(): Shown[] {
  const sockets = MUTATIONS.map(({ id, on, what, noticed, state, unseenWithDriver }) => {
    const driver = unseenWithDriver === undefined ? "" : " without a guest's driver";
    const where = lackingOnUnix(id) === undefined ? "AF_UNIX" : `AF_VSOCK${driver}`;
    return { id, cells: [on, what, noticed, state, where] };
  });
  const others = SHOWN_ELSEWHERE.map(({ id, on, what, noticed, file }) => {
    return { id, cells: [on, what, noticed, "fail", file] };
  });
  return [...sockets, ...others];
}

/** The table, as Markdown: every case of the catalogue, and all that it was shown to notice. */
export function brokenPeersTable(): string {
  const all = shown();
  const rows = [
    ["case", "broken", "what is wrong with it", "noticed by", "which ends as", "shown on"],
    ["---", "---", "---", "---", "---", "---"],
    ...CATALOGUE.flatMap(({ id }) => {
      const own = all.filter((each) => each.id === id);
      if (own.length === 0) return [[`\`${id}\``, "", "nothing was shown", "", "", ""]];
      return own.map(({ cells }) => [`\`${id}\``, ...cells]);
    }),
  ];
  return rows.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** The text of the file with the table of today in it. */
function withTable(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new Error(`Cannot find the place of the table in ${FILE.pathname}: ${BEGIN} ... ${END}`);
  }
  const table = `${BEGIN}\n\n<!-- deno-fmt-ignore -->\n${brokenPeersTable()}\n`;
  return text.slice(0, begin) + table + text.slice(end);
}

/** Whether docs/broken_peers.md has the table of today. */
export async function brokenPeersAreFresh(): Promise<boolean> {
  const text = await Deno.readTextFile(FILE);
  return text === withTable(text);
}

if (import.meta.main) await Deno.writeTextFile(FILE, withTable(await Deno.readTextFile(FILE)));
