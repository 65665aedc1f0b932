/**
 * The commit of the tool, if it runs from a clone of its repository.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { RunFacts } from "../core/event.ts";
import { VERSION } from "../core/version.ts";

/** How long git may take, in milliseconds. */
const GIT_TIME = 5000;

/**
 * The commit, followed by "-dirty" if files differ from it; undefined if the tool is not in a clone
 * or there is no git.
 *
 * @param root the tool's folder.
 */
export async function toolCommit(
  root: URL | undefined = ownFolder(),
): Promise<string | undefined> {
  if (root?.protocol !== "file:") return undefined;
  const folder = fileURLToPath(root).replace(/(?<=.)\/$/, "");
  const [top, commit] = await Promise.all([
    git(folder, "rev-parse", "--show-toplevel"),
    git(folder, "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"),
  ]);
  // The tool may lie in a different repository, whose commit says nothing about it.
  return top === folder ? commit : undefined;
}

/** What reports say of the tool itself. */
export async function toolFacts(): Promise<Pick<RunFacts, "tool" | "commit">> {
  const commit = await toolCommit();
  return { tool: VERSION, ...(commit === undefined ? {} : { commit }) };
}

/**
 * The folder with the tool's sources; undefined for a bundle, which may lie beside other sources.
 */
function ownFolder(): URL | undefined {
  const self = new URL(import.meta.url);
  return self.pathname.endsWith("/cli/commit.ts") ? new URL("..", self) : undefined;
}

async function git(folder: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", folder, ...args],
      stdin: "null",
      stderr: "null",
      // It only reads, and must not block another git.
      env: { GIT_OPTIONAL_LOCKS: "0" },
      signal: AbortSignal.timeout(GIT_TIME),
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
