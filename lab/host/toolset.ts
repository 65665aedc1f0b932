// deno-lint-ignore-file length/file -- to be split when lab/'s folders have settled
/**
 * The programs that the lab needs: Debian packages with all that they depend on, unpacked into the
 * cache. Nothing is installed, and nothing of this machine's own but a shell, coreutils and apt is
 * used, so that everybody has the same QEMU and the same compiler.
 *
 * @module
 */
import { Archive, NoArchiveError } from "./apt.ts";
import { type ArchTraits, ownArch } from "../arch.ts";
import { cached, cacheFolder, removeIfThere, sha256Text } from "./cache.ts";
import { output, shellWord } from "./command.ts";
import { elfFacts, isElf } from "./elf.ts";
import { LabError } from "../error.ts";
import { type Progress, waiting } from "../progress.ts";
/** Changes when what is done with unpacked packages does. */
const LAYOUT = 3;

/** The file that lists the packages of a toolset, with their versions. */
const LIST = "packages.txt";

/** Folders that nothing at run time reads. */
const NEEDLESS = ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var"];

/** Packages that were unpacked together. */
export interface Toolset {
  /** The folder that stands for `/`. */
  readonly root: string;
  /** Tells it from another: what was unpacked. */
  readonly identity: string;
}

/** Packages, and what they are for. */
interface Wanted {
  /** What messages call it. */
  readonly what: string;
  /** The folder in the cache. */
  readonly name: string;
  readonly arch: ArchTraits;
  readonly packages: readonly string[];
  /** Packages of another architecture that are only read: headers and libraries to link with. */
  readonly foreign?: { readonly arch: ArchTraits; readonly packages: readonly string[] };
}

/** Where {@linkcode Wanted.foreign} is unpacked, below the root. */
const FOREIGN = "foreign";

async function unpacked(wanted: Wanted, progress: Progress): Promise<Toolset> {
  const { what, name, arch, packages, foreign } = wanted;
  const key = (await sha256Text(JSON.stringify([LAYOUT, packages, foreign?.packages]))).slice(
    0,
    12,
  );
  const parts = ["tools", `${name}-${key}`] as const;
  const root = `${await cacheFolder(parts[0])}/${parts[1]}`;
  await cached(
    parts,
    async (making) => {
      const archive = await Archive.open(arch.debian, "current", progress);
      await progress.phase(name, `unpacking ${what}`, async (detail) => {
        const files = await archive.unpackWithDependencies(packages, making, detail);
        await Deno.writeTextFile(`${making}/${LIST}`, `${files.sort().join("\n")}\n`);
        if (foreign !== undefined) await unpackForeign(foreign, making, progress);
        for (const folder of NEEDLESS) await removeIfThere(`${making}/${folder}`);
        await mergeUsr(making);
        if (arch === ownArch()) {
          const home = { now: making, later: root };
          await makeRunnable(making, root, home, arch, progress.stop);
        }
      });
    },
    (damage) => progress.say(`${damage}; unpacking it again`),
    waiting(progress),
  );
  const list = await Deno.readTextFile(`${root}/${LIST}`);
  return { root, identity: `${name}-${key} ${await sha256Text(list)}` };
}

/** Some files name others by their place in a root file system: libc.so, for the linker, does. */
async function mergeUsr(root: string): Promise<void> {
  for (const name of ["lib", "lib64"]) {
    const isThere = await Deno.stat(`${root}/usr/${name}`).then(() => true, () => false);
    if (isThere) await Deno.symlink(`usr/${name}`, `${root}/${name}`);
  }
}

async function unpackForeign(
  { arch, packages }: NonNullable<Wanted["foreign"]>,
  making: string,
  progress: Progress,
): Promise<void> {
  const archive = await Archive.open(arch.debian, "current", progress);
  const items = await Promise.all(packages.map(async (name) => {
    const [item] = await archive.find(new RegExp(`^${name}$`), name);
    if (item === undefined) throw archive.missing(`Debian's archive has no ${name}`);
    return item;
  }));
  await archive.unpack(items, `${making}/${FOREIGN}`, () => {});
}

