/**
 * A process of its own that uses a cache, for tests of what several do at once. Its argument says
 * what it does, its standard output how that went.
 *
 * @module
 */
import { Archive } from "../../lab/host/apt.ts";
import { cached, withLock } from "../../lab/host/cache.ts";
import { Progress } from "../../lab/progress.ts";
import { screenOf } from "../../report/screen.ts";

const [what] = Deno.args;
const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));

switch (what) {
  // Makes a thing that takes a while, of two files that must fit each other.
  case "make": {
    const folder = await cached(
      ["things", "one"],
      async (making) => {
        say("making");
        await Deno.writeTextFile(`${making}/first`, `${Deno.pid}`);
        await new Promise((resolve) => setTimeout(resolve, 500));
        await Deno.writeTextFile(`${making}/second`, `${Deno.pid}`);
      },
      (damage) => say(`damage: ${damage}`),
      { onWait: say },
    );
    const texts = ["first", "second"].map((name) => Deno.readTextFileSync(`${folder}/${name}`));
    say(`got ${texts.join(" ")}`);
    break;
  }
  // Fetches package lists, and looks at them many times, while others may be fetching them.
  case "lists": {
    const archive = await Archive.open("amd64", "all", new Progress(screenOf(Deno.stderr)));
    for (let i = 0; i < 20; i++) {
      const found = await archive.find(/^linux-image-/);
      say(`found ${found.map(({ name, version }) => `${name} ${version}`).join(", ")}`);
    }
    break;
  }
  // Has a lock, and a program that outlives it, until it is killed.
  case "hold":
    await withLock("things/one", undefined, say, async () => {
      const sleeper = new Deno.Command("sleep", { args: ["600"], stdout: "null" }).spawn();
      say(`holding ${sleeper.pid}`);
      await sleeper.status;
    });
    break;
}
