/**
 * The programs that boot a VM and the ones inside it: QEMU, mke2fs, xz, and a static busybox.
 *
 * @module
 */
import { type ArchTraits, ownArch } from "../arch.ts";
import { LabError } from "../error.ts";
import type { Progress } from "../progress.ts";
import { NoArchiveError } from "./apt_sites.ts";
import { elfFacts } from "./elf.ts";
import { type Toolset, unpacked } from "./toolset.ts";

/** The programs that boot a VM, and those inside it. */
export interface VmTools {
  /** Differs between any two sets of programs. */
  readonly identity: string;
  /** These run on this machine. There is no QEMU if the user provides one. */
  readonly qemu: string | undefined;
  readonly mke2fs: string;
  readonly xz: string;
  /** mke2fs.conf(5), unless mke2fs is this machine's own. */
  readonly mke2fsConfig: string | undefined;
  /** Folders with QEMU's firmware. */
  readonly firmware: readonly string[];
  /** A static busybox for the VM's architecture. */
  readonly busybox: string;
  /** The QEMU that runs inside the host VM, and the folder with its libraries. */
  readonly inside: { readonly qemu: string; readonly libraries: string } | undefined;
}

/** The tools that this process has found already, by architecture. */
const found = new Map<string, Promise<VmTools>>();

/**
 * Finds the programs for VMs of an architecture, or fetches them.
 *
 * @param ownQemu whether the user provides a QEMU: if packages cannot be fetched, this machine's
 * own programs will then do.
 */
export async function vmTools(
  arch: ArchTraits,
  ownQemu: boolean,
  progress: Progress,
): Promise<VmTools> {
  const known = found.get(arch.name) ?? findVmTools(arch, progress);
  found.set(arch.name, known);
  try {
    return await known;
  } catch (error) {
    found.delete(arch.name);
    if (!(error instanceof NoArchiveError) || !ownQemu || arch !== ownArch()) throw error;
    return await machineTools(error);
  }
}

async function findVmTools(arch: ArchTraits, progress: Progress): Promise<VmTools> {
  const machine = ownArch();
  const helpers = ["e2fsprogs", "xz-utils", "patchelf"];
  const inside = ["busybox-static", "libc6", "libgcc-s1", ...arch.firmware.packages];
  const what = `QEMU for ${arch.name}`;
  if (machine === arch) {
    const packages = [arch.qemu.package, ...inside, ...helpers];
    const own = await unpacked({ what, name: `vm-${arch.name}`, arch, packages }, progress);
    return vmToolsIn(own, own, arch);
  }
  const packages = [arch.qemu.package, ...helpers, ...arch.firmware.packages];
  const [own, guest] = await Promise.all([
    unpacked(
      { what, name: `qemu-${arch.name}-on-${machine.name}`, arch: machine, packages },
      progress,
    ),
    unpacked({
      what: `the VM's own QEMU and busybox (${arch.name})`,
      name: `inside-${arch.name}`,
      arch,
      packages: [arch.qemu.package, ...inside],
    }, progress),
  ]);
  return vmToolsIn(own, guest, arch);
}

function vmToolsIn(own: Toolset, inside: Toolset, arch: ArchTraits): VmTools {
  return {
    identity: `${own.identity} ${inside.identity}`,
    qemu: `${own.root}/usr/bin/${arch.qemu.program}`,
    mke2fs: `${own.root}/usr/sbin/mke2fs`,
    mke2fsConfig: `${own.root}/etc/mke2fs.conf`,
    xz: `${own.root}/usr/bin/xz`,
    firmware: ["qemu", "seabios"].map((name) => `${own.root}/usr/share/${name}`),
    busybox: `${inside.root}/usr/bin/busybox`,
    inside: {
      qemu: `${inside.root}/usr/bin/${arch.qemu.program}`,
      libraries: `${inside.root}/usr/lib/${arch.triplet}`,
    },
  };
}

/**
 * The programs installed on this machine, used if Debian packages cannot be fetched.
 *
 * @param why the reason that they cannot be.
 * @throws {LabError} if not all of them are installed.
 */
async function machineTools(why: NoArchiveError): Promise<VmTools> {
  const [busybox, mke2fs, xz] = await Promise.all(["busybox", "mke2fs", "xz"].map(installed));
  const isStatic = busybox !== undefined &&
    elfFacts(await Deno.readFile(busybox))?.interpreter === undefined;
  if (busybox === undefined || !isStatic || mke2fs === undefined || xz === undefined) {
    throw new LabError(
      `${why.message}. With --qemu the lab can also use this machine's own static busybox, mke2fs ` +
        "and xz, but not all of them are on the PATH",
    );
  }
  const files = await Promise.all([busybox, mke2fs, xz].map((path) => Deno.stat(path)));
  return {
    identity: files.map(({ size, mtime }) => `${size} ${mtime?.getTime()}`).join(" "),
    ...{ qemu: undefined, mke2fs, mke2fsConfig: undefined, xz, firmware: [], busybox },
    inside: undefined,
  };
}

async function installed(program: string): Promise<string | undefined> {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];
  for (const folder of folders) {
    const path = `${folder}/${program}`;
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return undefined;
}
