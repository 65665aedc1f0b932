/**
 * The disk of the VMs: a small read-only system with Deno and QEMU, the same for every kernel.
 *
 * @module
 */
import { cached, sha256Text } from "./cache.ts";
import { output } from "./command.ts";
import { LabError } from "./error.ts";
import type { Progress } from "./progress.ts";
import type { Tools } from "./tools.ts";

/** Changes when what is on the disk does. */
const LAYOUT = 1;
/** QEMU's firmware. */
const FIRMWARE = ["bios-256k.bin", "kvmvapic.bin", "linuxboot_dma.bin", "linuxboot.bin"];
/** Room on the disk beside the files, in MiB. */
const SLACK = 24;

/** The disk's image, made if need be: ext4, since most kernels have that built in. */
export async function findDisk(tools: Tools, progress: Progress): Promise<string> {
  const { identity } = tools.qemu;
  const key = (await sha256Text(`${LAYOUT} ${Deno.version.deno} ${identity}`)).slice(0, 16);
  const folder = await cached(
    ["disks", key],
    (making) => progress.phase("disk", "making the VMs' disk", () => makeDisk(tools, making)),
    (what) => progress.say(`${what}; making it again`),
  );
  return `${folder}/disk.img`;
}

async function makeDisk(tools: Tools, making: string): Promise<void> {
  const root = `${making}/root`;
  for (const folder of ["bin", "lib64", "usr/lib", "usr/share/qemu"]) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  const programs = [[Deno.execPath(), "deno"], [tools.qemu.path, "qemu-system-x86_64"]] as const;
  const libraries = new Set<string>();
  for (const [path, name] of programs) {
    await Deno.copyFile(path, `${root}/bin/${name}`);
    for (const library of await librariesOf(tools, path)) libraries.add(library);
  }
  for (const library of libraries) {
    const folder = library.startsWith("/lib64/") ? "lib64" : "usr/lib";
    await Deno.copyFile(library, `${root}/${folder}/${library.split("/").at(-1)}`);
  }
  const folders = (await output(tools.qemu.path, ["-L", "help"])).trim().split("\n");
  for (const name of FIRMWARE) await copyFirmware(name, folders, `${root}/usr/share/qemu`);
  const kilobytes = Number((await output("du", ["-sk", root])).split("\t")[0]);
  const size = `${Math.ceil(kilobytes / 1024 * 1.05) + SLACK}M`;
  const image = `${making}/disk.img`;
  await output(tools.mke2fs, [
    ...["-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", root],
    ...[image, size],
  ]);
  await Deno.remove(root, { recursive: true });
}

async function librariesOf(tools: Tools, program: string): Promise<string[]> {
  const lines = (await output(tools.ldd, [program])).split("\n");
  const missing = lines.find((line) => line.includes("not found"));
  if (missing !== undefined) throw new LabError(`${program} lacks a library: ${missing.trim()}`);
  return lines.flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

async function copyFirmware(
  name: string,
  folders: readonly string[],
  into: string,
): Promise<void> {
  for (const folder of folders) {
    try {
      return await Deno.copyFile(`${folder}/${name}`, `${into}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new LabError(`QEMU's ${name} is in none of ${folders.join(", ")}`);
}
