/**
 * The token of the labs' agents. They can be reached through ports of 127.0.0.1, which every user
 * of this machine can connect to.
 *
 * @module
 */
import { newToken } from "../control/token.ts";
import { cacheFolder, cachePath, removeIfThere } from "./host/cache.ts";

/** The name of its file in a VM, in the tool's folder. */
export const TOKEN_FILE = "token";

/**
 * The token of all labs of a cache, made with the first one. It is part of the initramfs, so if
 * every lab had its own, no snapshot could be used again.
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
      // Unlike rename(2), link(2) does not replace a token that another lab has made in the
      // meantime.
      await Deno.link(making, path);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    } finally {
      await removeIfThere(making);
    }
  }
}
