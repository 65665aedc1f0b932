/**
 * This project's C programs, built from fixtures/perf, that `perf compare` measures.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { cached, sha256Text } from "../host/cache.ts";
import { compile } from "./kernel_tests.ts";
import { LabError } from "../error.ts";
import { type Progress, waiting } from "../progress.ts";
import type { ArchTraits } from "../arch.ts";
import { compilerFor } from "../host/compiler.ts";

const SOURCES = ["place.h", "pingpong.c", "stream.c"];

/**
 * The folder with the programs `pingpong` and `stream`, built if necessary.
 *
 * @throws {LabError} if the sources are missing.
 */
export async function perfPrograms(arch: ArchTraits, progress: Progress): Promise<string> {
  const sources = new URL("../../fixtures/perf/", import.meta.url);
  if (sources.protocol !== "file:") throw NO_SOURCES;
  const folder = fileURLToPath(sources);
  const texts = await Promise.all(
    SOURCES.map((name) =>
      Deno.readTextFile(`${folder}${name}`).catch(() => {
        throw NO_SOURCES;
      })
    ),
  );
  const key = (await sha256Text(JSON.stringify(texts))).slice(0, 16);
  return await cached(
    ["cperf", `${arch.name}-${key}`],
    async (making) => {
      const compiler = await compilerFor(arch, "programs", progress);
      await progress.phase("C programs", "building the C programs to compare with", async () => {
        for (const source of SOURCES.filter((name) => name.endsWith(".c"))) {
          const into = `${making}/${source.slice(0, -2)}`;
          await compile(compiler, ["-o", into, `${folder}${source}`], progress.stop);
        }
      });
    },
    (what) => progress.log(`${what}; building it again`),
    waiting(progress),
  );
}

const NO_SOURCES = new LabError(
  "The comparison needs the C programs in fixtures/perf: run it from a clone of the repository",
);
