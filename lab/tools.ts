/**
 * The programs that the lab needs on this machine: found, or installed from Debian's packages.
 *
 * @module
 */
import { Archive } from "./apt.ts";
import { output } from "./command.ts";
import { LabError } from "./error.ts";
import type { Progress } from "./progress.ts";
import { qemuAt, type QemuProgram } from "./qemu_program.ts";

/** A program, and the Debian package that has it. */
export interface Tool {
  readonly program: string;
  readonly package: string;
  /** Whether the file that was found will do. */
  readonly suits?: (path: string) => Promise<boolean>;
}

const QEMU = {
  qemu: { program: "qemu-system-x86_64", package: "qemu-system-x86" },
} as const satisfies Record<string, Tool>;
const TOOLS = {
  busybox: { program: "busybox", package: "busybox-static", suits: isStatic },
  mke2fs: { program: "mke2fs", package: "e2fsprogs" },
  xz: { program: "xz", package: "xz-utils" },
  ldd: { program: "ldd", package: "libc-bin" },
} as const satisfies Record<string, Tool>;

/** What is needed to build the kernel's own C tests, for the runs opposite them. */
const COMPILER = {
  gcc: { program: "gcc", package: "gcc" },
  make: { program: "make", package: "make" },
  tar: { program: "tar", package: "tar" },
} as const satisfies Record<string, Tool>;

/** What is needed to build a kernel's modules. */
const MODULE_TOOLS = {
  ...COMPILER,
  patch: { program: "patch", package: "patch" },
  xz: TOOLS.xz,
} as const satisfies Record<string, Tool>;

/** Packages of libraries that they need, each with a header of its. */
const HEADERS = { "libc6-dev": "stdio.h", "liburing-dev": "liburing.h" } as const;

/** What is needed to build a kernel. */
const KERNEL_TOOLS = {
  ...MODULE_TOOLS,
  bc: { program: "bc", package: "bc" },
  bison: { program: "bison", package: "bison" },
  flex: { program: "flex", package: "flex" },
  perl: { program: "perl", package: "perl" },
} as const satisfies Record<string, Tool>;
const KERNEL_HEADERS = {
  "libc6-dev": "stdio.h",
  "libelf-dev": "libelf.h",
  "libssl-dev": "openssl/ssl.h",
} as const;

/** Where each program is, and which QEMU it is. */
export type Tools = Readonly<Record<keyof typeof TOOLS, string>> & { readonly qemu: QemuProgram };

const FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * Finds the lab's programs, and installs what is missing where that is possible.
 *
 * @param qemu the path of a QEMU to use instead of this machine's.
 * @throws {LabError} with the command to run, where it is not.
 */
export async function requireTools(progress: Progress, qemu?: string): Promise<Tools> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new LabError(
      `The lab boots x86-64 VMs on x86-64 Linux, and this is ${Deno.build.arch} ` +
        `${Deno.build.os}; use "run" and "agent" on machines of your own`,
    );
  }
  if (qemu !== undefined) {
    return { qemu: await qemuAt(qemu), ...await requirePrograms(TOOLS, [], progress) };
  }
  const found = await requirePrograms({ ...QEMU, ...TOOLS }, [], progress);
  return { ...found, qemu: await qemuAt(found.qemu) };
}

/** As {@linkcode requireTools}, for what builds C programs. */
export async function requireCompiler(progress: Progress): Promise<void> {
  await requirePrograms(COMPILER, await missingHeaders(HEADERS), progress);
}

/** As {@linkcode requireTools}, for what builds kernels. */
export async function requireKernelTools(progress: Progress): Promise<void> {
  await requirePrograms(KERNEL_TOOLS, await missingHeaders(KERNEL_HEADERS), progress);
}

/** The packages whose header is not there. */
async function missingHeaders(headers: Readonly<Record<string, string>>): Promise<string[]> {
  const missing: string[] = [];
  for (const [name, header] of Object.entries(headers)) {
    if (!await exists(`/usr/include/${header}`)) missing.push(name);
  }
  return missing;
}

/** As {@linkcode requireTools}, for what builds modules of a kernel. */
export async function requireModuleTools(progress: Progress): Promise<void> {
  await requirePrograms(MODULE_TOOLS, [], progress);
}

/**
 * As {@linkcode requireTools}, for any programs.
 *
 * @param also packages that are to be installed besides.
 * @returns where each program is.
 */
export async function requirePrograms<K extends string>(
  tools: Readonly<Record<K, Tool>>,
  also: readonly string[],
  progress: Progress,
): Promise<Record<K, string>> {
  const names = Object.keys(tools) as K[];
  const missing = async () => {
    const packages: string[] = [];
    for (const name of names) {
      if (await find(tools[name]) === undefined) packages.push(tools[name].package);
    }
    return packages;
  };
  const packages = [...await missing(), ...also];
  if (packages.length > 0) {
    await install(packages, progress);
    const still = await missing();
    if (still.length > 0) throw new LabError(`Installed ${still.join(" ")}, but cannot find it`);
  }
  const found = {} as Record<K, string>;
  for (const name of names) found[name] = await find(tools[name]) ?? "";
  return found;
}

async function install(packages: readonly string[], progress: Progress): Promise<void> {
  const command = `apt-get install --no-install-recommends ${packages.join(" ")}`;
  if (!await exists("/usr/bin/apt-get")) {
    throw new LabError(
      `This machine lacks what these Debian packages have: ${packages.join(" ")}; ` +
        "install it by your distribution's means (QEMU for x86, a static busybox, e2fsprogs, xz)",
    );
  }
  if (Deno.uid() !== 0) {
    throw new LabError(`The lab needs packages that are not installed; run:\n  sudo ${command}`);
  }
  const osRelease = await Deno.readTextFile("/etc/os-release").catch(() => "");
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(osRelease)?.[1];
  await progress.phase("install", `installing ${packages.join(" ")}`, async () => {
    const release = OLD_QEMU.find((name) => name === codename);
    if (release !== undefined) return await (await Archive.open()).install(packages, release);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await output("apt-get", ["-q", "update"], { env });
    await output("apt-get", ["-qy", "install", "--no-install-recommends", ...packages], { env });
  });
}

/** Debian's releases whose QEMU is older than hasSafeThreads() wants; their backports are not. */
const OLD_QEMU = ["bookworm"];

async function find(tool: Tool): Promise<string | undefined> {
  const folders = [...new Set([...(Deno.env.get("PATH") ?? "").split(":"), ...FOLDERS])];
  for (const folder of folders) {
    const path = `${folder}/${tool.program}`;
    if (await exists(path) && await (tool.suits?.(path) ?? true)) return path;
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile).catch(() => false);
}

/** Whether a program needs no shared libraries: its ELF header has no PT_INTERP segment. */
async function isStatic(path: string): Promise<boolean> {
  const file = await Deno.readFile(path);
  const view = new DataView(file.buffer);
  if (view.getUint32(0) !== 0x7f454c46) return false;
  const start = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  const types = Array.from({ length: count }, (_, i) => view.getUint32(start + i * size, true));
  return !types.includes(3);
}
