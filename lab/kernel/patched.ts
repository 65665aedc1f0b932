/**
 * Builds the AF_VSOCK modules of a distribution's kernel from its source and this repository's
 * patches.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { Archive, type Package } from "../host/apt.ts";
import { type ArchTraits, ownArch } from "../arch.ts";
import { sha256Text } from "../host/cache.ts";
import { output } from "../host/command.ts";
import { LabError, LabUsageError } from "../error.ts";
import type { Progress } from "../progress.ts";
import { compilerFor, runBeside } from "../host/compiler.ts";

/** The folder with this repository's patch sets, each a folder. */
const FIXTURES = new URL("../../fixtures/kernel/", import.meta.url);

/** The parts of the source tree that the modules are built from. */
const SOURCES = [
  "net/vmw_vsock",
  "drivers/vhost/vsock.c",
  "drivers/vhost/vhost.h",
  "include/net/af_vsock.h",
  "include/net/vsock_addr.h",
  "include/linux/virtio_vsock.h",
  "include/uapi/linux/vm_sockets.h",
];

/**
 * Makefiles for building the modules outside the kernel's tree: the patched headers take precedence
 * over the kernel's.
 */
const KBUILD: Readonly<Record<string, string>> = {
  "Kbuild": "obj-m := net/vmw_vsock/ drivers/vhost/\n",
  "net/vmw_vsock/Kbuild": `NOSTDINC_FLAGS += -I$(src)/../../include -I$(src)/../../include/uapi
obj-m := vsock.o vmw_vsock_virtio_transport_common.o vmw_vsock_virtio_transport.o
obj-m += vsock_loopback.o vsock_diag.o
vsock-y := af_vsock.o af_vsock_tap.o vsock_addr.o
vsock-$(CONFIG_BPF_SYSCALL) += vsock_bpf.o
vmw_vsock_virtio_transport_common-y := virtio_transport_common.o
vmw_vsock_virtio_transport-y := virtio_transport.o
vsock_diag-y := diag.o
`,
  "drivers/vhost/Kbuild": `NOSTDINC_FLAGS += -I$(src)/../../include -I$(src)/../../include/uapi
obj-m := vhost_vsock.o
vhost_vsock-y := vsock.o
`,
};

/** A patch of a set. */
export interface Patch {
  readonly name: string;
  readonly text: string;
}

/**
 * The patches in a folder below fixtures/kernel, ordered by name.
 *
 * @throws {LabError} if there is no such folder.
 */
export async function readPatches(name: string): Promise<Patch[]> {
  const folder = new URL(`${name}/`, FIXTURES);
  const patches: Patch[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".patch")) continue;
      patches.push({ name, text: await Deno.readTextFile(new URL(name, folder)) });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new LabError(`There are no patches at ${fileURLToPath(folder)}`);
  }
  return patches.sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * A patch that adds a fault on top of a set, to show that a case detects it.
 *
 * @throws {LabError} if there is no such patch.
 */
export async function readFault(set: string, fault: string): Promise<Patch> {
  const known = await readPatches(`${set}/faults`);
  const patch = known.find((each) => shortName(each) === fault);
  if (patch !== undefined) return patch;
  const names = known.map(shortName).join(", ");
  throw new LabUsageError(`There is no fault "${fault}" of ${set}; there are: ${names}`);
}

/** The name by which a user refers to a patch. */
export function shortName({ name }: Patch): string {
  return name.replace(/\.patch$/, "");
}

/**
 * Applies a patch to a source tree; the patch file stays beside the tree.
 *
 * @param env the environment, whose PATH must have patch(1).
 * @param more further arguments of patch(1).
 */
export async function applyPatch(
  tree: string,
  { name, text }: Patch,
  env: Readonly<Record<string, string>>,
  ...more: readonly string[]
): Promise<void> {
  const file = `${tree}/../${name}`;
  await Deno.writeTextFile(file, text);
  await output("patch", ["-d", tree, "-p1", "-s", "-i", file, ...more], { env });
}

/** A digest of everything that modules are built from. */
export async function buildDigest(from: unknown): Promise<string> {
  return (await sha256Text(JSON.stringify([from, KBUILD, SOURCES]))).slice(0, 16);
}

