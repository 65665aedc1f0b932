/**
 * The tool as the agent of a lab that counts: around the body of each side it writes down how often
 * the functions were entered on which measure.ts has put probes. It runs in the VMs.
 *
 * @module
 */
import { program } from "../../cli/program.ts";
import type { Role } from "../../core/case.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import type { CaseContext, ConformanceCase } from "../../kit/mod.ts";
import { COUNTS_FILE, countsNow, sideCounts, TRACEFS } from "./counts.ts";

const ROLES: readonly Role[] = ["client", "server"];

function counts() {
  return countsNow((path) => Deno.readTextFileSync(`${TRACEFS}/${path}`));
}

/** Waits until the other side has come as far. */
async function together({ peer }: CaseContext, line: string): Promise<void> {
  await peer.writeln(line);
  await peer.expectln(line);
}

/**
 * Counts what the kernel enters from when both sides have looked for what the case needs until both
 * have ended and closed their sockets. What comes before and after, such as the looks for leaks, is
 * not the case's. A side that does nothing has a kernel all the same.
 */
function count(definition: ConformanceCase, role: Role): void {
  const body = definition[role];
  const counted = async (context: CaseContext) => {
    await together(context, "LOOKED");
    const before = counts();
    try {
      await body?.(context);
      context.vsock[Symbol.dispose]();
      await together(context, "ENDED");
    } finally {
      const side = sideCounts(definition.id, role, before, counts());
      await Deno.writeTextFile(COUNTS_FILE, `${JSON.stringify(side)}\n`, { append: true });
    }
    await together(context, "COUNTED");
  };
  Object.defineProperty(definition, role, { value: counted });
}

for (const definition of CATALOGUE) for (const role of ROLES) count(definition, role);
let code: number | Promise<number> = 0;
// What cases leave behind is not what is looked for here.
const args = Deno.args.filter((argument) => argument !== "--exclusive");
await program((result) => code = result).parseAsync(args, { from: "user" });
Deno.exit(await code);
