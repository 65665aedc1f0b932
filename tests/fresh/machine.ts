/**
 * A machine that has Debian, Node.js, a clone of this repository and nothing else: a folder in which
 * commands run with mounts, processes and devices of their own.
 *
 * @module
 */
import { dirname } from "node:path";
import { cacheFolder, lockFile, removeIfThere } from "../../lab/host/cache.ts";
import { output } from "../../lab/host/command.ts";
import { LabError } from "../../lab/error.ts";
import { type Lock, takeLock } from "../../lab/host/lock.ts";
import type { Progress } from "../../lab/progress.ts";
import { baseSystem, type DebianSites, type Release } from "./base.ts";
import { type Contents, contentsOf } from "./contents.ts";

/** Who runs a command. */
export type Who = "root" | "user";

/** What machine to make. */
export interface MachineOptions {
  readonly release: Release;
  readonly who: Who;
  /** The commit that is cloned. */
  readonly commit: string;
  /** Whether its apt has package lists, as one that was installed; the images of containers do not. */
  readonly hasLists: boolean;
  /** Where Debian is. */
  readonly upstream: DebianSites;
  /** Where its apt gets packages. */
  readonly sites: DebianSites;
  /** Settings of its apt besides this machine's. */
  readonly aptConfig: string;
  /** A key that its apt trusts, too, as a keyring has it. */
  readonly certificate: Uint8Array | undefined;
}

/** What a command did. */
export interface Ended {
  /** Null where it took too long. */
  readonly code: number | null;
  readonly text: string;
  /** How long it took, and until the first line that was waited for, in milliseconds. */
  readonly milliseconds: number;
  readonly first: number | undefined;
}

/** The ordinary user. */
const USER = { name: "fresh", id: 1000 } as const;
/** The keys of Debian's archive. */
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** Variables of this process that tell programs how to reach the network. */
const NETWORK = /^(no|http|https|all)_proxy$|^(NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|DENO_CERT)$/i;
/** Files of this machine by which it reaches the network. */
const NETWORK_FILES = [
  ...["/etc/hosts", "/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"],
  ...["/etc/apt/apt.conf", "/etc/apt/auth.conf"],
];

/**
 * Runs a command in a folder as if that were a machine. Whatever is mounted, and whatever runs, ends
 * with this script, which is the first process there; it ends when its standard input does.
 */
const ENTER = `set -e
root=$1; shift
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
for name in null zero full random urandom tty kvm; do
  [ -c "/dev/$name" ] || continue
  : >"$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for i in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/\${i%:*}" "$root/dev/\${i#*:}"; done
set +e
exec 3<&0
chroot "$root" "$@" </dev/null 3<&- & child=$!
{ cat <&3 >/dev/null; kill -9 $child; } 2>/dev/null &
exec 3<&-
wait $child`;

/** A fresh machine; removed when disposed of. */
export class FreshMachine implements AsyncDisposable {
  readonly #options: MachineOptions;
  readonly #root: string;
  readonly #lock: Lock;

  private constructor(options: MachineOptions, root: string, lock: Lock) {
    this.#options = options;
    this.#root = root;
    this.#lock = lock;
  }

  /**
   * Makes one.
   *
   * @throws {LabError} where this machine cannot.
   */
  static async make(options: MachineOptions, progress: Progress): Promise<FreshMachine> {
    const { release, who, upstream } = options;
    const base = await baseSystem(release, upstream, progress);
    const name = `${release}-${who}`;
    const root = `${await cacheFolder("fresh")}/machine-${name}`;
    const say = (what: string) => progress.log(what);
    const lock = await takeLock(await lockFile(`fresh/${name}`), name, progress.stop, say);
    const machine = new FreshMachine(options, root, lock);
    try {
      await progress.phase("machine", `unpacking a ${release} for ${who}`, async () => {
        // One that was killed has left its own.
        await removeIfThere(root);
        await Deno.mkdir(root, { mode: 0o755 });
        await output("tar", ["--numeric-owner", "-C", root, "-xpf", base], {
          signal: progress.stop,
        });
        await machine.#prepare();
      });
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The home of whoever runs the commands. */
  get home(): string {
    return this.#options.who === "root" ? "/root" : `/home/${USER.name}`;
  }

  async #prepare(): Promise<void> {
    const root = this.#root;
    const { release, sites, aptConfig, certificate, commit, who, hasLists } = this.#options;
    for (const path of NETWORK_FILES) await copyIfThere(path, `${root}${path}`);
    await copyAptSettings(root);
    await Deno.writeTextFile(`${root}/etc/apt/apt.conf.d/99fresh`, aptConfig);
    const lines = [[sites.main, release], [sites.main, `${release}-updates`]];
    if (sites.security !== undefined) lines.push([sites.security, `${release}-security`]);
    if (certificate !== undefined) {
      await Deno.writeFile(`${root}/etc/apt/trusted.gpg.d/fresh.gpg`, certificate);
      await Deno.writeFile(`${root}${KEYRING}`, certificate, { append: true });
    }
    const sources = lines.map(([site, suite]) => `deb ${site} ${suite} main\n`).join("");
    await Deno.writeTextFile(`${root}/etc/apt/sources.list`, sources);
    await copyNode(root);
    await output("chroot", [root, "useradd", "-m", "-u", `${USER.id}`, USER.name]);
    await copyIfThere(`${Deno.env.get("HOME") ?? "/root"}/.npmrc`, `${root}${this.home}/.npmrc`);
    const clone = `${root}${this.home}/vsock-conformance`;
    await cloneInto(clone, commit);
    if (who === "user") {
      await output("chown", ["-R", `${USER.id}:${USER.id}`, `${root}${this.home}`]);
    }
    const entered = await this.#run("root", "true", 60_000, /$^/);
    if (entered.code !== 0) {
      throw new LabError(`A fresh machine cannot be entered here: ${entered.text.trim()}`);
    }
    if (hasLists) {
      const { code, text } = await this.#run("root", "apt-get -qq update", 120_000, /$^/);
      if (code !== 0) throw new LabError(`apt-get update failed in the fresh machine: ${text}`);
    }
    const { code, text } = await this.run("npx --version", 60_000);
    if (code === 0) return;
    throw new LabError(`This machine's Node.js does not run in a Debian ${release}: ${text}`);
  }

  /** The Deno that the README's commands run, as npx(1) takes it. */
  async deno(): Promise<string> {
    const readme = await Deno.readTextFile(`${this.#root}${this.home}/vsock-conformance/README.md`);
    return /npx -y (deno@\S+)/.exec(readme)?.[1] ?? "deno";
  }

  /** Runs a command of the README's in the clone, and waits for its end, or until it is too late. */
  async run(command: string, milliseconds: number, awaited = /$^/): Promise<Ended> {
    return await this.#run(this.#options.who, command, milliseconds, awaited);
  }

  async #run(who: Who, command: string, milliseconds: number, awaited: RegExp): Promise<Ended> {
    const started = performance.now();
    const run = entering(this.#root, who, this.home, command);
    const late = setTimeout(() => run.kill("SIGKILL"), milliseconds);
    let text = "";
    let first: number | undefined;
    const read = async (stream: ReadableStream<Uint8Array>) => {
      for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
        text += piece;
        if (first === undefined && awaited.test(text)) first = performance.now() - started;
      }
    };
    const [{ code, signal }] = await Promise.all([run.status, read(run.stdout), read(run.stderr)]);
    clearTimeout(late);
    await run.stdin.close().catch(() => {});
    const time = performance.now() - started;
    return { code: signal === null ? code : null, text, milliseconds: time, first };
  }

