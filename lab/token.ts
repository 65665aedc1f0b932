/**
 * What the agents of the labs ask their controllers for. They listen behind ports of 127.0.0.1,
 * which every user of this machine can reach.
 *
 * @module
 */
import { newToken } from "../control/token.ts";
import { cacheFolder, cachePath, removeIfThere } from "./host/cache.ts";

/** The file that has it in a VM, in the tool's folder. */
export const TOKEN_FILE = "token";

/**
 * The token of all labs of a cache, made when the first one is. It is in what a VM unpacks when it
 * boots, so a new one for every lab would leave no snapshot of use.
 */
export async function labToken(): Promise<string> {
  const path = cachePath("agent-token");
  for (;;) {
    try {
      return (await Deno.readTextFile(path)).trim();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const making = `${await cacheFolder()}/making-token-${crypto.randomUUID()}`;
    try {
      await Deno.writeTextFile(making, `${newToken()}\n`, { mode: 0o600 });
      // Unlike a rename, this leaves the one that another lab may have made meanwhile.
      await Deno.link(making, path);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    } finally {
      await removeIfThere(making);
    }
  }
}
