/**
 * Debian packages that are downloaded without being installed, also of other suites than this
 * machine's: with lists of our own in the cache, from the sites that this machine's apt uses.
 *
 * @module
 */
import { cacheFolder, sha256 } from "./cache.ts";
import { output } from "./command.ts";
import { LabError } from "./error.ts";

/** A package in one version. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Size of the download in bytes. */
  readonly size: number;
}

/** Releases in which kernels are looked for, besides this machine's own. */
const RELEASES = ["bookworm", "trixie"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Package lists of our own. */
export class Archive {
  readonly #options: readonly string[];

  private constructor(options: readonly string[]) {
    this.#options = options;
  }

  /**
   * Fetches the lists.
   *
   * @throws {LabError} where this machine has no apt, or apt knows no Debian site.
   */
  static async open(): Promise<Archive> {
    const folder = await cacheFolder("apt");
    for (const part of ["lists/partial", "archives/partial"]) await cacheFolder("apt", part);
    const sources = sourceList(await sites());
    await Deno.writeTextFile(`${folder}/sources.list`, sources);
    const options = [
      `Dir::State::Lists=${folder}/lists`,
      `Dir::Etc::SourceList=${folder}/sources.list`,
      "Dir::Etc::SourceParts=/dev/null",
      `Dir::Cache=${folder}`,
      "Acquire::Languages=none",
      "APT::Sandbox::User=",
    ].flatMap((option) => ["-o", option]);
    // A suite may be gone or new; what can be had is used, and what cannot is missed later.
    await output("apt-get", [...options, "-q", "update"]).catch((error) => {
      if (!(error instanceof LabError)) throw error;
    });
    return new Archive(options);
  }

  /**
   * Installs packages, from a release's backports where they are newer.
   *
   * @throws {LabError} where that fails; only root can.
   */
  async install(packages: readonly string[], release: string): Promise<void> {
    const args = ["-qy", "install", "--no-install-recommends", "-t", `${release}-backports`];
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await output("apt-get", [...this.#options, ...args, ...packages], { env });
  }

  /** The packages whose name matches, newest version first. */
  async find(pattern: RegExp): Promise<Package[]> {
    const names = (await output("apt-cache", [...this.#options, "pkgnames", "linux-"]))
      .split("\n").filter((name) => pattern.test(name));
    if (names.length === 0) return [];
    const shown = await output("apt-cache", [...this.#options, "show", ...names]);
    const packages = parseStanzas(shown).map((fields) => ({
      name: fields.get("Package") ?? "",
      version: fields.get("Version") ?? "",
      sha256: fields.get("SHA256") ?? "",
      size: Number(fields.get("Size") ?? 0),
    }));
    return packages.sort((a, b) => compareVersions(b.version, a.version));
  }

  /**
   * Downloads a package and unpacks it.
   *
   * @throws {LabError} where what arrived is not what the signed lists promise.
   */
  async unpack(item: Package, into: string): Promise<void> {
    const folder = await Deno.makeTempDir({ dir: await cacheFolder("apt"), prefix: "deb-" });
    try {
      const wanted = `${item.name}=${item.version}`;
      await output("apt-get", [...this.#options, "-q", "download", wanted], { cwd: folder });
      for await (const { name } of Deno.readDir(folder)) {
        const path = `${folder}/${name}`;
        if (item.sha256 === "" || await sha256(path) !== item.sha256) {
          throw new LabError(`The download of ${wanted} is damaged; try again`);
        }
        await output("dpkg-deb", ["-x", path, into]);
        return;
      }
      throw new LabError(`The download of ${wanted} brought nothing`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
}

/** The sites of this machine's sources: of Debian itself, and of its security updates. */
interface Sites {
  readonly main: string;
  readonly security: string | undefined;
  readonly releases: readonly string[];
}

async function sites(): Promise<Sites> {
  const format = "$(SITE) $(RELEASE)";
  const targets = await output("apt-get", ["indextargets", "--format", format]).catch((error) => {
    throw new LabError(
      `Kernels by name come from Debian packages, and this machine's apt cannot tell where from ` +
        `(${
          error instanceof Error ? error.message : error
        }); give --kernel <vmlinuz> --modules <dir>`,
    );
  });
  const found = parseTargets(targets);
  if (found === undefined) {
    throw new LabError(
      "Kernels by name come from Debian packages, and this machine's apt has no Debian sources; " +
        "give --kernel <vmlinuz> --modules <dir>",
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

/** The lists: every release, its backports and its security updates. */
export function sourceList({ main, security, releases }: Sites): string {
  const line = (site: string, suite: string) =>
    `deb [signed-by=${KEYRING}] ${site} ${suite} main\n`;
  return releases.map((release) =>
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
