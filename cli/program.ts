/**
 * The command line: all commands and options. The modules of commands are loaded when called.
 *
 * @module
 */
import { argumentOf, optionOf } from "./options/value.ts";
import { Argument, Command, Option } from "commander";
import { type Feature, FEATURES } from "../core/case.ts";
import { VERSION } from "../core/version.ts";
import { REPORT_FORMATS, type ReportFormat } from "../report/formats.ts";
import type { DiffOptions } from "../report/diff.ts";
import { TOKEN_VARIABLE } from "../control/token.ts";
import { DEFAULT_PORTS, portsOption } from "./access.ts";
import type { AgentOptions } from "./agent.ts";
import { againOf } from "./again.ts";
import type { CaseFilter } from "./case_facts.ts";
import type { PrintOptions } from "./list.ts";
import {
  addHelp,
  addressOption,
  choicesText,
  cidOption,
  COMMAND_HELP,
  COMMAND_OUTPUT,
  examples,
  HYBRID,
  secondsOption,
  STAND_IN,
  wholeNumber,
} from "./options/parse.ts";
import { caseFilesOption } from "./options/cases.ts";
import { CASES_HELP, withCasesOptions } from "./options/run.ts";
import type { ProbeOptions } from "./probe.ts";
import { addLab } from "./program_lab.ts";
import { addExplore } from "./program_explore.ts";
import { addMatrix } from "./program_matrix.ts";
import { addPerf } from "./program_perf.ts";
import { addWire } from "./program_wire.ts";
import type { RunOptions } from "./run.ts";

/** Receives the exit code of the chosen command. */
export type Act = (code: number | Promise<number>) => void;

const EXCLUSIVE = "nothing else uses this machine: also check its socket memory for leaks";
const MONITOR = "QMP socket of the guest's QEMU here: lets cases unplug devices";
const CRASH_JOURNAL =
  "file of its crash journal, for the process that replaces this one if it dies";
/** The shells with completions. */
const SHELLS = ["bash", "zsh", "fish"] as const;

/** The program. */
export function program(act: Act): Command {
  const root = new Command("vsock-conformance")
    // Commands inherit this; only cli.ts ends the process.
    .exitOverride()
    .configureOutput(COMMAND_OUTPUT)
    .configureHelp(COMMAND_HELP)
    // Options after a command belong to it, even if its parent has one with the same name.
    .enablePositionalOptions()
    .description("Checks whether an AF_VSOCK implementation behaves as it must.")
    .version(VERSION)
    .showHelpAfterError("(see --help)")
    .addHelpText("after", examples("lab", "run --peer-cid 3 --agent 192.0.2.7:5201"))
    .addHelpText(
      "after",
      "\nWith the options of the kernel's vsock_test and no command, it stands in for it:" +
        "\n  vsock-conformance --mode server --control-port 1234 --peer-cid 3",
    );
  addRun(root, act);
  addAgent(root, act);
  addProbe(root, act);
  addLab(root, act);
  addMatrix(root, act);
  addExplore(root, act);
  addWire(root, act);
  addPerf(root, act);
  addList(root, act);
  addExplain(root, act);
  addReport(root, act);
  root.command("completions")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .description("print the completion script of a shell")
    .addHelpText("after", examples("completions bash > ~/.bash_completion.d/vsock-conformance"))
    .action(async (shell: typeof SHELLS[number]) =>
      act((await import("./completions/words.ts")).completions(shell, root))
    );
  addHelp(root, "help run");
  return root;
}

function addRun(root: Command, act: Act): void {
  withCasesOptions(root.command("run"))
    .summary("run cases between this machine and one where an agent waits")
    .description(`Run cases between this machine and one where an agent waits.\n${CASES_HELP}`)
    .requiredOption("--peer-cid <cid>", "CID of the agent's machine; 1 is loopback", cidOption)
    .requiredOption("--agent <address>", "TCP address of the agent", addressOption("127.0.0.1"))
    .addOption(
      secondsOption(
        "--connect-timeout <seconds>",
        "keep trying to reach the agent for this long, also after losing it or while it is busy",
        10_000,
      ),
    )
    .addOption(optionOf("file", "--token-file <file>", "file with the agent's token"))
    .option("--token <token>", `the token; ps shows it, unlike --token-file or ${TOKEN_VARIABLE}`)
    .addOption(optionOf("file", "--guest-monitor <socket>", MONITOR))
    .addOption(optionOf("file", "--hybrid <socket>", HYBRID))
    .option("--exclusive", EXCLUSIVE)
    .addOption(new Option("--stand-in <name>", STAND_IN).hideHelp())
    .addHelpText(
      "after",
      examples(
        "run --peer-cid 3 --agent 192.0.2.7:5201 --token-file token",
        "run --peer-cid 1 --agent 127.0.0.1:5201 --report json=r.json",
      ),
    )
    .action(async (cases: string[], options: RunOptions, command: Command) =>
      act((await import("./run.ts")).run(cases, { ...options, ...againOf(command) }))
    );
}

function addProbe(root: Command, act: Act): void {
  root.command("probe")
    .summary("show what this machine and its kernel support")
    .description(
      "Show what this machine and its kernel support. Cases that need a missing feature are skipped.",
    )
    .option(
      "--peer-cid <cid>",
      "CID of the other machine, which decides the transport",
      cidOption,
      1,
    )
    .option("--json", "as JSON")
    .addOption(new Option("--stand-in <name>", STAND_IN).hideHelp())
    .addHelpText("after", examples("probe", "probe --peer-cid 2 --json"))
    .action(async (options: ProbeOptions) => act((await import("./probe.ts")).probe(options)));
}

