/**
 * Kills processes of the tool at random moments of runs over the stand-in, and tells whether every
 * run ended with its report: `deno run -A tools/deaths.ts [runs] [seed]`. Exit code 1 if not.
 *
 * @module
 */
import { seedOption, wholeNumber } from "../cli/options/parse.ts";
import { deaths, runWithDeath, type Victim, wrongWith } from "../tests/support/deaths.ts";
import { toolCommand } from "./command.ts";

/** Moments are drawn up to this one, in milliseconds: about as long as a run takes. */
const WITHIN = 1200;

const [runs, seed] = toolCommand("deaths", "kills processes of the tool in runs of it")
  .argument("[runs]", "how many", wholeNumber(1, 1e6), 100)
  .argument("[seed]", "decides whom and when", seedOption, 1)
  .parse(Deno.args, { from: "user" }).processedArgs;

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

const moments = deaths(seed, WITHIN);
const killed = new Map<Victim, number>();
let wrong = 0;
for (let i = 1; i <= runs; i++) {
  const [victim, milliseconds] = moments.next().value;
  const what = `${i}: ${victim} after ${milliseconds} ms`;
  try {
    const result = await runWithDeath(victim, milliseconds);
    if (result.killed) killed.set(victim, (killed.get(victim) ?? 0) + 1);
    const why = wrongWith(victim, result);
    if (why === undefined) continue;
    say(`${what}: ${why}\n${result.stdout}${result.stderr}`);
  } catch (error) {
    say(`${what}: ${error}`);
  }
  wrong++;
}
const counts = [...killed].map(([victim, count]) => `${victim} ${count}`).join(", ");
say(`${runs} runs, seed ${seed}; killed: ${counts}; ${wrong} without a report as it must be`);
Deno.exit(wrong === 0 ? 0 : 1);
