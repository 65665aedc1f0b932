/**
 * What there is on a machine, and what a command changed there.
 *
 * @module
 */
import { sha256 } from "../../lab/host/manifest.ts";

/** A machine's files and packages, in words that are compared, by path or `package NAME`. */
export type Contents = ReadonlyMap<string, string>;

/** Where contents are read, too, and not only when they changed and how large they are. */
const READ = /^\/etc\//;

/**
 * Reads what there is below a folder.
 *
 * @param isFree whether something may come, change and go at a path, and below it.
 */
export async function contentsOf(
  root: string,
  isFree: (path: string) => boolean,
): Promise<Contents> {
  const contents = new Map<string, string>();
  const visit = async (folder: string): Promise<void> => {
    for await (const { name } of Deno.readDir(`${root}${folder}`)) {
      const path = `${folder}/${name}`;
      if (isFree(path)) continue;
      const info = await Deno.lstat(`${root}${path}`);
      contents.set(path, await wordsOn(`${root}${path}`, path, info));
      if (info.isDirectory) await visit(path);
    }
  };
  await visit("");
  const status = await Deno.readTextFile(`${root}/var/lib/dpkg/status`).catch(() => "");
  for (const [name, version] of packagesOf(status)) contents.set(`package ${name}`, version);
  return contents;
}

async function wordsOn(file: string, path: string, info: Deno.FileInfo): Promise<string> {
  const owner = `${info.uid}:${info.gid}, mode ${((info.mode ?? 0) & 0o7777).toString(8)}`;
  if (info.isSymlink) return `a link to ${await Deno.readLink(file)}`;
  // What comes into a folder and goes again changes its time.
  if (info.isDirectory) return `a folder of ${owner}`;
  if (!info.isFile) return `a device, socket or pipe of ${owner}`;
  const sum = READ.test(path) ? `, SHA-256 ${await sha256(file)}` : "";
  return `a file of ${owner}, ${info.size} bytes, changed ${info.mtime?.toISOString()}${sum}`;
}

/** Installed packages and their versions, as `dpkg -l` has them. */
export function packagesOf(status: string): [name: string, version: string][] {
  return status.split(/\n\n+/).flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1];
    const name = field("Package");
    if (name === undefined) return [];
    return [[`${name}:${field("Architecture")}`, `${field("Version")}, ${field("Status")}`]];
  });
}

/** What is new, gone, or other than before, a line each. */
export function differences(before: Contents, after: Contents): string[] {
  const all = [...new Set([...before.keys(), ...after.keys()])].sort();
  return all.flatMap((key) => {
    const [old, now] = [before.get(key), after.get(key)];
    if (old === now) return [];
    if (old === undefined) return [`+ ${key} (${now})`];
    return [now === undefined ? `- ${key} (${old})` : `~ ${key} (${old}; now ${now})`];
  });
}
