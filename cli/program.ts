/**
 * The command line: what there is, with help. Commands are loaded when they are called.
 *
 * @module
 */
import { Argument, Command, Option } from "@commander-js/extra-typings";
import type { Command as PlainCommand } from "commander";
import { type Feature, FEATURES } from "../core/case.ts";
import { VERSION } from "../core/version.ts";
import { REPORT_FORMATS, type ReportFormat } from "../report/formats.ts";
import { DEFAULT_PORTS, portsOption } from "./access.ts";
import { againArguments } from "./again.ts";
import { CASE_FILES, CASE_FILES_TEXT } from "./options/cases.ts";
import { CASES_TEXT, withConductOptions } from "./options/run.ts";
import { archOption, isOfVms, wholeTimeout, withKernelOptions } from "./options/vm.ts";
import { addPerf } from "./program_perf.ts";
import {
  addHelp,
  addressOption,
  cidOption,
  COMMAND_HELP,
  COMMAND_OUTPUT,
  examples,
  refuseIdle,
  secondsOption,
  several,
  STAND_IN,
  wholeNumber,
} from "./options/parse.ts";
import { TOKEN_VARIABLE } from "../control/token.ts";

const EXCLUSIVE = "nothing else goes on here: count the memory of the kernel's sockets, too";
const MONITOR = "monitor (QMP) of the guest's QEMU here: lets cases unplug its devices";
const TESTAMENT = "keeps here what the process needs that is started when this one dies";
/** The shells for which there are completions. */
const SHELLS = ["bash", "zsh", "fish"] as const;

/**
 * The program.
 *
 * @param act is given what the chosen command returns: the exit code.
 */
export function program(act: (code: number | Promise<number>) => void): Command {
  const root = new Command("vsock-conformance")
    // Commands inherit this; only cli.ts ends the process.
    .exitOverride()
    .configureOutput(COMMAND_OUTPUT)
    .configureHelp(COMMAND_HELP)
    // What follows a command is that command's, also where its parent has an option of that name.
    .enablePositionalOptions()
    .description("Tells whether an AF_VSOCK implementation does what it must.")
    .version(VERSION)
    .showHelpAfterError("(add --help for what can be given)")
    .addHelpText("after", examples("lab", "run --peer-cid 3 --agent 192.0.2.7:5201"))
    .addHelpText(
      "after",
      "\nWith the options of the kernel's vsock_test and no command, it stands in for that program:" +
        "\n  vsock-conformance --mode server --control-port 1234 --peer-cid 3",
    );
  addRun(root, act);
  addAgent(root, act);
  addProbe(root, act);
  addLab(root, act);
  addPerf(root as unknown as PlainCommand, act);
  addCatalogue(root, act);
  addReport(root, act);
  root.command("completions")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .description("print what lets a shell complete commands, options and cases")
    .addHelpText("after", examples("completions bash > ~/.bash_completion.d/vsock-conformance"))
    .action(async (shell) =>
      act((await import("./completions/words.ts")).completions(shell, root as unknown as Command))
    );
  addHelp(root as unknown as PlainCommand, "help run");
  return root as unknown as Command;
}

type Act = Parameters<typeof program>[0];

/** What runs cases as a command does, for its reports. */
function againOf(command: unknown) {
  return { again: againArguments(command as PlainCommand, Deno.args) };
}

function addRun(root: Command, act: Act): void {
  withConductOptions(root.command("run"))
    .description("run cases between this machine and one where an agent waits")
    .requiredOption("--peer-cid <cid>", "CID of the agent's machine: 1 is loopback", cidOption)
    .requiredOption("--agent <address>", "where the agent listens, TCP", addressOption("127.0.0.1"))
    .addOption(
      secondsOption(
        "--connect-timeout <seconds>",
        "how long to try to reach it, also anew, or while it serves another",
        10_000,
      ),
    )
    .option("--token-file <file>", "file with the agent's token")
    .option(
      "--token <token>",
      `the token itself; visible in ps, unlike --token-file or ${TOKEN_VARIABLE}`,
    )
    .option("--guest-monitor <socket>", MONITOR)
    .option("--exclusive", EXCLUSIVE)
    .addOption(new Option("--stand-in <name>", STAND_IN).hideHelp())
    .addHelpText(
      "after",
      examples(
        "run --peer-cid 3 --agent 192.0.2.7:5201 --token-file token",
        "run --peer-cid 1 --agent 127.0.0.1:5201 --report json=run.json --report junit=run.xml",
      ),
    )
    .action(async (cases, options, command) =>
      act((await import("./run.ts")).run(cases, { ...options, ...againOf(command) }))
    );
}