/**
 * Changes the source of the modules before they are built.
 *
 * @param tree the root of the source.
 * @param env the environment, whose PATH has patch(1).
 */
export type SourceChange = (tree: string, env: Readonly<Record<string, string>>) => Promise<void>;

/**
 * The packages from which a kernel's modules are built: its headers (two packages), kbuild, and its
 * source.
 *
 * @param image the kernel's package.
 * @throws {LabError} if the archive lacks one of them.
 */
export async function buildPackages(
  archive: Archive,
  image: Package,
  { debian }: ArchTraits,
  progress: Progress,
): Promise<BuildPackages> {
  const release = /^linux-(?:image|binary)-(.+?)(-unsigned)?$/.exec(image.name)?.[1] ?? "";
  const base = release.replace(`-cloud-${debian}`, "");
  const version = /^\d+\.\d+/.exec(release)?.[0] ?? "";
  const own = ownArch().debian;
  const native = own === debian ? archive : await Archive.open(own, "all", progress);
  const among = async (from: Archive, names: readonly string[]) => {
    const found = await from.find(/^linux-(headers|kbuild|source)-/);
    return names.map((name) => {
      const item = found.find((each) => each.name === name && each.version === image.version);
      if (item === undefined) throw from.missing(`Debian's archive lacks ${name} ${image.version}`);
      return item;
    });
  };
  return {
    target: await among(archive, [
      `linux-headers-${release}`,
      `linux-headers-${base}-common`,
      `linux-source-${version}`,
    ]),
    native: { archive: native, items: await among(native, [`linux-kbuild-${base}`]) },
  };
}

/** Packages for the kernel's architecture, and those with programs for this machine. */
export interface BuildPackages {
  readonly target: readonly Package[];
  readonly native: { readonly archive: Archive; readonly items: readonly Package[] };
}

/**
 * Builds the AF_VSOCK modules.
 *
 * @param unpacked the folder with the unpacked packages of {@linkcode buildPackages}.
 * @param change a change to their source.
 * @returns the folder that contains the modules.
 */
export async function buildModules(
  unpacked: string,
  change: SourceChange,
  arch: ArchTraits,
  progress: Progress,
): Promise<string> {
  const compiler = await compilerFor(arch, "kernels", progress);
  const { env, kernelArguments } = compiler;
  const { stop: signal } = progress;
  await runBeside(compiler, `${unpacked}/usr/lib`, signal);
  const tree = `${unpacked}/build`;
  await Deno.mkdir(tree);
  const source = await onlyEntry(`${unpacked}/usr/src`, /^linux-source-.*\.tar\.xz$/);
  const root = source.split("/").at(-1)?.replace(/\.tar\.xz$/, "") ?? "";
  const members = SOURCES.map((path) => `${root}/${path}`);
  await output("tar", ["-xf", source, "-C", tree, "--strip-components=1", ...members], {
    env,
    signal,
  });
  await change(tree, env);
  for (const [path, text] of Object.entries(KBUILD)) {
    await Deno.writeTextFile(`${tree}/${path}`, text);
  }
  const headers = await onlyEntry(`${unpacked}/usr/src`, /^linux-headers-.*-cloud-/);
  await relocate(headers, unpacked);
  const jobs = `-j${navigator.hardwareConcurrency}`;
  const make = ["-s", "-C", headers, `M=${tree}`, jobs, ...kernelArguments, "modules"];
  await output("make", make, { env, signal });
  return tree;
}

/** Adjusts the headers' Makefile, which has the path at which the package is usually installed. */
async function relocate(headers: string, unpacked: string): Promise<void> {
  const makefile = await Deno.readTextFile(`${headers}/Makefile`);
  await Deno.writeTextFile(`${headers}/Makefile`, makefile.replaceAll("/usr/", `${unpacked}/usr/`));
  // Without vmlinux the build skips BTF, which would need pahole.
  await Deno.remove(`${headers}/vmlinux`);
}

async function onlyEntry(folder: string, pattern: RegExp): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) {
    if (pattern.test(name)) return `${folder}/${name}`;
  }
  throw new LabError(`The kernel's packages contain no ${pattern.source}`);
}
