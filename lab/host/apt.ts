// deno-lint-ignore-file length/file -- to be split when lab/'s folders have settled
/**
 * Debian packages that are downloaded without being installed, also of other suites than this
 * machine's: with lists of our own in the cache, from the sites that this machine's apt uses.
 *
 * @module
 */
import { aptTargets } from "./apt_sites.ts";
import { reasonOf } from "../../core/error.ts";
import { cacheFolder, removeIfThere, sha256, withLock } from "./cache.ts";
import { output } from "./command.ts";
import { LabError } from "../error.ts";
import type { Detail, Progress } from "../progress.ts";

/** A package in one version. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Size of the download in bytes. */
  readonly size: number;
}

/** Releases in which kernels are looked for, the newest last: that has the lab's tools, too. */
const RELEASES = ["bookworm", "trixie"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** This machine cannot fetch Debian packages at all. */
export class NoArchiveError extends LabError {}

/** Which suites package lists are fetched of. */
export type Suites =
  /** The newest release that the lab knows: its tools, and the newest kernels. */
  | "current"
  /** Every release that the lab knows. */
  | "all";

/** Package lists of our own, of one architecture. */
export class Archive {
  /** Those of this process: lists are fetched once. */
  static readonly #opened = new Map<string, Promise<Archive>>();
  readonly #config: string;
  /** What apt said where some lists could not be fetched. */
  readonly #trouble: string;
  readonly #progress: Progress;

  private constructor(config: string, trouble: string, progress: Progress) {
    this.#config = config;
    this.#trouble = trouble;
    this.#progress = progress;
  }

  /**
   * Fetches the lists.
   *
   * @param debian the architecture, as dpkg calls it.
   * @throws {LabError} where this machine has no apt, or apt knows no Debian site.
   */
  static async open(debian: string, suites: Suites, progress: Progress): Promise<Archive> {
    const name = `${debian}-${suites}`;
    const known = Archive.#opened.get(name);
    if (known !== undefined) return await known;
    const opened = Archive.#open(name, debian, suites, progress);
    Archive.#opened.set(name, opened);
    opened.catch(() => Archive.#opened.delete(name));
    return await opened;
  }

  static async #open(
    name: string,
    debian: string,
    suites: Suites,
    progress: Progress,
  ): Promise<Archive> {
    const wait = () => progress.log("waiting for another process that fetches package lists");
    return await withLock(`apt-${name}`, progress.stop, wait, async () => {
      const text = `fetching Debian's package lists (${debian})`;
      return await progress.phase("lists", text, async () => {
        const config = await configure(debian, suites, name);
        // A suite may be gone or new; what can be had is used, and what cannot is missed later.
        const { stop: signal } = progress;
        const trouble = await output("apt-get", ["-q", "update"], {
          env: { APT_CONFIG: config },
          signal,
        }).then(() => "", (error) => {
          if (!(error instanceof LabError)) throw error;
          return error.message;
        });
        return new Archive(config, trouble, progress);
      });
    });
  }

  /** Runs one of apt's programs on these lists. */
  async #apt(program: string, args: readonly string[], cwd?: string): Promise<string> {
    const env = { APT_CONFIG: this.#config };
    const signal = this.#progress.stop;
    return await output(program, args, cwd === undefined ? { env, signal } : { env, signal, cwd });
  }

  /** An error for what the archive lacks, with what apt said of lists that it could not fetch. */
  missing(what: string): LabError {
    return new LabError(
      this.#trouble === "" ? what : `${what}; not all package lists could be had: ${this.#trouble}`,
    );
  }

  /** The packages whose name matches, newest version first. */
  async find(pattern: RegExp, prefix = "linux-"): Promise<Package[]> {
    const names = (await this.#apt("apt-cache", ["pkgnames", prefix]))
      .split("\n").filter((name) => pattern.test(name));
    if (names.length === 0) return [];
    const shown = await this.#apt("apt-cache", ["show", ...names]);
    const packages = parseStanzas(shown).map((fields) => ({
      name: fields.get("Package") ?? "",
      version: fields.get("Version") ?? "",
      sha256: fields.get("SHA256") ?? "",
      size: Number(fields.get("Size") ?? 0),
    }));
    return packages.sort((a, b) => compareVersions(b.version, a.version));
  }

  /**
   * Downloads packages and unpacks them into one folder, and says how far that is.
   *
   * @throws {LabError} where what arrived is not what the signed lists promise.
   */
  async unpack(items: readonly Package[], into: string, detail: Detail): Promise<void> {
    await using folder = await downloads();
    const wanted = items.map(({ name, version }) => `${name}=${version}`);
    const total = items.reduce((sum, { size }) => sum + size, 0);
    const download = () => this.#apt("apt-get", ["-q", "download", ...wanted], folder.path);
    await watchingSize(folder.path, total, detail, download);
    const files = await debsIn(folder.path);
    if (files.length !== items.length) {
      throw new LabError(`The download of ${wanted.join(" ")} brought ${files.length} files`);
    }
    const sums = new Set(await Promise.all(files.map(sha256)));
    const damaged = items.find((item) => !sums.has(item.sha256));
    if (damaged !== undefined) {
      throw new LabError(`The download of ${damaged.name} is damaged; try again`);
    }
    await unpackAll(files, into, this.#progress.stop);
  }

  /**
   * Downloads packages with all that they depend on, as if nothing were installed on this machine,
   * and unpacks them into one folder.
   *
   * @returns the names of the packages' files, which have their versions.
   */
  async unpackWithDependencies(
    names: readonly string[],
    into: string,
    detail: Detail,
  ): Promise<string[]> {
    await using folder = await downloads();
    const install = ["-qq", "-y", "-o", `Dir::Cache::archives=${folder.path}`];
    // apt wants this folder to be there.
    await Deno.mkdir(`${folder.path}/partial`);
    const listed = await this.#apt("apt-get", [...install, "--print-uris", "install", ...names])
      .catch((error) => {
        throw error instanceof LabError ? this.missing(error.message) : error;
      });
    const total = [...listed.matchAll(/^'[^']*' \S+ (\d+) /gm)]
      .reduce((sum, [, size]) => sum + Number(size), 0);
    const download = () =>
      this.#apt("apt-get", [...install, "--download-only", "install", ...names]);
    await watchingSize(folder.path, total, detail, download);
    detail("unpacking");
    const files = await debsIn(folder.path);
    await unpackAll(files, into, this.#progress.stop);
    return files.map((path) => path.split("/").at(-1) ?? "");
  }
}

/** A folder for downloads that goes when they are unpacked. */
async function downloads() {
  const path = await Deno.makeTempDir({ dir: await cacheFolder("apt"), prefix: "deb-" });
  return { path, [Symbol.asyncDispose]: () => removeIfThere(path) };
}

async function debsIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".deb")) files.push(`${folder}/${name}`);
  }
  return files;
}

/** Unpacks packages, as many at once as there are processors. */
async function unpackAll(
  files: readonly string[],
  into: string,
  signal: AbortSignal,
): Promise<void> {
  await Deno.mkdir(into, { recursive: true });
  const left = [...files];
  const worker = async () => {
    for (let file = left.pop(); file !== undefined; file = left.pop()) {
      await output("dpkg-deb", ["-x", file, into], { signal });
    }
  };
  // Where one fails, the others are waited for all the same: each has a process.
  const ends = await Promise.allSettled(
    Array.from({ length: navigator.hardwareConcurrency }, worker),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** Says every now and then how much of a download has arrived in a folder. */
async function watchingSize(
  folder: string,
  total: number,
  detail: Detail,
  body: () => Promise<unknown>,
): Promise<void> {
  const megabytes = (bytes: number) => Math.ceil(bytes / 1024 / 1024);
  detail(`${megabytes(total)} MB`);
  const timer = setInterval(async () => {
    const size = await sizeOf(folder).catch(() => 0);
    detail(`${megabytes(size)} of ${megabytes(total)} MB`);
  }, 500);
  try {
    await body();
  } finally {
    clearInterval(timer);
  }
}

async function sizeOf(folder: string): Promise<number> {
  let sum = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    sum += isDirectory ? await sizeOf(path) : (await Deno.stat(path)).size;
  }
  return sum;
}

/**
 * Writes a configuration of apt's that touches nothing outside a folder of the cache. Of this
 * machine's own it keeps how to reach a site (proxies, retries), and nothing that runs a program:
 * hooks behind an update may remove files of the machine's.
 *
 * @returns the file.
 */
async function configure(debian: string, suites: Suites, name: string): Promise<string> {
  const folder = await cacheFolder("apt", name);
  for (const part of ["lists/partial", "archives/partial"]) await cacheFolder("apt", name, part);
  await writeIfNew(`${folder}/status`, "");
  await writeIfNew(`${folder}/sources.list`, sourceList(await sites(), suites));
  const own = (await output("apt-config", ["dump"])).split("\n")
    .filter((line) => /^Acquire::/.test(line));
  const quoted = (text: string) => `"${text.replaceAll('"', "%22")}"`;
  const settings: Readonly<Record<string, string>> = {
    "APT::Architecture": debian,
    "APT::Architectures": debian,
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Dir::Cache": folder,
    "Dir::Etc::Parts": "/dev/null",
    "Dir::Etc::Main": "/dev/null",
    "Dir::Etc::Preferences": "/dev/null",
    "Dir::Etc::PreferencesParts": "/dev/null",
    "Dir::Etc::SourceList": `${folder}/sources.list`,
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::Log": folder,
    "Dir::State": folder,
    "Dir::State::Lists": `${folder}/lists`,
    // Empty: to apt nothing is installed, and its locks lie beside it.
    "Dir::State::Status": `${folder}/status`,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} ${quoted(value)};`);
  const config = `${folder}/apt.conf`;
  await writeIfNew(config, [...own, ...lines, ""].join("\n"));
  return config;
}

/**
 * Writes a file, whole, where it is not there with that text. Another process, which does not fetch
 * lists any more, may have apt read it at any time: of an empty one it learns that there is nothing.
 */
async function writeIfNew(path: string, text: string): Promise<void> {
  if (await Deno.readTextFile(path).catch(() => undefined) === text) return;
  await Deno.writeTextFile(`${path}.new`, text);
  await Deno.rename(`${path}.new`, path);
}

/** The sites of this machine's sources: of Debian itself, and of its security updates. */
interface Sites {
  readonly main: string;
  readonly security: string | undefined;
  readonly releases: readonly string[];
}

async function sites(): Promise<Sites> {
  const without = `give --qemu <program> and --kernel <vmlinuz> --modules <folder>`;
  const targets = await aptTargets().catch((error) => {
    throw new NoArchiveError(
      `The lab's tools and kernels are Debian packages, and this machine has no apt to fetch them ` +
        `with (${reasonOf(error)}): use a machine with Debian, or ${without}`,
    );
  });
  const found = parseTargets(targets);
  if (found === undefined) {
    throw new NoArchiveError(
      "The lab's tools and kernels are Debian packages, and this machine's apt has no Debian " +
        `sources: add one, or ${without}`,
    );
  }
  return found;
}