function addProbe(root: Command, act: Act): void {
  root.command("probe")
    .description(
      "show what this machine and its kernel offer; what a case lacks, it is skipped for",
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
    .action(async (options) => act((await import("./probe.ts")).probe(options)));
}

function addAgent(root: Command, act: Act): void {
  root.command("agent")
    .description("wait here for a controller, and run this machine's side of the cases")
    .requiredOption("--peer-cid <cid>", "CID of the other machine: 2 is the host", cidOption)
    .requiredOption("--listen <address>", "TCP address to wait on", addressOption("127.0.0.1"))
    .option(CASE_FILES, CASE_FILES_TEXT, several(String))
    .option("--once", "end after one controller")
    .option(
      "--token-file <file>",
      "serve only who knows the token in this file (made if missing); without it one is printed",
    )
    .option("--allow-anyone", "serve anyone who can reach the address, without a token")
    .addOption(
      new Option("--ports <first-last>", "AF_VSOCK ports that cases may use")
        .argParser(portsOption).default(DEFAULT_PORTS, DEFAULT_PORTS.join("-")),
    )
    .option("--guest-monitor <socket>", MONITOR)
    .option("--exclusive", EXCLUSIVE)
    .addOption(new Option("--stand-in <name>", STAND_IN).hideHelp())
    .addOption(new Option("--testament <file>", TESTAMENT).hideHelp())
    .addOption(
      new Option("--after <status>", "how the process before ended").hideHelp()
        .argParser(wholeNumber(0, 255)),
    )
    .addHelpText("after", examples("agent --peer-cid 2 --listen 0.0.0.0:5201 --token-file token"))
    .action(async (options) => act((await import("./agent.ts")).agent(options)));
}

function addCatalogue(root: Command, act: Act): void {
  const features = Object.keys(FEATURES) as Feature[];
  root.command("list")
    .argument("[cases...]", CASES_TEXT)
    .description("show the cases")
    .option(CASE_FILES, CASE_FILES_TEXT, several(String))
    .addOption(new Option("--needs <feature...>", "only what needs these").choices(features))
    .addOption(new Option("--without <feature...>", "only what needs none").choices(features))
    .addOption(
      new Option("--level <level>", "only what must or should hold").choices(
        ["must", "should"] as const,
      ),
    )
    .option("--ported", "only what was ported from the kernel's tests")
    .option("--json", "all that is known of them, as JSON")
    .addHelpText("after", examples("list 'seqpacket/**'", "list --without zerocopy --json"))
    .action(async (cases, options) => act((await import("./list.ts")).list(cases, options)));
  root.command("explain")
    .argument("<case>", "an id, with * and **")
    .description("show what a case requires, and why")
    .option(CASE_FILES, CASE_FILES_TEXT, several(String))
    .option("--json", "as JSON")
    .addHelpText("after", examples("explain seqpacket/msg-trunc"))
    .action(async (id, options) => act((await import("./list.ts")).explain(id, options)));
}

function addReport(root: Command, act: Act): void {
  const report = root.command("report").description("render the stored report of a run, or compare")
    .addHelpText(
      "after",
      examples("report html run.json -o run.html", "report diff a.json b.json"),
    );
  for (const [format, what] of Object.entries(REPORT_FORMATS)) {
    report.command(format).description(what)
      .argument("<file>", "what --report json=FILE wrote; - is standard input")
      .option("-o, --output <file>", "where to, instead of standard output")
      .addHelpText("after", examples(`report ${format} run.json`))
      .action(async (file, options) =>
        act((await import("./report.ts")).render(format as ReportFormat, file, options))
      );
  }
  report.command("diff").description("what changed; exit code 1 where it is for the worse")
    .argument("<before>", "a report, a file of JSON")
    .argument("<after>", "a later one")
    .option("--subset", "the later one was meant to have fewer cases: none that is gone is worse")
    .addHelpText("after", examples("report diff yesterday.json today.json"))
    .action(async (before, after, options) =>
      act((await import("./report.ts")).diff(before, after, options))
    );
  addHelp(report as unknown as PlainCommand, "report help diff");
}

/** Cases of an emulated VM in an emulated VM take their time. */
const LAB_CASE_TIMEOUT = 60_000;

// deno-lint-ignore length/function -- to be split with the command line
function addLab(root: Command, act: Act): void {
  const lab = withLabOptions(withConductOptions(root.command("lab"), LAB_CASE_TIMEOUT))
    .description("boot VMs, run cases in them, and end them")
    .option("--cross", "ours and the kernel's C programs, four ways")
    .addHelpText("after", examples(...LAB_EXAMPLES))
    .action(async (cases, options, command) => {
      if (!options.cross) {
        const { lab } = await import("./lab.ts");
        return act(lab(cases, { ...options, ...againOf(command) }));
      }
      refuseIdle(command, isIdleAcross(options.jobs), "does nothing with --cross: leave it out");
      const isDefault = command.getOptionValueSource("topology") === "default";
      const topologies = isDefault ? ["loopback", "guest-host"] as const : [options.topology];
      const chosen = [...cases, ...(options.exclude ?? []).map((pattern) => `!${pattern}`)];
      act((await import("./lab_interop.ts")).labCross(chosen, { ...options, topologies }));
    })
    .hook("preSubcommand", (lab, below) => {
      const where = `in front of "${below.name()}"`;
      refuseIdle(lab, () => true, `does nothing ${where}: write it behind that`);
    });
  withName(withLabOptions(lab.command("up"))).description("boot a lab that stays up")
    .option(CASE_FILES, CASE_FILES_TEXT, several(String))
    .addHelpText("after", examples("lab up --topology loopback --name second"))
    .action(async (options) => act((await import("./lab.ts")).labUp(options)));
  withName(withConductOptions(lab.command("run"), LAB_CASE_TIMEOUT))
    .description("run cases in the lab that is up")
    .addOption(wholeTimeout())
    .addHelpText("after", examples("lab run stream/close --report html=close.html"))
    .action(async (cases, options, command) =>
      act((await import("./lab.ts")).labRun(cases, { ...options, ...againOf(command) }))
    );
  const kernel = lab.command("kernel").description("kernels of the lab's own")
    .addHelpText("after", examples("lab kernel build --debug"));
  kernel.command("build")
    .description("build a kernel that tells of its own faults; then: lab --kernel debug")
    .requiredOption("--debug", "with KASAN, kmemleak and lockdep: 12 min or more, 4 GB of disk")
    .addOption(archOption())
    .option("--refresh", "anew, though there is one")
    .addHelpText("after", examples("lab kernel build --debug"))
    .action(async (options) => act((await import("./lab.ts")).labKernelBuild(options)));
  addHelp(kernel as unknown as PlainCommand, "lab kernel help build");
  withName(lab.command("down")).description("end the lab that is up")
    .addHelpText("after", examples("lab down"))
    .action(async (options) => act((await import("./lab.ts")).labDown(options)));
  withName(lab.command("shell"))
    .addArgument(new Argument("<which>", "VM").choices(["host", "guest", "loopback"] as const))
    .description("a shell in one of the lab's VMs; a script when something is piped in")
    .addHelpText("after", examples("lab shell guest", "lab shell host < script"))
    .action(async (which, options) => act((await import("./lab.ts")).labShell(which, options)));
}

/**
 * Which options of `lab` its `--cross` ignores. A case's deadline is one of the runner's, which
 * stands beside C only where there are several jobs.
 */
function isIdleAcross(jobs = 1): (name: string) => boolean {
  const taken = ["cross", "topology", "direction", "exclude", "jobs", "timeout"];
  if (jobs > 1) taken.push("caseTimeout");
  return (name) => !taken.includes(name) && !isOfVms(name);
}

const LAB_EXAMPLES = [
  "lab                                    # all cases, host and guest, both ways",
  "lab --topology loopback 'seqpacket/**'",
  "lab --kernel debian:6.12 --direction host-server",
  "lab --kernel ./bzImage --modules ./lib/modules/6.19.0 --report html=run.html",
  "lab --cross                            # opposite the kernel's own C programs",
  "lab up; vsock-conformance lab run stream/close; vsock-conformance lab down",
];

function withName<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command.option("--name <name>", "which lab, where several are up", "default");
}

function withLabOptions<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
) {
  const placed = command.addOption(
    new Option(
      "--topology <which>",
      "VMs",
    )
      .choices(["guest-host", "loopback", "three-cids", "three-devices"] as const).default(
        "guest-host" as const,
      ),
  );
  return withKernelOptions(placed);
}