  /** What there is now, but for what the tool, npm and Deno keep of their own. */
  async contents(): Promise<Contents> {
    const own = [".cache/vsock-conformance", ".cache/deno", ".npm"].map((name) =>
      `${this.home}/${name}`
    );
    const isFree = (path: string) => own.includes(path) || path === "/dev";
    const contents = new Map(await contentsOf(this.#root, isFree));
    // It may be made for what is in it.
    contents.delete(`${this.home}/.cache`);
    return contents;
  }

  /** Removes it; nothing is mounted in it, and nothing runs there. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeIfThere(this.#root);
    await this.#lock[Symbol.asyncDispose]();
  }
}

/** A command's process; what it mounts and starts is in namespaces that end with it. */
function entering(root: string, who: Who, home: string, command: string): Deno.ChildProcess {
  const network = Object.entries(Deno.env.toObject()).filter(([name]) => NETWORK.test(name));
  const env = {
    ...Object.fromEntries(network),
    HOME: home,
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    TERM: "dumb",
    NO_COLOR: "1",
    // The machine's own AF_VSOCK is not ours, whatever is tried here.
    VSOCK_CONFORMANCE_FORBID_VSOCK: "1",
  };
  const become = who === "root"
    ? []
    : ["setpriv", `--reuid=${USER.id}`, `--regid=${USER.id}`, "--init-groups"];
  const script = `cd ~/vsock-conformance 2>/dev/null; ${command}`;
  return new Deno.Command("unshare", {
    args: [
      ...["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "enter", root],
      ...[...become, "sh", "-c", script],
    ],
    clearEnv: true,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(from, to).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** How this machine's apt reaches its sites. What images of containers add hides what apt writes. */
async function copyAptSettings(root: string): Promise<void> {
  for (const folder of ["/etc/apt/apt.conf.d", "/etc/apt/auth.conf.d"]) {
    const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
    for (const { name } of entries.filter(({ name }) => !name.startsWith("docker-"))) {
      await copyIfThere(`${folder}/${name}`, `${root}${folder}/${name}`);
    }
  }
}

/** Node.js and npm, from wherever this machine has them. */
async function copyNode(root: string): Promise<void> {
  const where = async (program: string) => {
    const found = await output("sh", ["-c", `command -v ${program}`]).catch(() => {
      throw new LabError(
        `A fresh machine is given this machine's Node.js, and there is no ${program}`,
      );
    });
    return await Deno.realPath(found.trim());
  };
  const npm = (await where("npm")).replace(/\/bin\/[^/]+$/, "");
  await Deno.mkdir(`${root}/usr/local/lib/node_modules`, { recursive: true });
  await Deno.copyFile(await where("node"), `${root}/usr/local/bin/node`);
  await output("cp", ["-r", npm, `${root}/usr/local/lib/node_modules/npm`]);
  for (const name of ["npm", "npx"]) {
    const target = `../lib/node_modules/npm/bin/${name}-cli.js`;
    await Deno.symlink(target, `${root}/usr/local/bin/${name}`);
  }
}

async function cloneInto(folder: string, commit: string): Promise<void> {
  const repository = new URL("../..", import.meta.url).pathname;
  await output("git", ["clone", "-q", "--no-hardlinks", "--no-checkout", repository, folder]);
  await output("git", ["-C", folder, "-c", "advice.detachedHead=false", "checkout", "-q", commit]);
}
