/**
 * The command `lab kernel config`: what the lab needs of a kernel, for whoever configures one.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import type { Topology } from "../core/plan.ts";
import { type Arch, chosenArch } from "../lab/arch.ts";
import { hasGuest } from "../lab/layout.ts";
import { configFragment } from "../lab/kernel/config.ts";
import { screenOf } from "../report/screen.ts";

/** What the fragment is for. */
export interface KernelConfigOptions {
  readonly topology: Topology;
  /** Without, this machine's. */
  readonly arch?: Arch | undefined;
  readonly debug?: true | undefined;
  readonly coverage?: true | undefined;
}

/** Prints a kconfig fragment. */
export async function labKernelConfig(
  { topology, arch, debug, coverage }: KernelConfigOptions,
): Promise<number> {
  const wanted = { arch: chosenArch(arch), hasGuest: hasGuest(topology), debug, coverage };
  screenOf(Deno.stdout).write(await configFragment(wanted));
  return EXIT.ok;
}
