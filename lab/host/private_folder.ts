/**
 * Folders that nobody but this user can put anything into: what lies there is run, also as root.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { LabError } from "../error.ts";

/** Permission bits of stat(2): write for a group, and for all; and what /tmp has besides. */
const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;
const STICKY = 0o1000;
/** As many symbolic links as the kernel follows in a path. */
const MAX_LINKS = 40;

/** Who this process is, and whom else it trusts with its folders. */
export interface Trust {
  readonly uid: number;
  /** Whether a group has no member but this user. */
  readonly isOwnGroup: (gid: number) => boolean;
  /** Whether a user has no number in this process's user namespace; root's folders may look so. */
  readonly isUnmapped: (uid: number) => boolean;
}

/** What stat(2) tells of a file, and who may change it. */
export type Ownership = Pick<Deno.FileInfo, "uid" | "gid" | "mode" | "isSymlink">;

/**
 * Makes a folder, and those above it that are missing, for this user alone.
 *
 * @throws {LabError} where somebody else could put something into it; `Deno.errors` where it cannot
 * be made.
 */
export async function privateFolder(path: string): Promise<void> {
  const whole = resolve(path);
  const trust = await ownTrust();
  if (trust === undefined) return await Deno.mkdir(whole, { recursive: true });
  await requirePrivate(whole, trust);
  await Deno.mkdir(whole, { recursive: true, mode: 0o700 });
  // Somebody else may have been faster, where all may make folders.
  await requirePrivate(whole, trust);
}

async function requirePrivate(path: string, trust: Trust): Promise<void> {
  for await (const [name, info, isLast] of partsOf(path)) {
    const objection = objectionTo(name, info, isLast, trust);
    if (objection !== undefined) throw new LabError(objection);
  }
}

/**
 * What speaks against a folder, or a symbolic link, on the way to one that is to be private.
 *
 * @param isLast whether it is that folder itself. Those above it may be like /tmp, where all may make
 * folders and nobody may move those of others.
 */
export function objectionTo(
  name: string,
  { uid, gid, mode, isSymlink }: Ownership,
  isLast: boolean,
  trust: Trust,
): string | undefined {
  if (uid !== trust.uid && uid !== 0 && !(uid !== null && trust.isUnmapped(uid))) {
    return `${name} belongs to the user ${uid}, whose programs would run as user ${trust.uid}`;
  }
  // A symbolic link has no permissions of its own.
  if (isSymlink || mode === null) return undefined;
  const isShared = (mode & GROUP_WRITE) !== 0 && !(gid !== null && trust.isOwnGroup(gid));
  const isOpen = (mode & OTHER_WRITE) !== 0;
  if (!(isShared || isOpen) || (!isLast && (mode & STICKY) !== 0)) return undefined;
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  return `others may write to ${name} (mode ${octal}); see that what is in it is yours, and run ` +
    `"chmod go-w '${name}'"`;
}

/**
 * What there is of a path, from the root on, with the symbolic links and where they lead; and
 * whether it is the folder that the path is of.
 */
async function* partsOf(path: string): AsyncGenerator<[string, Deno.FileInfo, boolean]> {
  let left = path.split("/").filter((part) => part !== "");
  let at = "/";
  let links = 0;
  yield [at, await Deno.lstat(at), left.length === 0];
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    if (part === "..") at = dirname(at);
    if (part === ".." || part === ".") continue;
    const next = `${at === "/" ? "" : at}/${part}`;
    const info = await Deno.lstat(next).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (info === undefined) return;
    yield [next, info, left.length === 0];
    if (!info.isSymlink) {
      at = next;
      continue;
    }
    if (++links > MAX_LINKS) throw new LabError(`${path} has too many symbolic links`);
    const target = await Deno.readLink(next);
    left = [...target.split("/").filter((each) => each !== ""), ...left];
    if (target.startsWith("/")) at = "/";
  }
}

/** Whom this process trusts; undefined where files have no owners. */
async function ownTrust(): Promise<Trust | undefined> {
  const uid = Deno.uid();
  if (uid === null) return undefined;
  const read = (path: string) => Deno.readTextFile(path).catch(() => "");
  const [passwd, group, map, overflow] = await Promise.all(
    ["/etc/passwd", "/etc/group", "/proc/self/uid_map", "/proc/sys/kernel/overflowuid"].map(read),
  );
  const isWhole = /^\s*0\s+0\s+4294967295\s*$/.test(map ?? "");
  return {
    uid,
    isOwnGroup: (gid) => isOwnGroup(gid, uid, passwd ?? "", group ?? ""),
    isUnmapped: (other) => map !== "" && !isWhole && other === Number(overflow),
  };
}

/**
 * Whether a group is a user's own: of the user's name, as distributions make one for each, and with
 * nobody else in it. With such groups the usual umask lets the group write.
 *
 * @param passwd what /etc/passwd says, {@linkcode group} what /etc/group does.
 */
export function isOwnGroup(gid: number, uid: number, passwd: string, group: string): boolean {
  const users = passwd.split("\n").map((line) => line.split(":"));
  const own = users.find((fields) => fields[2] === `${uid}`)?.[0];
  const groups = group.split("\n").map((line) => line.split(":")).filter((f) => f[2] === `${gid}`);
  const others = users.filter((fields) => fields[3] === `${gid}` && fields[2] !== `${uid}`);
  return own !== undefined && groups.length === 1 && groups[0]?.[0] === own &&
    others.length === 0 &&
    (groups[0]?.[3] ?? "").split(",").every((member) => member === "" || member === own);
}