/** Where the loader and the libraries are that programs are to use. */
interface Home {
  /** The folder of a toolset, as it is now. */
  readonly now: string;
  /** The same when the programs run. */
  readonly later: string;
}

/**
 * Has the programs of a folder use the loader and the libraries of a toolset, not this machine's.
 *
 * @param place where the folder will be.
 */
async function makeRunnable(
  folder: string,
  place: string,
  home: Home,
  { loader, triplet, elfMachine }: ArchTraits,
  signal: AbortSignal,
): Promise<void> {
  const libraries = `usr/lib/${triplet}`;
  const relocatable: string[] = [];
  for await (const path of filesBelow(folder)) {
    // patchelf itself runs, and so do the libraries with it; libc names a loader, too.
    if (/\/patchelf$|\.so(\.|$)/.test(path) || !await startsAsElf(path)) continue;
    const facts = elfFacts(await Deno.readFile(path));
    if (facts?.interpreter === undefined || facts.machine !== elfMachine) continue;
    if (facts.isRelocatable) {
      relocatable.push(path);
      continue;
    }
    const program = `${place}${path.slice(folder.length)}${WRAPPED}`;
    const { later } = home;
    await wrap(path, [
      `${later}/usr/${loader}`,
      "--library-path",
      `${later}/${libraries}`,
      program,
    ]);
  }
  if (relocatable.length === 0) return;
  await output(`${home.now}/usr/${loader}`, [
    ...["--library-path", `${home.now}/${libraries}`, `${home.now}/usr/bin/patchelf`],
    ...["--set-interpreter", `${home.later}/usr/${loader}`],
    ...["--force-rpath", "--set-rpath", `${home.later}/${libraries}`],
    ...relocatable,
  ], { signal });
}

/** Behind the name of a program that is called by a script. */
const WRAPPED = ".program";

/** patchelf spoils what has its place in memory: a script calls the loader with such a program. */
async function wrap(path: string, command: readonly string[]): Promise<void> {
  await Deno.rename(path, `${path}${WRAPPED}`);
  const text = `#!/bin/sh\nexec ${command.map(shellWord).join(" ")} "$@"\n`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
}

async function startsAsElf(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const head = new Uint8Array(64);
  return await file.read(head) === head.length && isElf(head);
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(`${folder}/${name}`);
    else if (isFile) yield `${folder}/${name}`;
  }
}

/** What boots a VM and is in it. */
export interface VmTools {
  /** Tells them from others. */
  readonly identity: string;
  /** Programs of this machine's architecture; no QEMU where the user brings one. */
  readonly qemu: string | undefined;
  readonly mke2fs: string;
  readonly xz: string;
  /** mke2fs's configuration, where that is not this machine's. */
  readonly mke2fsConfig: string | undefined;
  /** Folders of QEMU's firmware. */
  readonly firmware: readonly string[];
  /** A static busybox of the VM's architecture. */
  readonly busybox: string;
  /** The guest's QEMU and the folder of its libraries; none where the user brings the QEMU. */
  readonly inside: { readonly qemu: string; readonly libraries: string } | undefined;
}

/** What this process has found already, by architecture. */
const found = new Map<string, Promise<VmTools>>();

/**
 * Finds what boots VMs of an architecture, or fetches it.
 *
 * @param ownQemu whether the user brings a QEMU: then a machine without packages will do.
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
 * Programs that are installed on this machine, for one without Debian's packages.
 *
 * @param why the packages cannot be had.
 * @throws {LabError} naming what is missing.
 */
