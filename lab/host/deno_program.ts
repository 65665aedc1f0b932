/**
 * Deno for the VMs: this one, or the same version for another architecture from its npm package.
 *
 * @module
 */
import { type ArchTraits, ownArch } from "../arch.ts";
import { cached } from "./cache.ts";
import { output } from "./command.ts";
import { LabError } from "../error.ts";
import { type Progress, waiting } from "../progress.ts";

/** The path of a Deno for VMs of an architecture. */
export async function denoFor(arch: ArchTraits, progress: Progress): Promise<string> {
  if (arch === ownArch()) return Deno.execPath();
  const { deno } = Deno.version;
  const folder = await cached(
    ["deno", `${deno}-${arch.name}`],
    (making) =>
      progress.phase("deno", `fetching Deno ${deno} for ${arch.name}`, async () => {
        // Let Deno fetch it, through the registry and the proxies that the user has configured.
        const downloads = `${making}/downloads`;
        const wanted = `npm:${arch.denoPackage}@${deno}`;
        await output(Deno.execPath(), ["cache", "--no-config", "--no-lock", "--quiet", wanted], {
          cwd: making,
          env: { DENO_DIR: downloads, DENO_NO_UPDATE_CHECK: "1" },
          signal: progress.stop,
        });
        const program = await fileBelow(downloads, "deno");
        if (program === undefined) throw new LabError(`There is no program "deno" in ${wanted}`);
        await Deno.rename(program, `${making}/deno`);
        await Deno.chmod(`${making}/deno`, 0o755);
        await Deno.remove(downloads, { recursive: true });
      }),
    (damage) => progress.log(`${damage}; fetching it again`),
    waiting(progress),
  );
  return `${folder}/deno`;
}

async function fileBelow(folder: string, wanted: string): Promise<string | undefined> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isFile && name === wanted) return path;
    const below = isDirectory ? await fileBelow(path, wanted) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}
