/**
 * Which commit of the tool runs, where it runs from a clone of its repository.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** How long git may take, in milliseconds. */
const GIT_TIME = 5000;

/**
 * The commit, with "-dirty" behind it where files differ from it; undefined where the tool is not in
 * a clone, or there is no git that says so.
 *
 * @param root the tool's folder.
 */
export async function toolCommit(
  root: URL = new URL("..", import.meta.url),
): Promise<string | undefined> {
  if (root.protocol !== "file:") return undefined;
  const folder = fileURLToPath(root).replace(/(?<=.)\/$/, "");
  // A tool that lies in somebody else's repository is no commit of that.
  if (await git(folder, "rev-parse", "--show-toplevel") !== folder) return undefined;
  return await git(folder, "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*");
}

async function git(folder: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", folder, ...args],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(GIT_TIME),
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
