/**
 * The options of `lab` and its commands.
 *
 * @module
 */
import { type CoverageOptions, withCoverageOptions } from "./options/coverage.ts";
import { argumentOf } from "./options/value.ts";
import { caseFilesOption } from "./options/cases.ts";
import { Argument, type Command, Option } from "commander";
import { UsageError } from "../core/error.ts";
import type { Arch } from "../lab/arch.ts";
import type { VmRole } from "../lab/layout.ts";
import { againOf } from "./again.ts";
import { addLabExplore } from "./program_explore.ts";
import { addBisect, addVerdict } from "./program_verdict.ts";
import type { NamedLab } from "./lab.ts";
import type { InteropOptions } from "./lab_interop.ts";
import { examples, refuseIdle, secondsOption } from "./options/parse.ts";
import {
  CASES_HELP,
  type CasesOptions,
  directionOption,
  excludeOption,
  jobsOption,
  LAB_CASE_TIMEOUT,
  withCasesOptions,
} from "./options/run.ts";
import type { KernelToBuild } from "./lab_build_kernel.ts";
import type { KernelConfigOptions } from "./lab_kernel_config.ts";
import {
  archOption,
  type BootOptions,
  TOPOLOGIES,
  wholeTimeout,
  withKernelOptions,
} from "./options/vm.ts";

type Act = (code: number | Promise<number>) => void;

/** Adds `lab`. */
export function addLab(root: Command, act: Act): void {
  const lab = withCoverageOptions(withLabOptions(withCasesOptions(root.command("lab"), "lab")))
    .summary("boot VMs and run cases in them")
    .description("Boot VMs, run cases (ids, prefixes, * and **, !id to omit), shut down.")
    .addOption(new Option("--cross").hideHelp())
    .addHelpText(
      "after",
      examples("lab --topology loopback 'seqpacket/**'"),
    )
    .action(
      async (
        cases: string[],
        options: BootOptions & CasesOptions & CoverageOptions & { cross?: true },
        command: Command,
      ) => {
        if (options.cross) throw new UsageError('"lab --cross" is now "lab interop"');
        act((await import("./lab.ts")).lab(cases, { ...options, ...againOf(command) }));
      },
    )
    .hook("preSubcommand", (lab, below) => {
      const where = `before "${below.name()}"`;
      refuseIdle(lab, () => true, `does nothing ${where}: write it after that`);
    });
  addUp(lab, act);
  addInterop(lab, act);
  addLabExplore(lab, act);
  addVerdict(lab, act);
  addBisect(lab, act);
  addKernel(lab, act);
}

/** The commands for a lab that stays up. */
function addUp(lab: Command, act: Act): void {
  withName(withLabOptions(lab.command("up"))).description("boot a lab that stays up")
    .addOption(caseFilesOption())
    .addHelpText("after", examples("lab up --topology loopback --name second"))
    .action(async (options: BootOptions & NamedLab) =>
      act((await import("./lab.ts")).labUp(options))
    );
  withName(withCasesOptions(lab.command("run"), "lab"))
    .summary("run cases in the lab that is up")
    .description(`Run cases in the lab that is up.\n${CASES_HELP}`)
    .addOption(wholeTimeout())
    .addHelpText("after", examples("lab run stream/close --report html=close.html"))
    .action(
      async (
        cases: string[],
        options: CasesOptions & NamedLab & Pick<BootOptions, "timeout">,
        command: Command,
      ) => act((await import("./lab.ts")).labRun(cases, { ...options, ...againOf(command) })),
    );
  withName(lab.command("shell"))
    .addArgument(new Argument("<vm>", "which VM").choices(["host", "guest", "loopback"]))
    .summary("open a shell in a VM, or run a script from stdin")
    .description("Open a shell in a VM of the lab, or run a script from standard input there.")
    .addHelpText("after", examples("lab shell guest", "lab shell host < script"))
    .action(async (vm: VmRole, options: NamedLab) =>
      act((await import("./lab.ts")).labShell(vm, options))
    );
  withName(lab.command("down")).description("shut down the lab that is up")
    .addHelpText("after", examples("lab down"))
    .action(async (options: NamedLab) => act((await import("./lab.ts")).labDown(options)));
}