async function machineTools(why: NoArchiveError): Promise<VmTools> {
  const [busybox, mke2fs, xz] = await Promise.all(["busybox", "mke2fs", "xz"].map(installed));
  const isStatic = busybox !== undefined &&
    elfFacts(await Deno.readFile(busybox))?.interpreter === undefined;
  if (busybox === undefined || !isStatic || mke2fs === undefined || xz === undefined) {
    throw new LabError(
      `${why.message}. With --qemu the lab would also take a static busybox, mke2fs and xz of this ` +
        "machine's own, and not all of them are on the PATH",
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

/** Other programs that run on this machine: packages, unpacked. */
export async function programs(
  name: string,
  packages: readonly string[],
  progress: Progress,
): Promise<Toolset> {
  const wanted = { what: name, name, arch: ownArch(), packages: [...packages, "patchelf"] };
  return await unpacked(wanted, progress);
}

/** What builds C programs and kernels for an architecture. */
export interface Compiler {
  /** The folder of its toolset. */
  readonly root: string;
  /** Where the compiler finds its programs: the environment of a build. */
  readonly env: Readonly<Record<string, string>>;
  /** The C compiler for the architecture. */
  readonly cc: string;
  /** Arguments by which it finds headers and libraries of packages of that architecture. */
  readonly flags: readonly string[];
  /** What `make` of a kernel is told: ARCH, CROSS_COMPILE, HOSTCC. */
  readonly kernelArguments: readonly string[];
}

/** What is unpacked to build with. */
const BUILD_TOOLS = ["gcc", "libc6-dev", "make", "patch", "xz-utils", "patchelf"];
/** And to build whole kernels. */
const KERNEL_TOOLS = ["bc", "bison", "flex", "libelf-dev", "libssl-dev", "perl", "m4", "kmod"];

/** Finds a compiler for an architecture, or fetches it. */
export async function compilerFor(
  arch: ArchTraits,
  purpose: "programs" | "kernels",
  progress: Progress,
): Promise<Compiler> {
  const machine = ownArch();
  const isCross = machine !== arch;
  const packages = [
    ...BUILD_TOOLS,
    ...(purpose === "kernels" ? KERNEL_TOOLS : []),
    ...(isCross
      ? [`gcc-${arch.triplet.replace("_", "-")}`, `libc6-dev-${arch.debian}-cross`]
      : ["liburing-dev"]),
  ];
  const { root } = await unpacked({
    what: `a C compiler for ${arch.name}`,
    name: `${purpose}-${arch.name}-on-${machine.name}`,
    arch: machine,
    packages,
    ...(isCross ? { foreign: { arch, packages: ["liburing-dev"] } } : {}),
  }, progress);
  const folder = `${root}/usr/bin`;
  const native = `${folder}/gcc --sysroot=${root}`;
  const linked = `-Wl,--dynamic-linker=${root}/usr/${machine.loader} ` +
    `-Wl,-rpath,${root}/usr/lib/${machine.triplet}`;
  const foreign = `${root}/${FOREIGN}/usr`;
  return {
    root,
    env: {
      PATH: `${folder}:${Deno.env.get("PATH") ?? "/usr/bin:/bin"}`,
      BISON_PKGDATADIR: `${root}/usr/share/bison`,
      M4: `${folder}/m4`,
      PERL5LIB: await perlFolders(root),
    },
    cc: isCross ? `${folder}/${arch.triplet}-gcc` : `${folder}/gcc`,
    flags: isCross
      ? [`--sysroot=${root}`, `-I${foreign}/include`, `-L${foreign}/lib/${arch.triplet}`]
      : [`--sysroot=${root}`],
    kernelArguments: [
      `ARCH=${arch.kernelFolder}`,
      `HOSTCC=${native} ${linked}`,
      ...(isCross ? [`CROSS_COMPILE=${folder}/${arch.triplet}-`] : []),
    ],
  };
}

/** Has programs of other packages, below a folder that stays where it is, run beside a compiler. */
export async function runBeside(
  { root }: Compiler,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  await makeRunnable(folder, folder, { now: root, later: root }, ownArch(), signal);
}

/** Folders of Perl's own modules. */
async function perlFolders(root: string): Promise<string> {
  const found: string[] = [];
  for (const folder of [`${root}/usr/share/perl`, `${root}/usr/lib/${ownArch().triplet}/perl`]) {
    try {
      for await (const { name } of Deno.readDir(folder)) found.push(`${folder}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found.join(":");
}
