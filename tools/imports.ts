/**
 * Checks that imports point one way, see docs/architecture.md.
 *
 * @module
 */

/** What each folder may import from, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  sys: [],
  peer: ["core"],
  report: ["core"],
  suites: ["core", "peer", "sys"],
  perf: ["core", "report", "sys"],
  lab: ["core", "peer", "report"],
  cli: ["core", "lab", "peer", "perf", "report", "suites", "sys"],
};
/** Case files see the kit alone; the kit and what runs cases may see below it. */
const KIT = /^suites\/(kit\/|kit\.ts|[a-z_]+\.ts$)/;

/** An import that points the wrong way, as a line of text. */
export async function wrongImports(root: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    for await (const path of sourcesBelow(root, folder)) {
      const text = await Deno.readTextFile(`${root}/${path}`);
      for (const [, specifier = ""] of text.matchAll(/from\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)/g)) {
        const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
        const [into = ""] = target.split("/");
        const isCase = folder === "suites" && !KIT.test(path);
        const fits = isCase
          ? /^suites\/kit(\.ts|\/)/.test(target) || target.split("/")[1] === path.split("/")[1]
          : into === folder || allowed.includes(into);
        if (!fits) wrong.push(`${path} imports ${target}`);
      }
    }
  }
  return wrong;
}

async function* sourcesBelow(root: string, folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourcesBelow(root, path);
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) yield path;
  }
}
