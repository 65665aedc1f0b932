/**
 * Debian packages, downloaded and unpacked without being installed. They may come from another
 * release than this machine's: the package lists are kept in the cache, and are fetched from the
 * sites that this machine's apt uses.
 *
 * @module
 */
import { configureApt, type Suites } from "./apt_config.ts";
import { cacheFolder, removeIfThere, sha256, withLock } from "./cache.ts";
import { output } from "./command.ts";
import { compareVersions } from "./deb_version.ts";
import { LabError } from "../error.ts";
import type { Detail, Progress } from "../progress.ts";

/** One version of a package. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Size of the download in bytes. */
  readonly size: number;
}

/** The package lists of one architecture, kept in the cache. */
export class Archive {
  /** The archives opened by this process, so that lists are fetched only once. */
  static readonly #opened = new Map<string, Promise<Archive>>();
  readonly #config: string;
  /** apt's error message if some lists could not be fetched. */
  readonly #trouble: string;
  readonly #progress: Progress;

  private constructor(config: string, trouble: string, progress: Progress) {
    this.#config = config;
    this.#trouble = trouble;
    this.#progress = progress;
  }

  /**
   * Fetches the package lists.
   *
   * @param debian dpkg's name of the architecture.
   * @throws {LabError} if this machine has no apt, or apt has no Debian sources.
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
    const wait = () => progress.log("waiting for another process that is fetching package lists");
    return await withLock(`apt-${name}`, progress.stop, wait, async () => {
      const text = `fetching Debian's package lists (${debian})`;
      return await progress.phase("lists", text, async () => {
        const config = await configureApt(debian, suites, name);
        // A suite may be gone, or not exist yet: use the lists that arrive. Whoever needs a package
        // from a missing one gets an error that includes apt's message.
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

  /** Runs one of apt's programs with these lists. */
  async #apt(program: string, args: readonly string[], cwd?: string): Promise<string> {
    const env = { APT_CONFIG: this.#config };
    const signal = this.#progress.stop;
    return await output(program, args, cwd === undefined ? { env, signal } : { env, signal, cwd });
  }

  /** An error for a missing package, with apt's message if it could not fetch all lists. */
  missing(what: string): LabError {
    return new LabError(
      this.#trouble === ""
        ? what
        : `${what}; some package lists could not be fetched: ${this.#trouble}`,
    );
  }

  /** All packages whose names match, the newest version first. */
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
   * Downloads packages and unpacks them into one folder, reporting progress.
   *
   * @throws {LabError} if a file's checksum differs from the one in the signed lists.
   */
  async unpack(items: readonly Package[], into: string, detail: Detail): Promise<void> {
    await using folder = await downloads();
    const wanted = items.map(({ name, version }) => `${name}=${version}`);
    const total = items.reduce((sum, { size }) => sum + size, 0);
    const download = () => this.#apt("apt-get", ["-q", "download", ...wanted], folder.path);
    await watchingSize(folder.path, total, detail, download);
    const files = await debsIn(folder.path);
    if (files.length !== items.length) {
      throw new LabError(
        `Downloading ${wanted.join(" ")} produced ${files.length} files instead of ${items.length}`,
      );
    }
    const sums = new Set(await Promise.all(files.map(sha256)));
    const damaged = items.find((item) => !sums.has(item.sha256));
    if (damaged !== undefined) {
      throw new LabError(`The download of ${damaged.name} is corrupt; try again`);
    }
    await unpackAll(files, into, this.#progress.stop);
  }

  /**
   * Downloads packages with all their dependencies, as if nothing were installed on this machine,
   * and unpacks them into one folder.
   *
   * @returns the file names of the packages, which contain their versions.
   */
  async unpackWithDependencies(
    names: readonly string[],
    into: string,
    detail: Detail,
  ): Promise<string[]> {
    await using folder = await downloads();
    const install = ["-qq", "-y", "-o", `Dir::Cache::archives=${folder.path}`];
    // apt expects this folder to exist.
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

/** A folder for downloads, removed once they are unpacked. */
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

/** Unpacks packages, one at a time per processor. */
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
  // If one fails, still wait for the others: each is a process that writes into the folder.
  const ends = await Promise.allSettled(
    Array.from({ length: navigator.hardwareConcurrency }, worker),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** Reports regularly how much of a download has arrived in a folder. */
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
