/**
 * The command line: what there is, with help. Commands are loaded when they are called.
 *
 * @module
 */
import { Argument, Command, Option } from "@commander-js/extra-typings";
import { VERSION } from "../core/version.ts";
import { DEFAULT_KERNEL } from "../lab/kernel.ts";
import { withConductOptions } from "./conduct.ts";
import { addressOption, cidOption, secondsOption } from "./usage.ts";

const STAND_IN = "AF_UNIX in AF_VSOCK's place, under a name that both sides give: tries the tool";

/**
 * The program.
 *
 * @param act is given what the chosen command returns: the exit code.
 */
export function program(act: (code: number | Promise<number>) => void): Command {
  const root = new Command("vsock-conformance")
    // Commands inherit this; only cli.ts ends the process.
    .exitOverride()
    // What follows a command is that command's, also where its parent has an option of that name.
    .enablePositionalOptions()
    .description("Tells whether an AF_VSOCK implementation does what it must.")
    .version(VERSION)
    .showHelpAfterError("(add --help for what can be given)")
    .addHelpText(
      "after",
      "\nWith the options of the kernel's vsock_test and no command, it stands in for that program:" +
        "\n  vsock-conformance --mode server --control-port 1234 --peer-cid 3",
    );
  addRun(root, act);
  addAgent(root, act);
  addLab(root, act);
  root.command("list").argument("[cases...]", "ids, with * and **").description("show the cases")
    .action(async (cases) => act((await import("./list.ts")).list(cases)));
  root.command("explain").argument("<case>", "an id, with * and **")
    .description("show what a case requires, and why")
    .action(async (id) => act((await import("./list.ts")).explain(id)));
  return root as unknown as Command;
}

type Act = Parameters<typeof program>[0];

function addRun(root: Command, act: Act): void {
  withConductOptions(root.command("run"))
    .description("run cases between this machine and one where an agent waits")
    .requiredOption("--peer-cid <cid>", "CID of the agent's machine: 1 is loopback", cidOption)
    .requiredOption("--agent <address>", "where the agent listens, TCP", addressOption("127.0.0.1"))
    .option("--connect-timeout <seconds>", "how long to try to reach it", secondsOption, 10_000)
    .addOption(new Option("--stand-in <name>", STAND_IN).hideHelp())
    .addHelpText("after", "\nExample:\n  vsock-conformance run --peer-cid 3 --agent 192.0.2.7:5201")
    .action(async (cases, options) => act((await import("./run.ts")).run(cases, options)));
}

function addAgent(root: Command, act: Act): void {
  root.command("agent")
    .description("wait here for a controller, and run this machine's side of the cases")
    .requiredOption("--peer-cid <cid>", "CID of the other machine: 2 is the host", cidOption)
    .requiredOption("--listen <address>", "TCP address to wait on", addressOption("127.0.0.1"))
    .option("--once", "end after one controller")
    .addOption(new Option("--stand-in <name>", STAND_IN).hideHelp())
    .addHelpText(
      "after",
      "\nExample:\n  vsock-conformance agent --peer-cid 2 --listen 0.0.0.0:5201",
    )
    .action(async (options) => act((await import("./agent.ts")).agent(options)));
}

/** Cases of a translated VM in a translated VM take their time. */
const LAB_CASE_TIMEOUT = 60_000;

function addLab(root: Command, act: Act): void {
  const lab = withLabOptions(withConductOptions(root.command("lab"), LAB_CASE_TIMEOUT))
    .description("boot VMs, run cases in them, and end them")
    .addHelpText("after", LAB_HELP)
    .action(async (cases, options) => act((await import("./lab.ts")).lab(cases, options)));
  withLabOptions(lab.command("up")).description("boot a lab that stays up")
    .action(async (options) => act((await import("./lab.ts")).labUp(options)));
  withName(withConductOptions(lab.command("run"), LAB_CASE_TIMEOUT))
    .description("run cases in the lab that is up")
    .option(
      "--timeout <seconds>",
      "give up on the whole command after that",
      secondsOption,
      900_000,
    )
    .action(async (cases, options) => act((await import("./lab.ts")).labRun(cases, options)));
  withName(lab.command("down")).description("end the lab that is up")
    .action(async (options) => act((await import("./lab.ts")).labDown(options)));
  withName(lab.command("shell"))
    .addArgument(new Argument("<which>", "VM").choices(["host", "guest", "loopback"] as const))
    .description("a shell in one of the lab's VMs; a script when something is piped in")
    .action(async (which, options) => act((await import("./lab.ts")).labShell(which, options)));
}

const LAB_HELP = `
Examples:
  vsock-conformance lab                                    all cases, host and guest, both ways
  vsock-conformance lab --topology loopback 'seqpacket/**'
  vsock-conformance lab --kernel debian:6.12 --direction host-server
  vsock-conformance lab --kernel ./bzImage --modules ./lib/modules/6.19.0
  vsock-conformance lab up; vsock-conformance lab run stream/close; vsock-conformance lab down`;

function withName<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command.option("--name <name>", "which lab, where several are up", "default");
}

function withLabOptions<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
) {
  return withName(command)
    .addOption(
      new Option("--topology <which>", "a host with its guest, or one VM with itself")
        .choices(["guest-host", "loopback"] as const).default("guest-host" as const),
    )
    .option("--kernel <which>", "debian:<version>, debian:latest, or a vmlinuz", DEFAULT_KERNEL)
    .option("--modules <folder>", "with a vmlinuz: where its modules are")
    .option("--refresh", "look for a newer kernel of that name than the cached one")
    .option(
      "--timeout <seconds>",
      "give up on the whole command after that",
      secondsOption,
      900_000,
    );
}
