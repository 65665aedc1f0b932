/**
 * The README's commands on machines that have nothing but Debian and Node.js: that they pass, how
 * long the first verdict takes, and that they change nothing outside the cache.
 *
 * @module
 */
import { Argument } from "@commander-js/extra-typings";
import { wholeNumber } from "../cli/options/parse.ts";
import { output } from "../lab/host/command.ts";
import { LabError } from "../lab/error.ts";
import { Progress } from "../lab/progress.ts";
import { MovedArchive } from "../tests/fresh/archive.ts";
import { debianSites, type Release, RELEASES, requireRoot } from "../tests/fresh/base.ts";
import { firstVerdicts, tableOf, tryAll, turnOf } from "../tests/fresh/trial.ts";
import { toolCommand } from "./command.ts";
import { screenOf } from "../report/screen.ts";

const WHO = ["root", "user"] as const;
const times = wholeNumber(1, 1000);

const command = toolCommand("fresh", "runs the README's commands on fresh machines in folders")
  .addArgument(new Argument("[release]", "all without").choices(RELEASES))
  .addArgument(new Argument("[who]", "both without").choices(WHO))
  .option("--turn", "one of the four, chosen by the commit")
  .option("--first <tries>", "the first command alone, so often, on a new machine each", times)
  .option("--archive-moved-on", "all packages have newer versions than there are today")
  .option("--commit <commit>", "what is cloned", "HEAD")
  .parse(Deno.args, { from: "user" });
const [release, who] = command.processedArgs as [Release | undefined, "root" | "user" | undefined];
const { turn, first, archiveMovedOn, commit } = command.opts();

const screen = screenOf(Deno.stdout);
try {
  requireRoot();
  const exact = (await output("git", ["rev-parse", commit], { cwd: import.meta.dirname ?? "." }))
    .trim();
  const all = RELEASES.flatMap((release) => WHO.map((who) => ({ release, who })));
  const chosen = turn
    ? [turnOf(all, exact)]
    : all.filter((each) =>
      (release ?? each.release) === each.release && (who ?? each.who) === each.who
    );
  const progress = new Progress(screenOf(Deno.stderr));
  const upstream = await debianSites();
  await using archive = archiveMovedOn ? await MovedArchive.open(upstream, progress) : undefined;
  const trials = await tryAll(chosen, { commit: exact, upstream, archive }, progress, first);
  screen.write(tableOf(trials));
  if (first !== undefined) screen.write(firstVerdicts(trials));
  Deno.exitCode = trials.every(({ complaint }) => complaint === undefined) ? 0 : 1;
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  screenOf(Deno.stderr).write(`tools/fresh.ts: ${error.message}\n`);
  Deno.exitCode = 69;
}
