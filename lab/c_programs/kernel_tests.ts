/**
 * Builds the kernel's C tests, against which `lab interop` runs our cases, from Debian's package of
 * the kernel's source.
 *
 * @module
 */
import { cached, sha256Text } from "../host/cache.ts";
import { output } from "../host/command.ts";
import type { CpioEntry } from "../image/cpio.ts";
import { unpackSource } from "../kernel/source.ts";
import { type Progress, waiting } from "../progress.ts";
import type { ArchTraits } from "../arch.ts";
import { type Compiler, compilerFor } from "../host/compiler.ts";

/** The programs, each with its files in tools/testing/vsock and its libraries. */
const PROGRAMS = {
  vsock_test: {
    files: "vsock_test vsock_test_zerocopy timeout control util msg_zerocopy_common".split(" "),
    libraries: ["-lpthread"],
  },
  vsock_diag_test: { files: "vsock_diag_test timeout control util".split(" "), libraries: [] },
  vsock_uring_test: {
    files: "vsock_uring_test timeout control util msg_zerocopy_common".split(" "),
    libraries: ["-luring"],
  },
  vsock_perf: { files: "vsock_perf msg_zerocopy_common".split(" "), libraries: [] },
} as const;

/** Static, so that they run in a VM without libraries. */
const FLAGS: readonly string[] =
  "-O2 -w -static -D_GNU_SOURCE -U_FORTIFY_SOURCE -fno-strict-aliasing -fno-strict-overflow"
    .split(" ");

/** The parts of the source tree that are needed. */
const WANTED = ["tools/testing/vsock", "tools/include", "include/uapi"];

/** The folder of the programs in a VM. */
export const C_FOLDER = "c";

/** The C programs. */
export interface CSuite {
  /** The name and version of the package that they were built from. */
  readonly source: string;
  /** The programs in {@linkcode C_FOLDER}, as files for a VM. */
  readonly files: readonly CpioEntry[];
}

/**
 * The C programs as files for a VM. If necessary they are built from the newest kernel source in the
 * archive, which is a download of 170 MB.
 */
export async function cPrograms(arch: ArchTraits, progress: Progress): Promise<CSuite> {
  const key = (await sha256Text(JSON.stringify([PROGRAMS, FLAGS]))).slice(0, 16);
  const folder = await cached(
    ["csuite", `${arch.name}-${key}`],
    (making) => buildAll(arch, making, progress),
    (what) => progress.log(`${what}; building it again`),
    waiting(progress),
  );
  const files = await Promise.all(
    Object.keys(PROGRAMS).map(async (name): Promise<CpioEntry> => {
      const data = await Deno.readFile(`${folder}/${name}`);
      return { path: `${C_FOLDER}/${name}`, data, executable: true };
    }),
  );
  return {
    source: await Deno.readTextFile(`${folder}/source`),
    files: [{ path: C_FOLDER, folder: true }, ...files],
  };
}

async function buildAll(arch: ArchTraits, making: string, progress: Progress): Promise<void> {
  const compiler = await compilerFor(arch, "programs", progress);
  const unpacked = `${making}/unpacked`;
  const { name, root } = await unpackSource(unpacked, compiler.env, progress, WANTED);
  await progress.phase("C tests", "building the kernel's C tests", async () => {
    for (const [program, { files, libraries }] of Object.entries(PROGRAMS)) {
      const sources = files.map((file) => `${root}/tools/testing/vsock/${file}.c`);
      const headers = [`-I${root}/tools/include`, `-I${root}/include/uapi`];
      const args = [...headers, "-o", `${making}/${program}`, ...sources, ...libraries];
      await compile(compiler, args, progress.stop);
    }
  });
  await Deno.writeTextFile(`${making}/source`, name);
  await Deno.remove(unpacked, { recursive: true });
}

/** Compiles a static program. */
export async function compile(
  { cc, flags, env }: Compiler,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // The source's headers take precedence over those of the compiler's packages.
  await output(cc, [...FLAGS, ...args, ...flags], { env, signal });
}
