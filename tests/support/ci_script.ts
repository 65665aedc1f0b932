/**
 * docs/ci/run.sh with this machine's Deno in the place of the one that npx(1) would fetch.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { FORBID_VSOCK } from "../../sys/forbidden.ts";
import type { Ended } from "./tool.ts";

const SCRIPT = fileURLToPath(new URL("../../docs/ci/run.sh", import.meta.url));
/** How long it may take, in milliseconds. */
const PATIENCE = 600_000;

/** Programs that are found before this machine's. */
function programs(): Readonly<Record<string, string>> {
  return {
    npx: `[ "$1 $2" = "-y deno@${Deno.version.deno}" ] || { echo "npx: $*" >&2; exit 97; }
      shift 2
      exec '${Deno.execPath()}' "$@"`,
    // No module is loaded on this machine.
    modprobe: `[ "$*" = vhost_vsock ] || exit 98`,
  };
}

/** A folder for what the script writes; removed when disposed of. */
export class CiScript implements AsyncDisposable {
  /** The folder of its reports. */
  readonly out: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.out = `${folder}/reports of today`;
  }

  /** Makes one. */
  static async make(): Promise<CiScript> {
    const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
    await Deno.mkdir(`${folder}/bin`);
    for (const [name, text] of Object.entries(programs())) {
      await Deno.writeTextFile(`${folder}/bin/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    return new CiScript(folder);
  }

  /** A path beside its reports. */
  path(name: string): string {
    return `${this.#folder}/${name}`;
  }

  /** One of its reports. */
  async report(name: string): Promise<string> {
    return await Deno.readTextFile(`${this.out}/${name}`);
  }

  /** Runs it, from a folder that is none of the clone's. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const { code, stdout, stderr } = await new Deno.Command(SCRIPT, {
      args: [...args],
      cwd: this.#folder,
      env: {
        // Whoever tests this may be in a CI of theirs.
        ...{ GITHUB_ACTIONS: "", AGENT: "", PEER_CID: "", BEFORE: "" },
        ...{ [FORBID_VSOCK]: "1", NO_COLOR: "1", OUT: this.out },
        PATH: `${this.#folder}/bin:${Deno.env.get("PATH")}`,
        ...env,
      },
      stdin: "null",
      signal: AbortSignal.timeout(PATIENCE),
    }).output();
    const [out = "", error = ""] = [stdout, stderr].map((each) => new TextDecoder().decode(each));
    return { code, stdout: out, stderr: error };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
