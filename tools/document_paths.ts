/**
 * Checks that the files and folders that documents name or link to are there.
 *
 * @module
 */

/** Folders of the kernel's source that begin like one of the repository's. */
const KERNEL_FOLDERS = ["tools/testing/"];

/** Folders that are also a family of cases, so that what has no extension is the id of a case. */
const FAMILIES = ["wire"];

/** Documents in the root besides those in docs/. */
const ROOT_DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

/** A path that a document names. */
interface Named {
  readonly path: string;
  /** The line of the document, counted from 1. */
  readonly line: number;
}

/** What is missing of what documents name, and what is excused for nothing, as lines. */
export async function missingPaths(root: string): Promise<string[]> {
  const tops = new Set<string>();
  for await (const { name } of Deno.readDir(root)) tops.add(name);
  const idle = new Set(KERNEL_FOLDERS);
  const wrong: string[] = [];
  for (const document of [...ROOT_DOCUMENTS, ...await documentsIn(`${root}/docs`)]) {
    const text = await Deno.readTextFile(`${root}/${document}`);
    for (const { path, line } of [...namedPaths(text, tops), ...linkedPaths(text, document)]) {
      if (await Deno.stat(`${root}/${path}`).then(() => true, () => false)) continue;
      const excuse = KERNEL_FOLDERS.find((folder) => path.startsWith(folder));
      if (excuse === undefined) wrong.push(`${document}:${line}: there is no ${path}`);
      else idle.delete(excuse);
    }
  }
  return [
    ...wrong,
    ...[...idle].map((path) => `tools/document_paths.ts: no document names ${path}`),
  ];
}

async function documentsIn(folder: string): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  return names.filter((name) => name.endsWith(".md")).sort().map((name) => `docs/${name}`);
}

/** Paths in backticks: those below a folder of the root, and names of files such as `mod.ts`. */
function namedPaths(text: string, tops: ReadonlySet<string>): Named[] {
  return found(text, /`([^`\s]+)`/g).flatMap(({ path: code, line }) => {
    const path = code.replace(/:\d+$/, "").replace(/^\.\//, "");
    const [top = ""] = path.split("/");
    const isCase = FAMILIES.includes(top) && /\/[\w-]+$/.test(path);
    const isBelow = /^[\w.-]+(\/[\w.-]*)+$/.test(path) && tops.has(top) && !isCase;
    return isBelow || /^(cli|mod)\.ts$|^[A-Z]+\.md$/.test(path) ? [{ path, line }] : [];
  });
}

/** Targets of links within the repository, from its root. */
function linkedPaths(text: string, document: string): Named[] {
  return found(text, /\]\(([^)\s:]+)\)/g).flatMap(({ path: link, line }) => {
    const { pathname } = new URL(link, `file:///${document}`);
    return link.startsWith("#") ? [] : [{ path: pathname.slice(1), line }];
  });
}

function found(text: string, pattern: RegExp): Named[] {
  return text.split("\n").flatMap((line, i) =>
    [...line.matchAll(pattern)].map(([, path = ""]) => ({ path, line: i + 1 }))
  );
}
