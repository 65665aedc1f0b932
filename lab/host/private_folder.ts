/**
 * Folders that only this user can write to, because programs in them are run, possibly as root.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { LabError } from "../error.ts";

/** Mode bits, see inode(7): write permission for the group and for others, and the sticky bit. */
const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;
const STICKY = 0o1000;
/** The number of symbolic links that the kernel follows in a path, see path_resolution(7). */
const MAX_LINKS = 40;

/** This process's user, and which other owners of folders it trusts. */
export interface Trust {
  readonly uid: number;
  /** Whether this user is the only member of a group. */
  readonly isOwnGroup: (gid: number) => boolean;
  /** Whether a uid is unmapped in this process's user namespace, as root's may be. */
  readonly isUnmapped: (uid: number) => boolean;
}

/** The parts of stat(2) that say who may change a file. */
export type Ownership = Pick<Deno.FileInfo, "uid" | "gid" | "mode" | "isSymlink">;

/**
 * Makes a folder and its missing parents, accessible only to this user.
 *
 * @throws {LabError} if other users could write to it; `Deno.errors` if it cannot be made.
 */
export async function privateFolder(path: string): Promise<void> {
  const whole = resolve(path);
  const trust = await ownTrust();
  if (trust === undefined) return await Deno.mkdir(whole, { recursive: true });
  await requirePrivate(whole, trust);
  await Deno.mkdir(whole, { recursive: true, mode: 0o700 });
  // In a folder like /tmp, another user may have made it in the meantime.
  await requirePrivate(whole, trust);
}

async function requirePrivate(path: string, trust: Trust): Promise<void> {
  for await (const [name, info, isLast] of partsOf(path)) {
    const objection = objectionTo(name, info, isLast, trust);
    if (objection !== undefined) throw new LabError(objection);
  }
}

/**
 * Why a component of a path (a folder or a symbolic link) keeps the path from being private, if so.
 *
 * @param isLast whether it is the last component. The others may have the sticky bit, like /tmp,
 * where anybody can make folders but nobody can rename those of others.
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
  // The permissions of a symbolic link have no meaning.
  if (isSymlink || mode === null) return undefined;
  const isShared = (mode & GROUP_WRITE) !== 0 && !(gid !== null && trust.isOwnGroup(gid));
  const isOpen = (mode & OTHER_WRITE) !== 0;
  if (!(isShared || isOpen) || (!isLast && (mode & STICKY) !== 0)) return undefined;
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  return `others may write to ${name} (mode ${octal}); check that everything in it is yours, ` +
    `then run "chmod go-w '${name}'"`;
}

/**
 * The existing components of a path, starting at the root, including symbolic links and the
 * components of their targets; and for each whether it is the last one.
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

/** The owners that this process trusts; undefined if files have no owners. */
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
 * Whether a group is a user private group: it has the user's name and no other members. With such
 * groups the usual umask lets the group write.
 *
 * @param passwd the text of /etc/passwd.
 * @param group the text of /etc/group.
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
