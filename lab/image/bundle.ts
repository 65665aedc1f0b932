/**
 * Bundles the tool into one file, which runs in the VMs.
 *
 * @module
 */
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { cached, sha256Text } from "../host/cache.ts";
import { output } from "../host/command.ts";
import { LabError } from "../error.ts";
import { type Progress, waiting } from "../progress.ts";

/** Folders of the repository that are not part of the tool. */
const NO_SOURCES = ["tests", "tools", "docs", "fixtures", "dist", "node_modules"];

/**
 * The bundle's text: this very file if the tool runs from a bundle, otherwise made from its
 * sources.
 *
 * @param cases files with further cases to be included.
 */
export async function findBundle(
  progress: Progress,
  cases: readonly string[] = [],
): Promise<Uint8Array> {
  const self = new URL(import.meta.url);
  if (self.protocol !== "file:") {
    throw new LabError("The lab needs the tool's files on disk: clone the repository");
  }
  if (!self.pathname.endsWith("/lab/image/bundle.ts")) {
    if (cases.length === 0) return await Deno.readFile(self);
    throw new LabError("The lab needs the tool's sources for --cases: clone the repository");
  }
  const root = fileURLToPath(new URL("../..", self)).replace(/\/$/, "");
  if (cases.length > 0) {
    const make = () => bundleWithCases(root, cases, progress.stop);
    return await progress.phase("bundle", `bundling ${cases.join(", ")}`, make);
  }
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

/** Bundles a program into one file. */
export async function bundle(
  root: string,
  into: string,
  program = "cli.ts",
  signal?: AbortSignal,
): Promise<void> {
  await output(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--config",
    `${root}/deno.json`,
    "-o",
    into,
    resolve(root, program),
  ], {
    cwd: root,
    env: { DENO_NO_UPDATE_CHECK: "1" },
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The text of a bundle with the tool and further cases. */
export async function bundleWithCases(
  root: string,
  cases: readonly string[],
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ prefix: "vsock-bundle-" });
  try {
    const at = (path: string) => JSON.stringify(pathToFileURL(resolve(path)).href);
    await Deno.writeTextFile(
      `${folder}/main.ts`,
      [
        `import { addCases } from ${at(`${root}/suites/catalogue.ts`)};`,
        `import { main } from ${at(`${root}/cli.ts`)};`,
        ...cases.map((path, i) => `import { cases as cases${i} } from ${at(path)};`),
        ...cases.map((_, i) => `addCases(cases${i});`),
        "Deno.exit(await main(Deno.args));\n",
      ].join("\n"),
    );
    await bundle(root, `${folder}/bundle.js`, `${folder}/main.ts`, signal);
    return await Deno.readFile(`${folder}/bundle.js`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
