/**
 * The options of `wire`.
 *
 * @module
 */
import type { Command } from "commander";
import { againOf } from "./again.ts";
import { addHelp, examples } from "./options/parse.ts";
import { CASES_HELP, withCasesOptions } from "./options/run.ts";
import type { WireHostOptions } from "./wire_host.ts";

type Act = (code: number | Promise<number>) => void;

const EXCLUSIVE = "nothing else uses this machine: also check its socket memory for leaks";

/** Adds `wire`. */
export function addWire(root: Command, act: Act): void {
  const wire = root.command("wire").description("check what is on the wire, packet by packet")
    .addHelpText("after", examples("wire host"));
  withCasesOptions(wire.command("host"))
    .summary("try this machine's kernel as a host, with no VM")
    .description(
      "Run the cases of wire/ against this machine's kernel: this process plays a guest by hand,\n" +
        `on /dev/vhost-vsock. It needs vhost_vsock, and takes a free CID.\n${CASES_HELP}`,
    )
    .option("--exclusive", EXCLUSIVE)
    .addHelpText("after", examples("wire host", "wire host wire/credit --report html=wire.html"))
    .action(async (cases: string[], options: WireHostOptions, command: Command) =>
      act((await import("./wire_host.ts")).wireHost(cases, { ...options, ...againOf(command) }))
    );
  addHelp(wire, "wire help host");
}
