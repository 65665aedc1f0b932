/**
 * The command line: what there is, with help. Commands are loaded when they are called.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { VERSION } from "../core/version.ts";
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