function addAgent(root: Command, act: Act): void {
  root.command("agent")
    .description("wait for a controller and run this machine's side of the cases")
    .requiredOption("--peer-cid <cid>", "CID of the other machine; 2 is the host", cidOption)
    .requiredOption("--listen <address>", "TCP address to listen on", addressOption("127.0.0.1"))
    .addOption(caseFilesOption())
    .option("--once", "exit after one controller")
    .addOption(optionOf(
      "file",
      "--token-file <file>",
      "serve only controllers that know the token in this file, which is made if missing; " +
        "without it a new token is printed",
    ))
    .option("--allow-anyone", "serve anyone who can reach the address, without a token")
    .addOption(
      new Option("--ports <first-last>", "AF_VSOCK ports that cases may use")
        .argParser(portsOption).default(DEFAULT_PORTS, DEFAULT_PORTS.join("-")),
    )
    .addOption(optionOf("file", "--guest-monitor <socket>", MONITOR))
    .addOption(optionOf("file", "--hybrid <socket>", HYBRID).hideHelp())
    .option("--exclusive", EXCLUSIVE)
    .addOption(new Option("--stand-in <name>", STAND_IN).hideHelp())
    .addOption(new Option("--crash-journal <file>", CRASH_JOURNAL).hideHelp())
    .addOption(
      new Option("--after <status>", "status that the previous process ended with").hideHelp()
        .argParser(wholeNumber(0, 255)),
    )
    .addHelpText("after", examples("agent --peer-cid 2 --listen 0.0.0.0:5201 --token-file token"))
    .action(async (options: AgentOptions) => act((await import("./agent.ts")).agent(options)));
}

function addList(root: Command, act: Act): void {
  const features = Object.keys(FEATURES) as Feature[];
  root.command("list")
    .addArgument(
      argumentOf(
        "case",
        "[cases...]",
        "ids or prefixes of ids, with * and **; !id leaves a case out",
      ),
    )
    .summary("list the cases")
    .description(
      "List the cases. Text that matches no id is searched for in ids, titles, requirements " +
        "and sources.",
    )
    .addOption(caseFilesOption())
    .addOption(
      new Option("--needs <feature...>", "only cases that need all of these features")
        .choices(features),
    )
    .addOption(
      new Option("--without <feature...>", "only cases that need none of these features")
        .choices(features),
    )
    .addOption(
      new Option("--level <level>", "only requirements of this level").choices(["must", "should"]),
    )
    .option("--ported", "only cases that were ported from the kernel's tests")
    .option("--json", "print all facts about them, as JSON")
    .addHelpText(
      "after",
      `\n${choicesText("Features", features)}\n` +
        examples("list 'seqpacket/**'", "list MSG_TRUNC", "list --without zerocopy --json"),
    )
    .action(async (cases: string[], options: CaseFilter & PrintOptions) =>
      act((await import("./list.ts")).list(cases, options))
    );
}

function addExplain(root: Command, act: Act): void {
  root.command("explain")
    .addArgument(argumentOf("case", "<case>", "an id, with * and **"))
    .description("explain what a case requires, and why")
    .addOption(caseFilesOption())
    .option("--json", "as JSON")
    .addHelpText("after", examples("explain seqpacket/msg-trunc"))
    .action(async (id: string, options: PrintOptions) =>
      act((await import("./list.ts")).explain(id, options))
    );
}

function addReport(root: Command, act: Act): void {
  const report = root.command("report").description("render, compare, or merge stored reports")
    .addHelpText(
      "after",
      examples("report html run.json -o run.html", "report diff a.json b.json"),
    );
  for (const [format, what] of Object.entries(REPORT_FORMATS)) {
    report.command(format).description(what)
      .addArgument(
        argumentOf("file", "<file>", "a JSON report, as --report json=FILE writes it; - is stdin"),
      )
      .addOption(
        optionOf("file", "-o, --output <file>", "write to this file instead of standard output"),
      )
      .addHelpText("after", examples(`report ${format} run.json`))
      .action(async (file: string, options: { output?: string }) =>
        act((await import("./report.ts")).render(format as ReportFormat, file, options))
      );
  }
  report.command("diff").description("show what changed; exit code 1 if anything got worse")
    .addArgument(argumentOf("file", "<before>", "a JSON report, or a folder of several"))
    .addArgument(argumentOf("file", "[after]", "a later one; none if that is a folder"))
    .option("--subset", "the later run was meant to have fewer cases; none of those missing counts")
    .addHelpText("after", examples("report diff yesterday.json today.json", "report diff runs/"))
    .action(async (before: string, after: string | undefined, options: DiffOptions) =>
      act(
        after === undefined
          ? (await import("./report_history.ts")).history(before)
          : (await import("./report.ts")).diff(before, after, options),
      )
    );
  report.command("merge").description("one report of several: the shards of a run")
    .addArgument(argumentOf("file", "<files...>", "JSON reports, none with a case of another"))
    .addOption(
      optionOf("file", "-o, --output <file>", "write to this file, not to standard output"),
    )
    .addHelpText("after", examples("report merge shard-*.json -o run.json"))
    .action(async (files: string[], options: { output?: string }) =>
      act((await import("./report.ts")).merge(files, options))
    );
  addHelp(report, "report help diff");
}
