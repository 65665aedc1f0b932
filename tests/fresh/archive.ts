/**
 * Debian's archive as it will be one day: every package has a newer version than any machine has
 * installed, and than there is today. Served on 127.0.0.1, signed with a key of its own; the packages
 * themselves are today's.
 *
 * @module
 */
import { LabError } from "../../lab/error.ts";
import type { Progress } from "../../lab/progress.ts";
import { programs } from "../../lab/host/toolset.ts";
import type { DebianSites } from "./base.ts";

/** What is put behind each version. */
const MOVED = "+moved1";
/** Architectures that have lists. */
const ARCHES = ["amd64", "arm64"];

/** A package list in which everything has a newer version, and depends on such. */
export function movedOn(list: string): string {
  return list.replace(/^Version: .*$/gm, `$&${MOVED}`)
    // What must be of one version, or not newer than one, is that of the other's today.
    .replace(/\((<?=) ([^)]*)\)/g, `($1 $2${MOVED})`);
}

/** A file of the archive's index. */
interface Listed {
  readonly path: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The archive; it is served until it is disposed of. */
export class MovedArchive implements AsyncDisposable {
  readonly #upstream: DebianSites;
  readonly #tools: string;
  readonly #key: Uint8Array<ArrayBuffer>;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #suites = new Map<string, Promise<readonly Listed[]>>();
  /** The key by which its lists are verified, as a keyring has it. */
  readonly certificate: Uint8Array;

  private constructor(
    upstream: DebianSites,
    tools: string,
    key: Uint8Array<ArrayBuffer>,
    certificate: Uint8Array,
  ) {
    this.#upstream = upstream;
    this.#tools = tools;
    this.#key = key;
    this.certificate = certificate;
    const onListen = () => {};
    const listen = { hostname: "127.0.0.1", port: 0, onListen };
    this.#server = Deno.serve(listen, (request) => this.#answer(new URL(request.url).pathname));
  }

  /** Starts it. */
  static async open(upstream: DebianSites, progress: Progress): Promise<MovedArchive> {
    const { root } = await programs("signing", ["sqop", "xz-utils"], progress);
    const tools = `${root}/usr/bin`;
    const key = await filter(`${tools}/sqop`, ["generate-key", "fresh"]);
    const certificate = await filter(`${tools}/sqop`, ["extract-cert", "--no-armor"], key);
    return new MovedArchive(upstream, tools, key, certificate);
  }

  /** Where a machine's apt finds it. */
  get sites(): DebianSites {
    const site = (name: string) => `http://127.0.0.1:${this.#server.addr.port}/${name}`;
    const { security } = this.#upstream;
    return { main: site("main"), security: security === undefined ? undefined : site("security") };
  }

  async #answer(path: string): Promise<Response> {
    const [, name, rest = ""] = /^\/(main|security)\/(.*)$/.exec(path) ?? [];
    const upstream = name === "main" ? this.#upstream.main : this.#upstream.security;
    if (name === undefined || upstream === undefined) return missing();
    const [, suite, file] = /^dists\/([^/]+)\/(.*)$/.exec(rest) ?? [];
    if (suite === undefined) return Response.redirect(`${upstream}/${rest}`, 302);
    const known = this.#suites.get(suite) ?? this.#index(upstream, suite);
    this.#suites.set(suite, known);
    const found = (await known).find((listed) => listed.path === file);
    return found === undefined ? missing() : new Response(found.data);
  }

  /** The index of a suite: nothing, where there is none upstream. */
  async #index(upstream: string, suite: string): Promise<Listed[]> {
    const files: Listed[] = [];
    for (const arch of ARCHES) {
      const path = `main/binary-${arch}/Packages`;
      const answer = await fetch(`${upstream}/dists/${suite}/${path}.xz`);
      if (!answer.ok) {
        await answer.body?.cancel();
        return [];
      }
      const list = await filter(`${this.#tools}/xz`, ["-dc"], await answer.bytes());
      const data = new TextEncoder().encode(movedOn(new TextDecoder().decode(list)));
      const packed = new Response(data).body?.pipeThrough(new CompressionStream("gzip"));
      // apt wants to know of the list as it is, and then fetches the smaller one.
      files.push({ path, data }, { path: `${path}.gz`, data: await new Response(packed).bytes() });
    }
    const sums = await Promise.all(files.map(async ({ path, data }) => {
      return ` ${await digest(data)} ${data.length} ${path}\n`;
    }));
    const release = `Origin: Debian\nLabel: Debian\nSuite: ${suite}\nCodename: ${suite}\n` +
      `Date: ${new Date().toUTCString().replace("GMT", "UTC")}\nComponents: main\n` +
      `Architectures: ${ARCHES.join(" ")}\nSHA256:\n${sums.join("")}`;
    return [...files, { path: "InRelease", data: await this.#sign(release) }];
  }

  async #sign(text: string): Promise<Uint8Array<ArrayBuffer>> {
    const file = await Deno.makeTempFile({ prefix: "vsock-conformance-key-" });
    try {
      await Deno.writeFile(file, this.#key);
      const args = ["inline-sign", "--as=clearsigned", file];
      return await filter(`${this.#tools}/sqop`, args, new TextEncoder().encode(text));
    } finally {
      await Deno.remove(file);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function missing(): Response {
  return new Response("There is none here.\n", { status: 404 });
}

async function digest(data: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data)).toHex();
}

/** What a program makes of its input. */
async function filter(
  program: string,
  args: readonly string[],
  input: Uint8Array<ArrayBuffer> = new Uint8Array(),
): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [result] = await Promise.all([
    child.output(),
    new Response(input).body?.pipeTo(child.stdin),
  ]);
  if (result.success) return result.stdout;
  throw new LabError(`${program} failed: ${new TextDecoder().decode(result.stderr)}`);
}
