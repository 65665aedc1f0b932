/**
 * Finds kernels for the VMs: a distribution's by name, any other by path.
 *
 * @module
 */
import { Archive, type Package } from "../host/apt.ts";
import type { Arch, ArchTraits } from "../arch.ts";
import { cached } from "../host/cache.ts";
import { LabError, LabUsageError } from "../error.ts";
import { COVERAGE, findCoverageKernel } from "./coverage.ts";
import { findDebugKernel } from "./debug.ts";
import { indexModules, readModules } from "./modules.ts";
import { type Build, buildFor, isBuilt, keepBuilt, withFault } from "./built.ts";
import { requireFault } from "./faults.ts";
import { buildModules, buildPackages } from "./patched.ts";
import { vmTools } from "../host/vm_tools.ts";
import { type Progress, waiting } from "../progress.ts";
import { keepModules, keptKernel, type Kernel, MODULES } from "./kept.ts";
import { findOwn, type OwnKernel } from "./own.ts";
import { withoutDebug } from "./strip.ts";

/** The kernel that is used by default. */
export const DEFAULT_KERNEL = "debian:latest";

/** A kernel as chosen by the user. */
export interface KernelChoice {
  /**
   * `debian:<version>`, `debian:latest`, `debug`, `multi-device` or `faults` (each of these three
   * may be followed by `:<fault>`), `coverage`, `running`, or the path of a vmlinuz or of a kernel's tree.
   */
  readonly kernel: string;
  /** The folder that contains its modules, if it was given by path. */
  readonly modules?: string | undefined;
  /** Look for a newer version than the one in the cache. */
  readonly refresh?: boolean | undefined;
}

/** The names of Debian's kernels, and their versions. */
const DEBIAN = /^debian:(.*)$/;
const DEBIAN_VERSION = /^(latest|\d+\.\d+(\.\d+)?)$/;
const DEBUG = /^debug(?::(.+))?$/;

/**
 * Checks a kernel's name without fetching anything.
 *
 * @throws {LabUsageError} if the name is invalid, or the other options do not go with it.
 */
export async function requireChoice(choice: KernelChoice): Promise<void> {
  const { kernel } = choice;
  const debian = DEBIAN.exec(kernel)?.[1];
  const isDebug = DEBUG.test(kernel);
  const isArchived = debian !== undefined || isBuilt(choice);
  if (choice.refresh && !isArchived) {
    const builds = isDebug ? "debug" : kernel === COVERAGE ? COVERAGE : undefined;
    const how = builds === undefined
      ? "leave --refresh out"
      : `lab build-kernel ${builds} --refresh`;
    throw new LabUsageError(`The kernel "${kernel}" is not from an archive: ${how}`);
  }
  if (isOwn(choice)) return void await findOwn(choice);
  if (choice.modules !== undefined) {
    throw new LabUsageError(
      `The kernel "${kernel}" has its own modules: leave --modules out, or give the ` +
        "vmlinuz that these modules belong to",
    );
  }
  await requireFault(choice);
  if (debian === undefined || DEBIAN_VERSION.test(debian)) return;
  throw new LabUsageError(
    `Cannot use the kernel "${kernel}": write debian:latest or, for example, debian:6.12`,
  );
}

/** Whether a kernel is the user's own, and not one that has a name here. */
function isOwn({ kernel }: KernelChoice): boolean {
  const isNamed = DEBIAN.test(kernel) || DEBUG.test(kernel) || kernel === COVERAGE;
  return !isNamed && !isBuilt({ kernel });
}

/**
 * The kernel of the user's own that was chosen; undefined for one that has a name here.
 *
 * @throws {LabUsageError} where there is none, or it was not built.
 */
export async function ownKernel(choice: KernelChoice): Promise<OwnKernel | undefined> {
  return isOwn(choice) ? await findOwn(choice) : undefined;
}

/**
 * Finds a kernel, and fetches it if necessary.
 *
 * @param ownQemu see vmTools().
 * @throws {LabError} if it does not exist, or cannot be fetched.
 */
