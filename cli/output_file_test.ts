import assert from "node:assert/strict";
import { OutputFile } from "./output_file.ts";
import { UsageError } from "../core/error.ts";

/** A folder that is removed when disposed of. */
async function folder() {
  const path = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  const names = async () => (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
  return {
    path,
    names,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}

Deno.test("OutputFile replaces a file whole, and whoever has the old one open keeps it", async () => {
  await using temporary = await folder();
  const path = `${temporary.path}/run.json`;
  await Deno.writeTextFile(path, "yesterday");
  await Deno.chmod(path, 0o640);
  using reader = await Deno.open(path);
  using file = await OutputFile.open(path, "report", "not yet");
  assert.equal(await Deno.readTextFile(path), "not yet");
  await file.write("today");
  assert.equal(await Deno.readTextFile(path), "today");
  assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o640);
  assert.equal(await new Response(reader.readable).text(), "yesterday");
  assert.deepEqual(await temporary.names(), ["run.json"], "nothing else is left");
});

Deno.test("OutputFile makes a new file as any program does", async () => {
  await using temporary = await folder();
  const path = `${temporary.path}/run.json`;
  const other = `${temporary.path}/other`;
  await Deno.writeTextFile(other, "");
  using _file = await OutputFile.open(path, "report", "");
  assert.equal((await Deno.stat(path)).mode, (await Deno.stat(other)).mode);
});

Deno.test("OutputFile writes behind links, also to what is not there yet", async () => {
  await using temporary = await folder();
  const link = `${temporary.path}/latest`;
  await Deno.symlink("run.json", link);
  using file = await OutputFile.open(link, "report", "");
  await file.write("today");
  assert.equal(await Deno.readTextFile(`${temporary.path}/run.json`), "today");
  assert.equal((await Deno.lstat(link)).isSymlink, true);
  const loop = `${temporary.path}/loop`;
  await Deno.symlink("loop", loop);
  await assert.rejects(OutputFile.open(loop, "report", ""), {
    name: "UsageError",
    message: /^Cannot write the report .*loop: too many links$/,
  });
});

Deno.test("OutputFile tells two names of one file from two files", async () => {
  await using temporary = await folder();
  const { path } = temporary;
  await Deno.symlink("a", `${path}/b`);
  using one = await OutputFile.open(`${path}/a`, "report", "");
  using same = await OutputFile.open(`${path}/./b`, "report", "");
  using other = await OutputFile.open(`${path}/c`, "report", "");
  assert.equal(one.identity, same.identity);
  assert.notEqual(one.identity, other.identity);
});

Deno.test("OutputFile refuses at once what cannot be written", async () => {
  await using temporary = await folder();
  for (const path of ["/nonexistent/a", temporary.path, "/proc/self/status/a", "/proc/self/x"]) {
    await assert.rejects(OutputFile.open(path, "report", ""), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, /^Cannot write the report \/[^\n]+: [^\n]+$/);
      return true;
    });
  }
  assert.deepEqual(await temporary.names(), []);
});

Deno.test("OutputFile keeps what was there where the new content cannot be written", async () => {
  using file = await OutputFile.open("/dev/full", "report", "meanwhile");
  await assert.rejects(file.write("x"), { message: /^Cannot write .*\/dev\/full: No space left/ });
  await using temporary = await folder();
  const path = `${temporary.path}/run.json`;
  using other = await OutputFile.open(path, "report", "before");
  await Deno.remove(path);
  await Deno.mkdir(`${path}/full`, { recursive: true });
  await assert.rejects(other.write("after"), { message: /^Cannot write the report .*run\.json: / });
  assert.deepEqual(await temporary.names(), ["run.json"]);
});

Deno.test("OutputFile writes to a pipe once there is something to write", async () => {
  await using temporary = await folder();
  const path = `${temporary.path}/pipe`;
  assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
  const reading = Deno.readTextFile(path);
  {
    using file = await OutputFile.open(path, "report", "meanwhile");
    await file.write("today");
  }
  assert.equal(await reading, "today");
});

/** Runs a script of this module's with a shell that redirects its output. */
async function redirected(to: string): Promise<string> {
  const module = new URL("./output_file.ts", import.meta.url).href;
  const script = `
    import { OutputFile } from ${JSON.stringify(module)};
    const say = (text) => Deno.stdout.writeSync(new TextEncoder().encode(text));
    say("first\\n");
    using file = await OutputFile.open("/dev/stdout", "report", "meanwhile");
    say("second\\n");
    await file.write("report\\n");
    say("last\\n");
  `;
  const line = `printf '%s' "$1" | "${Deno.execPath()}" run -A --no-check - ${to}`;
  const { stdout, stderr } = await new Deno.Command("sh", { args: ["-c", line, "sh", script] })
    .output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}

Deno.test("OutputFile adds to standard output, a pipe or a file, and takes nothing from it", async () => {
  const all = "first\nsecond\nreport\nlast\n";
  assert.equal(await redirected(""), all);
  await using temporary = await folder();
  const path = `${temporary.path}/out.txt`;
  await redirected(`> "${path}"`);
  assert.equal(await Deno.readTextFile(path), all);
});

/** Runs a program that writes "today" to a file, by way of others; it must have nothing to say. */
async function writeBy(path: string, command: string, ...args: readonly string[]): Promise<void> {
  const module = new URL("./output_file.ts", import.meta.url).href;
  const script = `
    import { OutputFile } from ${JSON.stringify(module)};
    using file = await OutputFile.open(${JSON.stringify(path)}, "report", "meanwhile");
    await file.write("today");
  `;
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args, Deno.execPath(), "eval", script],
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.ok(success);
}

Deno.test("OutputFile writes a file whose folder is another's", async () => {
  await using temporary = await folder();
  const path = `${temporary.path}/run.json`;
  await Deno.writeTextFile(path, "yesterday");
  await Deno.chmod(temporary.path, 0o500);
  // Root may write to any folder, unless these are taken from it.
  const drop = Deno.uid() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
  const refused = 'if touch "$0/new" 2>/dev/null; then echo "it is writable" >&2; fi; exec "$@"';
  const [command = "", ...args] = [...drop, "sh", "-c", refused, temporary.path];
  try {
    await writeBy(path, command, ...args);
  } finally {
    await Deno.chmod(temporary.path, 0o700);
  }
  assert.equal(await Deno.readTextFile(path), "today");
  assert.deepEqual(await temporary.names(), ["run.json"]);
});

/** The arguments of unshare(1) for mounts that nobody else sees, if this machine allows these. */
async function ownMounts(): Promise<readonly string[] | undefined> {
  const args = ["--mount", ...Deno.uid() === 0 ? [] : ["--map-root-user"]];
  try {
    const { success } = await new Deno.Command("unshare", {
      args: [...args, "sh", "-c", "mount --bind /tmp /tmp"],
      stderr: "null",
    }).output();
    return success ? args : undefined;
  } catch {
    return undefined;
  }
}

const mounts = await ownMounts();

Deno.test({
  name: "OutputFile writes a file that is mounted by itself, as containers have them",
  ignore: mounts === undefined,
  fn: async () => {
    await using temporary = await folder();
    const path = `${temporary.path}/run.json`;
    await Deno.writeTextFile(path, "yesterday");
    const mounted = 'mount --bind "$0" "$0" && exec "$@"';
    await writeBy(path, "unshare", ...mounts ?? [], "sh", "-c", mounted, path);
    assert.equal(await Deno.readTextFile(path), "today");
    assert.deepEqual(await temporary.names(), ["run.json"]);
  },
});