/** Reads lines of a site and a release. */
export function parseTargets(text: string): Sites | undefined {
  const pairs = text.trim().split("\n").map((line) => line.split(" "))
    .filter((pair): pair is [string, string] => pair.length === 2);
  const known = (release: string) => /^[a-z]+$/.test(release);
  const security = pairs.find(([, release]) => /^[a-z]+-security$/.test(release));
  const base = security?.[1].replace(/-security$/, "");
  const main = pairs.find(([, release]) => release === base) ??
    pairs.find(([, release]) => RELEASES.includes(release));
  if (main === undefined || !known(main[1])) return undefined;
  const releases = [...new Set([main[1], ...RELEASES])];
  return { main: main[0], security: security?.[0], releases };
}

/** The lists: of each release, its backports and its security updates. */
export function sourceList({ main, security, releases }: Sites, suites: Suites): string {
  const line = (site: string, suite: string) =>
    `deb [signed-by=${KEYRING}] ${site} ${suite} main\n`;
  const wanted = suites === "all" ? releases : RELEASES.slice(-1);
  return wanted.map((release) =>
    line(main, release) + line(main, `${release}-backports`) +
    (security === undefined ? "" : line(security, `${release}-security`))
  ).join("");
}

function parseStanzas(text: string): Map<string, string>[] {
  return text.trim().split(/\n\n+/).map((stanza) =>
    new Map(
      stanza.split("\n").flatMap((line) => {
        const match = /^([A-Za-z0-9-]+): (.*)$/.exec(line);
        return match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const];
      }),
    )
  );
}

