/**
 * Compilers for C programs and kernels, from Debian packages unpacked into the cache.
 *
 * @module
 */
import { type ArchTraits, ownArch } from "../arch.ts";
import type { Progress } from "../progress.ts";
import { makeRunnable } from "./own_loader.ts";
import { FOREIGN, unpacked } from "./toolset.ts";

/** A toolchain that builds C programs and kernels for an architecture. */
export interface Compiler {
  /** The folder of its toolset. */
  readonly root: string;
  /** The environment of a build, in which the compiler finds its programs. */
  readonly env: Readonly<Record<string, string>>;
  /** The path of the C compiler. */
  readonly cc: string;
  /** Arguments with which it finds the headers and libraries of that architecture. */
  readonly flags: readonly string[];
  /** Arguments of `make` for a kernel: ARCH, CROSS_COMPILE, HOSTCC. */
  readonly kernelArguments: readonly string[];
}

/** Packages for all builds. */
const BUILD_TOOLS = ["gcc", "libc6-dev", "make", "patch", "xz-utils", "patchelf"];
/** Further packages, for building whole kernels. */
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

/**
 * Makes programs below a folder, which must not move, use the libraries of a compiler's toolset.
 */
export async function runBeside(
  { root }: Compiler,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  await makeRunnable(folder, folder, { now: root, later: root }, ownArch(), signal);
}

/** The folders with Perl's standard modules, as in PERL5LIB. */
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