export async function findKernel(
  choice: KernelChoice,
  arch: ArchTraits,
  progress: Progress,
  ownQemu = false,
): Promise<Kernel> {
  await requireChoice(choice);
  const debug = DEBUG.exec(choice.kernel);
  if (debug !== null) return await findDebugKernel(debug[1], arch);
  if (choice.kernel === COVERAGE) return await findCoverageKernel(arch);
  const { xz } = await vmTools(arch, ownQemu, progress);
  const fetching = { choice, arch, xz, progress };
  if (isBuilt(choice)) return await builtKernel(fetching);
  const debian = DEBIAN.exec(choice.kernel)?.[1];
  if (debian === undefined) return await readOwn(fetching);
  return await fetchedKernel(fetching, `debian-${debian}`, debian);
}

/** Everything needed to fetch a kernel. */
interface Fetching {
  readonly choice: KernelChoice;
  readonly arch: ArchTraits;
  /** The path of xz(1). */
  readonly xz: string;
  readonly progress: Progress;
}

/** A kernel from the archive, cached unless a refresh was asked for. */
async function fetchedKernel(
  fetching: Fetching,
  name: string,
  version: string,
  build?: Build,
): Promise<Kernel> {
  const { choice: { kernel, refresh }, arch, progress } = fetching;
  const parts = ["kernels", `${name}-${arch.name}`];
  const folder = await cached(
    parts,
    (making) => fetchDebian(version, making, fetching, build),
    (what) => progress.log(`${what}; making it again`),
    { refresh, ...waiting(progress) },
  );
  return await keptKernel(kernel, folder);
}

/** The kernel version to which the patches apply. */
const PATCHED_VERSION = "6.12";

/** A distribution's kernel whose AF_VSOCK modules are built from its source. */
async function builtKernel(fetching: Fetching): Promise<Kernel> {
  const { kernel } = fetching.choice;
  const build = await buildFor(kernel);
  return withFault(kernel, await fetchedKernel(fetching, build.name, PATCHED_VERSION, build));
}

async function readOwn({ choice, xz }: Fetching): Promise<Kernel> {
  const own = await findOwn(choice);
  const modules = await readModules(await own.modules(), MODULES, { xz });
  const stripped = modules.map((module) => ({ ...module, data: withoutDebug(module.data) }));
  return { name: choice.kernel, vmlinuz: own.image, modules: stripped };
}

/** @param build how to build AF_VSOCK from the source of the same kernel, if at all. */
async function fetchDebian(
  version: string,
  making: string,
  { arch, xz, progress }: Fetching,
  build?: Build,
): Promise<void> {
  const [archive, packages] = await kernelPackages(arch, version, progress);
  const image = packages[0];
  const headers = build === undefined || image === undefined
    ? undefined
    : await buildPackages(archive, image, arch, progress);
  const text = `downloading ${image?.name} ${image?.version}`;
  const unpacked = `${making}/unpacked`;
  await Deno.mkdir(unpacked);
  await progress.phase("kernel", text, async (detail) => {
    await archive.unpack([...packages, ...headers?.target ?? []], unpacked, detail);
    if (headers !== undefined) {
      await headers.native.archive.unpack(headers.native.items, unpacked, detail);
    }
    detail("unpacking");
    await Deno.rename(await findVmlinuz(unpacked), `${making}/vmlinuz`);
    await keepModules(unpacked, making, xz);
  });
  if (build !== undefined) {
    await progress.phase("modules", `building AF_VSOCK ${build.what}`, async () => {
      const built = await indexModules(
        await buildModules(unpacked, build.change, arch, progress),
      );
      await keepBuilt(built, making, build.for);
    });
  }
  await Deno.remove(unpacked, { recursive: true });
}

/**
 * The packages of the newest kernel of a version: either one with everything (`linux-image-...`),
 * or two (`linux-binary-...` and `linux-modules-...`). The cloud flavor is small and has all we
 * need.
 *
 * @returns the packages, and the archive that has them.
 */
