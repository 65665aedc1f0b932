/**
 * A configuration of apt that keeps everything it writes in one folder of the cache.
 *
 * @module
 */
import { debianSites, NEWEST_RELEASE, type Sites } from "./apt_sites.ts";
import { cacheFolder } from "./cache.ts";
import { output } from "./command.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The suites whose package lists are fetched. */
export type Suites =
  /** The newest release known to the lab: it has the lab's tools and the newest kernels. */
  | "current"
  /** Every release known to the lab. */
  | "all";

/**
 * Writes an apt.conf(5) with which apt touches nothing outside a folder of the cache. From this
 * machine's configuration it takes over only how to reach a site (proxies, retries), and nothing
 * that runs a program: an update hook may remove files of the machine.
 *
 * @param debian dpkg's name of the architecture.
 * @returns the path of the file.
 */
export async function configureApt(debian: string, suites: Suites, name: string): Promise<string> {
  const folder = await cacheFolder("apt", name);
  for (const part of ["lists/partial", "archives/partial"]) await cacheFolder("apt", name, part);
  await writeIfNew(`${folder}/status`, "");
  await writeIfNew(`${folder}/sources.list`, sourceList(await debianSites(), suites));
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
    // An empty file: apt believes that nothing is installed. Its locks are beside it.
    "Dir::State::Status": `${folder}/status`,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} ${quoted(value)};`);
  const config = `${folder}/apt.conf`;
  await writeIfNew(config, [...own, ...lines, ""].join("\n"));
  return config;
}

/**
 * Writes a file atomically, unless it has that content already. Another process may have apt read
 * it at any time, and a half-written file would tell apt that there are no packages.
 */
async function writeIfNew(path: string, text: string): Promise<void> {
  if (await Deno.readTextFile(path).catch(() => undefined) === text) return;
  await Deno.writeTextFile(`${path}.new`, text);
  await Deno.rename(`${path}.new`, path);
}

/** A sources.list(5) with each release, its backports, and its security updates. */
export function sourceList({ main, security, releases }: Sites, suites: Suites): string {
  const line = (site: string, suite: string) =>
    `deb [signed-by=${KEYRING}] ${site} ${suite} main\n`;
  const wanted = suites === "all" ? releases : [NEWEST_RELEASE];
  return wanted.map((release) =>
    line(main, release) + line(main, `${release}-backports`) +
    (security === undefined ? "" : line(security, `${release}-security`))
  ).join("");
}
