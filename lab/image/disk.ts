/**
 * Makes the disk of the VMs: a small read-only system with Deno and QEMU, the same for every
 * kernel.
 *
 * @module
 */
import type { ArchTraits } from "../arch.ts";
import { cached, sha256Text } from "../host/cache.ts";
import { output } from "../host/command.ts";
import { elfFacts, librariesIn } from "../host/elf.ts";
import { LabError } from "../error.ts";
import { type Progress, waiting } from "../progress.ts";
import type { QemuProgram } from "../host/qemu.ts";
import type { VmTools } from "../host/vm_tools.ts";

/** To be incremented when the contents of the disk change. */
const LAYOUT = 3;
/** A file beside the image with an id, since the same files may be at other places on a disk. */
const ID = "id";
/** Free space on the disk, in MiB. */
const SLACK = 24;

/** What a disk is made from. */
export interface DiskParts {
  readonly arch: ArchTraits;
  readonly tools: VmTools;
  /** The path of a Deno for the VM. */
  readonly deno: string;
  /** A QEMU given by the user, to run guests on, too; by default they run on Debian's. */
  readonly guestQemu: QemuProgram | undefined;
}

/** The disk's image, made if necessary: ext4, since most kernels have that built in. */
export async function findDisk(parts: DiskParts, progress: Progress): Promise<string> {
  const { arch, tools, guestQemu } = parts;
  const identity = [
    ...[LAYOUT, arch.name, Deno.version.deno, tools.identity],
    guestQemu?.identity ?? "",
  ];
  const key = (await sha256Text(identity.join(" "))).slice(0, 16);
  const folder = await cached(
    ["disks", key],
    (making) =>
      progress.phase("disk", "making the VMs' disk", () => makeDisk(parts, making, progress)),
    (what) => progress.log(`${what}; making it again`),
    waiting(progress),
  );
  return `${folder}/disk.img`;
}

/** The file with the id of a disk's image. */
export function diskId(image: string): string {
  return image.replace(/[^/]+$/, ID);
}

async function makeDisk(parts: DiskParts, making: string, progress: Progress): Promise<void> {
  const { arch, tools, deno } = parts;
  const root = `${making}/root`;
  for (const folder of ["bin", "lib64", "usr/lib", "usr/share/qemu"]) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  const { qemu, libraries, firmware } = await guestQemuOf(parts);
  await Deno.copyFile(deno, `${root}/bin/deno`);
  await placeQemu(qemu, `${root}/bin/${arch.qemu.program}`, arch);
  const loader = arch.loader.split("/").at(-1) ?? "";
  for (const library of libraries) {
    const name = library.split("/").at(-1) ?? "";
    await Deno.copyFile(library, `${root}/usr/lib/${name}`);
    if (name === loader && arch.loader.startsWith("lib64/")) {
      await Deno.copyFile(library, `${root}/lib64/${name}`);
    }
  }
  const { files, optional } = arch.firmware;
  for (const name of [...files, ...optional]) {
    const isThere = await copyFirmware(name, firmware, `${root}/usr/share/qemu`);
    if (!isThere && files.includes(name)) {
      throw new LabError(`Cannot find QEMU's ${name} in ${firmware.join(", ")}`);
    }
  }
  const kilobytes = Number((await output("du", ["-sk", root])).split("\t")[0]);
  const size = `${Math.ceil(kilobytes / 1024 * 1.05) + SLACK}M`;
  const { mke2fsConfig: config } = tools;
  await output(tools.mke2fs, [
    ...["-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", root],
    ...[`${making}/disk.img`, size],
  ], {
    signal: progress.stop,
    env: config === undefined ? {} : { MKE2FS_CONFIG: config },
  });
  await Deno.remove(root, { recursive: true });
  await Deno.writeTextFile(`${making}/${ID}`, crypto.randomUUID());
}

/**
 * Copies QEMU into the disk. One of a toolset that also runs on this machine names a loader in this
 * machine's cache (lab/host/own_loader.ts), which is not in the VM: there a script calls the VM's.
 */
async function placeQemu(qemu: string, path: string, { loader, qemu: { program } }: ArchTraits) {
  const interpreter = elfFacts(await Deno.readFile(qemu))?.interpreter;
  if (interpreter === undefined || interpreter === `/${loader}`) {
    return await Deno.copyFile(qemu, path);
  }
  await Deno.copyFile(qemu, `${path}.program`);
  const script = `#!/bin/sh\nexec /${loader} /base/bin/${program}.program "$@"\n`;
  await Deno.writeTextFile(path, script, { mode: 0o755 });
}

/** The QEMU that guests run on, and the libraries that it and Deno need. */
async function guestQemuOf({ tools: { inside, firmware }, deno, guestQemu }: DiskParts) {
  if (guestQemu !== undefined) {
    const { path: qemu } = guestQemu;
    const libraries = new Set([...await librariesHere(deno), ...await librariesHere(qemu)]);
    return { qemu, libraries, firmware: [...await dataFolders(qemu), ...firmware] };
  }
  if (inside === undefined) throw new LabError("There is no QEMU for guests");
  const { qemu, libraries } = inside;
  return { qemu, libraries: await librariesIn(libraries, [deno, qemu]), firmware };
}

async function librariesHere(program: string): Promise<string[]> {
  const lines = (await output("ldd", [program])).split("\n");
  const missing = lines.find((line) => line.includes("not found"));
  if (missing !== undefined) throw new LabError(`${program} lacks a library: ${missing.trim()}`);
  return lines.flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/** The folders in which a QEMU looks for its firmware. */
async function dataFolders(qemu: string): Promise<string[]> {
  return (await output(qemu, ["-L", "help"])).trim().split("\n");
}

/** @returns whether one of the folders had it. */
async function copyFirmware(
  name: string,
  folders: readonly string[],
  into: string,
): Promise<boolean> {
  for (const folder of folders) {
    try {
      await Deno.copyFile(`${folder}/${name}`, `${into}/${name}`);
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}
