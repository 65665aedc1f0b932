/**
 * What the lab's VMs need of a kernel's configuration: as a fragment to build one from, and as a look
 * at the configuration of one that was built.
 *
 * @module
 */
import type { ArchTraits } from "../arch.ts";

const FOLDER = new URL("../../fixtures/kernel/", import.meta.url);

/** What a configuration is for. */
export interface ConfigWanted {
  readonly arch: Pick<ArchTraits, "kernelFolder">;
  /** Whether one VM is the host of another. */
  readonly hasGuest: boolean;
  /** With what finds faults: KASAN, kmemleak, lockdep. */
  readonly debug?: boolean | undefined;
  /** With what counts which lines run: gcov. */
  readonly coverage?: boolean | undefined;
}

/** An option that a kernel lacks, as kconfig names it, with `CONFIG_`. */
export interface Missing {
  readonly option: string;
  /** What the lab's VMs need it for. */
  readonly purpose: string;
  /** It is a module, and no VM of the lab loads it. */
  readonly isModule: boolean;
}

/** Options that may be `m`: the lab loads these modules (see MODULES in kept.ts). */
const LOADED = new Set([
  ...["VIRTIO_PCI", "VIRTIO_BLK", "VIRTIO_NET", "EXT4_FS", "KVM", "KVM_AMD"],
  ...["VSOCKETS", "VSOCKETS_LOOPBACK", "VIRTIO_VSOCKETS", "VHOST_VSOCK"],
].map((name) => `CONFIG_${name}`));

/** Comments of options without which VMs work, too. */
const DISPENSABLE = /^(menus|optional: .*)$/;

/** The files of fixtures/kernel that make up a configuration. */
function filesOf({ arch: { kernelFolder }, hasGuest, debug, coverage }: ConfigWanted): string[] {
  return [
    ...["lab", `lab-${kernelFolder}`],
    ...hasGuest ? [`pair-${kernelFolder}`] : [],
    ...debug ? ["debug"] : [],
    ...coverage ? ["coverage"] : [],
  ].map((name) => `${name}.config`);
}

/** A fragment for the kernel's scripts/kconfig/merge_config.sh. */
export async function configFragment(wanted: ConfigWanted): Promise<string> {
  const texts = filesOf(wanted).map((name) => Deno.readTextFile(new URL(name, FOLDER)));
  const lines = (await Promise.all(texts)).join("\n").split("\n");
  // What only some cases need in one VM, a host with a guest needs in any case: that line counts.
  const isLast = (line: string, at: number) =>
    !line.startsWith("CONFIG_") || lines.lastIndexOf(line) === at;
  return lines.filter(isLast).join("\n");
}

/**
 * Looks for what the lab's VMs need.
 *
 * @param config the text of a `.config`.
 * @returns what it lacks, in the order of the fragment.
 */
export async function missingOptions(config: string, wanted: ConfigWanted): Promise<Missing[]> {
  const set = new Map(
    [...config.matchAll(/^(CONFIG_\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );
  const missing: Missing[] = [];
  let purpose = "";
  for (
    const line of (await configFragment({ ...wanted, debug: false, coverage: false })).split("\n")
  ) {
    if (line.startsWith("# ")) purpose = line.slice(2);
    const option = /^(CONFIG_\w+)=y$/.exec(line)?.[1];
    if (option === undefined || DISPENSABLE.test(purpose)) continue;
    const value = set.get(option);
    if (value === "y" || (value === "m" && LOADED.has(option))) continue;
    missing.push({ option, purpose, isModule: value === "m" });
  }
  return missing;
}

/** What is missing as text, and the command that sets it. */
export function missingText(missing: readonly Missing[]): string {
  const purposes = [...new Set(missing.map(({ purpose }) => purpose))];
  const lines = purposes.map((purpose) => {
    const options = missing.filter((each) => each.purpose === purpose)
      .map(({ option, isModule }) => isModule ? `${option} (is a module: y is needed)` : option);
    return `  ${options.join(", ")}: ${purpose}`;
  });
  const set = missing.map(({ option }) => `-e ${option.replace(/^CONFIG_/, "")}`).join(" ");
  return `${lines.join("\n")}\nSet them in the kernel's tree, and build it again:\n` +
    `  scripts/config ${set} && make olddefconfig`;
}

/** One fragment of several: the later decides. */
export function mergedConfig(fragments: readonly string[]): string {
  const set = new Map<string, string>();
  for (const line of fragments.join("\n").split("\n")) {
    const option = /^CONFIG_\w+/.exec(line)?.[0];
    if (option !== undefined) set.set(option, line);
  }
  return `${[...set.values()].join("\n")}\n`;
}