/**
 * Compares versions as dpkg does (deb-version(7)).
 *
 * @returns less than, equal to or more than 0.
 */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string): [number, string, string] => {
    const [, epoch = "0", rest = ""] = /^(?:(\d+):)?(.*)$/.exec(version) ?? [];
    const dash = rest.lastIndexOf("-");
    return dash < 0
      ? [Number(epoch), rest, ""]
      : [Number(epoch), rest.slice(0, dash), rest.slice(dash + 1)];
  };
  const [epochA, upstreamA, revisionA] = parts(a);
  const [epochB, upstreamB, revisionB] = parts(b);
  return epochA - epochB || comparePart(upstreamA, upstreamB) || comparePart(revisionA, revisionB);
}

function comparePart(a: string, b: string): number {
  const pieces = (text: string) => [...text.matchAll(/(\D*)(\d*)/g)];
  const left = pieces(a);
  const right = pieces(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [, textA = "", numberA = ""] = left[i] ?? [];
    const [, textB = "", numberB = ""] = right[i] ?? [];
    const order = compareText(textA, textB) || Number(numberA) - Number(numberB);
    if (order !== 0) return order;
  }
  return 0;
}

/** Letters before other characters, and `~` before the end. */
function compareText(a: string, b: string): number {
  const weight = (character: string | undefined) => {
    if (character === undefined) return 0;
    if (character === "~") return -1;
    const code = character.codePointAt(0) ?? 0;
    return /[A-Za-z]/.test(character) ? code : code + 256;
  };
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = weight(a[i]) - weight(b[i]);
    if (order !== 0) return order;
  }
  return 0;
}
