/**
 * The tool itself as one file, which the VMs run.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { cached, sha256Text } from "../host/cache.ts";
import { output } from "../host/command.ts";
import { LabError } from "../error.ts";
import { type Progress, waiting } from "../progress.ts";

/** Folders of the repository that are no part of the tool. */
const NO_SOURCES = ["tests", "tools", "docs", "fixtures", "dist", "node_modules"];

/** The bundle's text: this file where the tool runs as a bundle, else made from its sources. */
export async function findBundle(progress: Progress): Promise<Uint8Array> {
  const self = new URL(import.meta.url);
  if (self.protocol !== "file:") {
    throw new LabError("The lab needs the tool's files on disk: clone the repository");
  }
  if (!self.pathname.endsWith("/lab/image/bundle.ts")) return await Deno.readFile(self);
  const root = fileURLToPath(new URL("../..", self)).replace(/\/$/, "");
  const key = (await sha256Text(await sourcesOf(root))).slice(0, 16);
  const folder = await cached(
    ["bundles", key],
    (making) =>
      progress.phase(
        "bundle",
        "bundling",
        () => bundle(root, `${making}/vsock-conformance.js`, "cli.ts", progress.stop),
      ),
    (what) => progress.log(`${what}; making it again`),
    waiting(progress),
  );
  return await Deno.readFile(`${folder}/vsock-conformance.js`);
}

/** Bundles a program of a folder, the tool if it is not named, into one file. */
export async function bundle(
  root: string,
  into: string,
  program = "cli.ts",
  signal?: AbortSignal,
): Promise<void> {
  await output(Deno.execPath(), ["bundle", "--quiet", "-o", into, `${root}/${program}`], {
    cwd: root,
    env: { DENO_NO_UPDATE_CHECK: "1" },
    ...(signal === undefined ? {} : { signal }),
  });
}

async function sourcesOf(root: string): Promise<string> {
  const texts: string[] = [`deno ${Deno.version.deno}`];
  const visit = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (name.startsWith(".") || folder === root && NO_SOURCES.includes(name)) continue;
      if (isDirectory) await visit(path);
      else if (/(?<!_test)\.ts$/.test(name)) {
        texts.push(`${path}\n${await Deno.readTextFile(path)}`);
      }
    }
  };
  for (const name of ["deno.json", "deno.lock"]) {
    texts.push(await Deno.readTextFile(`${root}/${name}`));
  }
  await visit(root);
  return texts.sort().join("\n");
}