function addInterop(lab: Command, act: Act): void {
  withKernelOptions(
    lab.command("interop").addArgument(argumentOf("case", "[cases...]"))
      .summary("run against the kernel's C programs")
      .description(
        "Run each case in four pairings: vsock-conformance and the kernel's C program as server " +
          "and client. Without --topology, on loopback and between host and guest.\n" +
          CASES_HELP,
      )
      .addOption(new Option("--topology <which>", "VMs").choices(TOPOLOGIES))
      .addOption(directionOption())
      .addOption(excludeOption())
      .option(
        "--jobs <number>",
        "also time the runner and its agents, with so many jobs",
        jobsOption,
      )
      .addOption(
        secondsOption("--case-timeout <seconds>", "deadline of a case there", LAB_CASE_TIMEOUT),
      ),
  )
    .addHelpText("after", examples("lab interop --topology loopback stream/close"))
    .action(
      async (cases: string[], options: InteropOptions, command: Command) => {
        const timesRunner = (options.jobs ?? 1) > 1;
        refuseIdle(
          command,
          (name) => name === "caseTimeout" && !timesRunner,
          "is for the runner: add --jobs 2 or more",
        );
        act((await import("./lab_interop.ts")).labInterop(cases, options));
      },
    );
}

function addKernel(lab: Command, act: Act): void {
  lab.command("build-kernel")
    .addArgument(new Argument("<kernel>", "which kernel").choices(["debug", "coverage"]))
    .summary("build a kernel with KASAN, or one that counts lines")
    .description(
      "Build a debug kernel (KASAN, kmemleak, lockdep) for lab --kernel debug, or one that counts " +
        "which lines of AF_VSOCK run (gcov) for lab --coverage. It takes 12 minutes or more, and " +
        "4 GB of disk.",
    )
    .addOption(archOption())
    .option("--refresh", "build it again, even if there is one")
    .addHelpText("after", examples("lab build-kernel debug"))
    .action(async (kernel: KernelToBuild, options: { refresh?: true; arch?: Arch }) =>
      act((await import("./lab_build_kernel.ts")).labBuildKernel(kernel, options))
    );
  const kernel = lab.command("kernel").summary("what the lab needs of a kernel")
    .description("What the lab needs of a kernel.")
    .addHelpText("after", examples("lab kernel config >vsock.config"))
    .helpCommand(false);
  kernel.command("config")
    .summary("print a kconfig fragment")
    .description(
      "Print what the lab's VMs need as a kconfig fragment, for the kernel's " +
        "scripts/kconfig/merge_config.sh: over allnoconfig it is the smallest kernel that works.",
    )
    .addOption(new Option("--topology <which>", "VMs").choices(TOPOLOGIES).default("guest-host"))
    .addOption(archOption())
    .option("--debug", "with KASAN, kmemleak, and lockdep")
    .option("--coverage", "with gcov, for lab --coverage")
    .addHelpText("after", examples("lab kernel config --topology loopback >vsock.config"))
    .action(async (options: KernelConfigOptions) =>
      act((await import("./lab_kernel_config.ts")).labKernelConfig(options))
    );
  kernel.command("build", { hidden: true }).argument("[words...]").allowUnknownOption()
    .action(() => {
      throw new UsageError('"lab kernel build --debug" is now "lab build-kernel debug"');
    });
}

function withName(command: Command): Command {
  return command.option("--name <name>", "which lab, if several are up", "default");
}

function withLabOptions(command: Command): Command {
  return withKernelOptions(command.addOption(
    new Option("--topology <which>", "VMs").choices(TOPOLOGIES).default("guest-host"),
  ));
}