async function kernelPackages(
  { debian }: ArchTraits,
  version: string,
  progress: Progress,
  flavour: Flavour = "cloud",
): Promise<readonly [Archive, Package[]]> {
  const known = new Set<string>();
  for (const suites of ["current", "all"] as const) {
    const archive = await Archive.open(debian, suites, progress);
    const named = new RegExp(`^linux-(image|binary|modules)-\\d\\S*-${debian}(-unsigned)?$`);
    const found = (await archive.find(named))
      .filter(({ name }) => flavourOf(name) === flavour);
    const kernels = found.filter(({ name }) => !name.startsWith("linux-modules-"));
    const wanted = kernels.filter((item) =>
      version === "latest" || versionOf(item) === version || releaseOf(item) === version
    );
    // If a kernel is split into two packages, linux-image only depends on them.
    const newest = wanted.find(({ name, version }) =>
      name.startsWith("linux-binary-") && version === wanted[0]?.version
    ) ?? wanted[0];
    if (newest !== undefined) {
      return [archive, withModules(newest, found, archive)];
    }
    kernels.map(versionOf).forEach((each) =>
      known.add(each)
    );
    if (suites === "all") {
      const has = known.size === 0 ? "none" : [...known].join(", ");
      throw archive.missing(`Debian's archive has no kernel ${version}; it has: ${has}`);
    }
  }
  throw new LabError("unreachable");
}

/** Debian's flavors of a kernel: with all drivers, or only those for VMs. */
export type Flavour = "normal" | "cloud";

function flavourOf(name: string): Flavour | undefined {
  const special = /-(cloud|rt|16k)-/.exec(name)?.[1];
  return special === undefined ? "normal" : special === "cloud" ? "cloud" : undefined;
}

/**
 * Unpacks a Debian kernel, to be used by path.
 *
 * @returns the paths of its vmlinuz and of the folder that contains its modules.
 */
export async function unpackKernel(
  into: string,
  arch: ArchTraits,
  version: string,
  flavour: Flavour,
  progress: Progress,
): Promise<{ readonly vmlinuz: string; readonly modules: string }> {
  const [archive, packages] = await kernelPackages(arch, version, progress, flavour);
  const text = `downloading ${packages[0]?.name}`;
  await progress.phase("kernel", text, (detail) => archive.unpack(packages, into, detail));
  return { vmlinuz: await findVmlinuz(into), modules: into };
}

function withModules(image: Package, found: readonly Package[], archive: Archive): Package[] {
  if (image.name.startsWith("linux-image-")) return [image];
  const modules = found.find(({ name, version }) =>
    name === image.name.replace("linux-binary-", "linux-modules-") && version === image.version
  );
  if (modules === undefined) {
    throw archive.missing(`Debian's archive lacks the modules of ${image.name}`);
  }
  return [image, modules];
}

/** The architecture that a kernel of the user's own is for, where its image says so. */
export async function kernelFileArch(choice: KernelChoice): Promise<Arch | undefined> {
  return (await ownKernel(choice))?.arch;
}

/** The first two numbers of a kernel package's version. */
function versionOf({ name }: Package): string {
  return /-(\d+\.\d+)/.exec(name)?.[1] ?? "";
}

/** The whole version of a kernel in a package, as 6.12.94; undefined for one that only depends. */
function releaseOf({ name, version }: Package): string | undefined {
  if (!/-\d+\.\d+\.\d/.test(name)) return undefined;
  return /^(?:\d+:)?(\d+\.\d+\.\d+)/.exec(version)?.[1];
}

/** The versions of all kernels that the archive has, as 6.12.94, the oldest first. */
export async function archivedKernels({ debian }: ArchTraits, progress: Progress) {
  const archive = await Archive.open(debian, "all", progress);
  const named = new RegExp(`^linux-(image|binary)-\\d\\S*-${debian}(-unsigned)?$`);
  const found = (await archive.find(named)).filter(({ name }) => flavourOf(name) === "cloud");
  return [...new Set(found.toReversed().flatMap((item) => releaseOf(item) ?? []))];
}

async function findVmlinuz(folder: string): Promise<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isFile && name.startsWith("vmlinuz")) return `${folder}/${name}`;
    if (isDirectory) {
      const below = await findVmlinuz(`${folder}/${name}`).catch(() => undefined);
      if (below !== undefined) return below;
    }
  }
  throw new LabError(`There is no vmlinuz in the kernel's packages`);
}
