/**
 * The options of `explore` and `lab explore`.
 *
 * @module
 */
import { type Command, Option } from "commander";
import type { Topology } from "../core/plan.ts";
import { TOKEN_VARIABLE } from "../control/token.ts";
import {
  addHelp,
  addressOption,
  cidOption,
  examples,
  refuseIdle,
  secondsOption,
  seedOption,
  several,
  vsockPortOption,
} from "./options/parse.ts";
import { reportOption } from "./options/report.ts";
import { DEFAULT_PORT, PORT_TEXT } from "./options/run.ts";
import { argumentOf, optionOf } from "./options/value.ts";
import { withKernelOptions } from "./options/vm.ts";
import type { ExploreCommandOptions, LabExploreOptions } from "./explore.ts";

/** Three vsock devices are no more to a socket than one. */
const TOPOLOGIES: readonly Topology[] = ["loopback", "guest-host", "three-cids"];

type Act = (code: number | Promise<number>) => void;

/** How long to explore by default, in milliseconds. */
const EXPLORE_TIME = 60_000;

/** Adds `explore`. */
export function addExplore(root: Command, act: Act): void {
  const explore = withAgent(withExploring(root.command("explore")))
    .description("make random calls, and check the answers against a model of AF_VSOCK")
    .addHelpText("after", examples("explore --agent 127.0.0.1:5201 --for 60"))
    .action(async (options: ExploreCommandOptions) =>
      act((await import("./explore.ts")).exploreCommand(options))
    );
  refuseInFront(explore);
  withAgent(withReplaying(explore.command("replay")))
    .description("replay what explore --save kept; exit code 1 if it still fails")
    .addArgument(argumentOf("file", "<file>", "what --save wrote"))
    .addHelpText("after", examples("explore replay found.json --agent 127.0.0.1:5201"))
    .action(async (file: string, options: ExploreCommandOptions) =>
      act((await import("./explore.ts")).replayCommand(file, options))
    );
  addFileCommands(explore, act);
  addHelp(explore, "explore help replay");
}

/** Those that need no machine. */
function addFileCommands(explore: Command, act: Act): void {
  explore.command("case")
    .description("write what explore --save kept as a case, for --cases, to standard output")
    .addArgument(argumentOf("file", "<file>", "what --save wrote, or the lines of a story"))
    .addHelpText("after", examples("explore case found.json > found_case.ts"))
    .action(async (file: string) => act((await import("./explore_files.ts")).exploreCase(file)));
  explore.command("diff")
    .description("show the first call on which two runs of the same seed differ; exit code 1")
    .addArgument(argumentOf("file", "<first>", "what --record wrote"))
    .addArgument(argumentOf("file", "<second>", "what it wrote on another kernel"))
    .addHelpText("after", examples("explore diff before.json after.json"))
    .action(async (first: string, second: string) =>
      act((await import("./explore_files.ts")).exploreDiff(first, second))
    );
}

/** Adds `lab explore`. */
export function addLabExplore(lab: Command, act: Act): void {
  const explore = withVm(withExploring(lab.command("explore")))
    .description("make random calls in a VM")
    .addHelpText(
      "after",
      examples(
        "lab explore --for 60                     # on loopback",
        "lab explore --kernel ./bzImage --save found.json",
      ),
    )
    .action(async (options: LabExploreOptions) =>
      act((await import("./explore.ts")).labExplore(options))
    );
  refuseInFront(explore);
  withVm(withReplaying(explore.command("replay")))
    .description("replay what explore --save kept; exit code 1 if it still fails")
    .addArgument(argumentOf("file", "<file>", "what --save wrote"))
    .addHelpText("after", examples("lab explore replay found.json --kernel debian:6.12"))
    .action(async (file: string, options: LabExploreOptions) =>
      act((await import("./explore.ts")).labReplay(file, options))
    );
  addHelp(explore, "lab explore help replay");
}

function refuseInFront(explore: Command): void {
  explore.hook("preSubcommand", (above, below) => {
    const where = `before "${below.name()}"`;
    refuseIdle(above, () => true, `does nothing ${where}: write it after that`);
  });
}

function withReplaying(command: Command): Command {
  return command
    .option("--peer-port <port>", PORT_TEXT, vsockPortOption, DEFAULT_PORT)
    .option("--strict", "tolerate no known deviation of the kernel");
}

function withExploring(command: Command): Command {
  return withReplaying(command)
    .addOption(secondsOption("--for <seconds>", "how long to explore", EXPLORE_TIME))
    .option("--seed <number>", "repeat the randomness of an earlier time", seedOption)
    .addOption(optionOf("file", "--save <file>", "keep a failure here, for explore replay"))
    .addOption(optionOf("file", "--record <file>", "keep all calls and answers, for explore diff"))
    .addOption(
      optionOf("report", "--report <format=file>", "write a report, a verdict for each rule")
        .argParser(several(reportOption)),
    );
}

function withAgent(command: Command): Command {
  return command
    .option("--peer-cid <cid>", "CID of the agent's machine; 1: its loopback", cidOption, 1)
    // Commander would ask for a required one in front of "replay", too.
    .option("--agent <address>", "where the agent listens, TCP", addressOption("127.0.0.1"))
    .addOption(
      secondsOption("--connect-timeout <seconds>", "how long to try to reach it", 10_000),
    )
    .addOption(optionOf("file", "--token-file <file>", "file with the agent's token"))
    .option("--token <token>", `the token; ps shows it, unlike --token-file or ${TOKEN_VARIABLE}`);
}

function withVm(command: Command): Command {
  command.addOption(
    new Option("--topology <which>", "what VMs there are").choices(TOPOLOGIES).default("loopback"),
  );
  return withKernelOptions(command);
}
