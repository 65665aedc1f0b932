/**
 * Kernels of the user's own: an image, a tree in which one was built, or the one that runs here.
 *
 * @module
 */
import { gunzipSync } from "node:zlib";
import { dirname } from "node:path";
import { IMAGE_HEAD, kernelImage } from "../../core/kernel_image.ts";
import { type Arch, ARCHES, type ArchTraits, archTraits, ownArch } from "../arch.ts";
import { LabUsageError } from "../error.ts";
import { elfMachine } from "../host/elf.ts";
import { missingOptions, missingText } from "./config.ts";
import { imageConfig } from "./ikconfig.ts";
import { indexModules, type ModuleIndex } from "./modules.ts";
import { isFolder, kernelTree, sourceOf, treeModules } from "./tree.ts";

/** What names the kernel of this machine. */
export const RUNNING = "running";

/** A kernel's configuration. */
interface KernelConfig {
  readonly text: string;
  readonly place: string;
}

/** A kernel of the user's own. */
export interface OwnKernel {
  /** The path of the image that boots. */
  readonly image: string;
  /** Undefined where the image does not say it. */
  readonly arch: Arch | undefined;
  /** The topmost folder of its source, if it is a tree's. */
  readonly source?: string;
  /** Reads its configuration, and says where that stands; undefined where it cannot be had. */
  config(): Promise<KernelConfig | undefined>;
  /** Finds its modules. */
  modules(): Promise<ModuleIndex>;
}

/** Which kernel a user names. */
interface Choice {
  /** A path, or {@linkcode RUNNING}. */
  readonly kernel: string;
  readonly modules?: string | undefined;
}

/**
 * Finds a kernel of the user's own.
 *
 * @throws {LabUsageError} where there is none, or it was not built.
 */
export async function findOwn(choice: Choice): Promise<OwnKernel> {
  const { kernel } = choice;
  if (kernel === RUNNING) return await runningKernel(choice);
  if (await isFolder(kernel)) return await treeKernel(choice);
  if (!await isFile(kernel)) {
    throw new LabUsageError(
      `There is no kernel at ${kernel}; give the path of a vmlinuz (bzImage) or of a kernel's tree, ` +
        "or debian:6.12",
    );
  }
  const { modules } = choice;
  return {
    image: kernel,
    arch: await imageArch(kernel),
    config: () => configBeside(kernel),
    modules: async () => modules === undefined ? new Map() : await indexModules(modules),
  };
}

async function treeKernel(choice: Choice): Promise<OwnKernel> {
  requireNoModules(choice, "names them in modules.order");
  const tree = await kernelTree(choice.kernel.replace(/(.)\/+$/, "$1"));
  return {
    image: tree.image,
    arch: tree.arch,
    source: await sourceOf(tree.folder),
    config: () => Promise.resolve({ text: tree.config, place: `${tree.folder}/.config` }),
    modules: () => treeModules(tree),
  };
}

async function runningKernel(choice: Choice): Promise<OwnKernel> {
  const release = Deno.osRelease();
  requireNoModules(choice, `has them in /lib/modules/${release}`);
  const places = [`/boot/vmlinuz-${release}`, `/lib/modules/${release}/vmlinuz`];
  const image = await firstOf(places, isFile);
  if (image === undefined) {
    throw new LabUsageError(
      `Cannot find the image of the kernel that runs here (${release}): there is no ` +
        `${places.join(" and no ")}; give its path, and --modules`,
    );
  }
  try {
    (await Deno.open(image)).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new LabUsageError(
      `Only root may read ${image}: give a copy that you may read, and --modules /lib/modules/${release}`,
    );
  }
  return {
    image,
    arch: ownArch().name,
    config: () => runningConfig(image),
    modules: () => indexModules(`/lib/modules/${release}`),
  };
}

async function runningConfig(image: string): Promise<KernelConfig | undefined> {
  const place = "/proc/config.gz";
  const packed = await Deno.readFile(place).catch(() => undefined);
  if (packed === undefined) return await configBeside(image);
  return { text: new TextDecoder().decode(gunzipSync(packed)), place };
}

function requireNoModules({ kernel, modules }: Choice, how: string): void {
  if (modules === undefined) return;
  throw new LabUsageError(`The kernel "${kernel}" ${how}: leave --modules out`);
}

/** The architecture that an image is for, as it begins; undefined where that does not tell. */
async function imageArch(path: string): Promise<Arch | undefined> {
  using file = await Deno.open(path);
  const head = new Uint8Array(IMAGE_HEAD);
  await file.read(head);
  switch (kernelImage(head)) {
    case "bzImage":
      return "x86_64";
    case "arm64 Image":
      return "arm64";
    case "ELF":
      return ARCHES.find((arch) => archTraits(arch).elfMachine === elfMachine(head));
    default:
      return undefined;
  }
}

/** The configuration of an image: as distributions put it beside theirs, or in itself. */
async function configBeside(image: string): Promise<KernelConfig | undefined> {
  const name = image.slice(image.lastIndexOf("/") + 1);
  const release = /^vmlinu[xz]-(.+)$/.exec(name)?.[1];
  const folder = dirname(image);
  const places = [
    ...release === undefined ? [] : [`${folder}/config-${release}`],
    ...name === "vmlinuz" ? [`${folder}/config`] : [],
  ];
  const place = await firstOf(places, isFile);
  const beside = place && await Deno.readTextFile(place).catch(() => undefined);
  if (place !== undefined && beside !== undefined) return { text: beside, place };
  const text = imageConfig(await Deno.readFile(image).catch(() => new Uint8Array()));
  return text === undefined ? undefined : { text, place: `${image} (IKCONFIG)` };
}

async function firstOf(
  paths: readonly string[],
  holds: (path: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const path of paths) if (await holds(path)) return path;
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

/**
 * Looks, before the boot, whether a kernel was configured with what the lab's VMs need.
 *
 * @throws {LabUsageError} with all that is missing, what it is for, and what sets it.
 */
export async function requireConfig(
  kernel: string,
  own: OwnKernel,
  wanted: { readonly arch: ArchTraits; readonly hasGuest: boolean },
): Promise<void> {
  const config = await own.config();
  if (config === undefined) return;
  const missing = await missingOptions(config.text, wanted);
  if (missing.length === 0) return;
  const what = `${wanted.hasGuest ? "a host with a guest" : "a VM"} on ${wanted.arch.name}`;
  throw new LabUsageError(
    `The kernel "${kernel}" lacks what ${what} needs, by ${config.place}:\n${missingText(missing)}`,
  );
}
