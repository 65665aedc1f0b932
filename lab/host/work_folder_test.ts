import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withVariables } from "../../tests/support/own_cache.ts";
import { WorkFolder } from "./work_folder.ts";

const MODULE = new URL("./work_folder.ts", import.meta.url);

/** Calls `body` with a folder in the place of /tmp. */
async function inTemporary(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "vsock-conformance-test-" });
  try {
    await withVariables({ TMPDIR: folder }, () => body(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(folder), ({ name }) => `${folder}/${name}`);
}

/** A process of its own that makes a work folder, says where, and then stays. */
async function startMaker(temporary: string): Promise<{ maker: Deno.ChildProcess; path: string }> {
  const script = `
    import { WorkFolder } from ${JSON.stringify(MODULE.href)};
    const folder = await WorkFolder.make("lab");
    await Deno.writeTextFile(folder.path + "/initrd", "large");
    await Deno.stdout.write(new TextEncoder().encode(folder.path + "\\n"));
    await new Promise((resolve) => setTimeout(resolve, 600_000));`;
  const maker = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "-"],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { TMPDIR: temporary },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await new Response(script).body?.pipeTo(maker.stdin);
  const reader = maker.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const path = (await reader.read()).value?.trim() ?? assert.fail("it made none");
  await reader.cancel();
  return { maker, path };
}

Deno.test("a work folder goes when it is disposed of", async () => {
  await inTemporary(async (temporary) => {
    {
      await using folder = await WorkFolder.make("compare");
      assert.deepEqual(await namesIn(temporary), [folder.path]);
      assert.equal(((await Deno.stat(folder.path)).mode ?? 0) & 0o777, 0o700);
    }
    assert.deepEqual(await namesIn(temporary), []);
  });
});

Deno.test("the work folder of a process that was killed is removed by the next", async () => {
  await inTemporary(async (temporary) => {
    const { maker, path } = await startMaker(temporary);
    await using _ended = maker;
    {
      await using next = await WorkFolder.make("compare");
      assert.deepEqual((await namesIn(temporary)).sort(), [next.path, path].sort());
    }
    maker.kill("SIGKILL");
    await maker.status;
    assert.deepEqual(await namesIn(temporary), [path]);
    await using next = await WorkFolder.make("compare");
    assert.deepEqual(await namesIn(temporary), [next.path]);
  });
});

Deno.test("the work folder of a lab that stays up is left to it", async () => {
  await inTemporary(async (temporary) => {
    const { maker, path } = await startMaker(temporary);
    await using _ended = maker;
    // As QEMU has it among its arguments.
    const args = ["-c", "echo; read line", "qemu", `unix:${path}/monitor`];
    const qemu = new Deno.Command("sh", { args, stdin: "piped", stdout: "piped" }).spawn();
    const reader = qemu.stdout.getReader();
    await reader.read();
    maker.kill("SIGKILL");
    await maker.status;
    {
      await using next = await WorkFolder.make("lab");
      assert.deepEqual((await namesIn(temporary)).sort(), [next.path, path].sort());
    }
    await qemu.stdin.close();
    await qemu.status;
    await reader.cancel();
    await using next = await WorkFolder.make("lab");
    assert.deepEqual(await namesIn(temporary), [next.path]);
  });
});

Deno.test("what may be being made, and what is not of the lab, is left alone", async () => {
  await inTemporary(async (temporary) => {
    const old = new Date(Date.now() - 2 * 3600_000);
    for (const name of ["vsock-lab-old", "vsock-lab-young", "vsock-other-old"]) {
      await Deno.mkdir(`${temporary}/${name}`);
      if (name.endsWith("old")) await Deno.utime(`${temporary}/${name}`, old, old);
    }
    await Deno.mkdir(`${temporary}/elsewhere`);
    await Deno.symlink("elsewhere", `${temporary}/vsock-lab-link`);
    await using folder = await WorkFolder.make("lab");
    assert.deepEqual(
      (await namesIn(temporary)).sort(),
      [
        ...["elsewhere", "vsock-lab-link", "vsock-lab-young", "vsock-other-old"]
          .map((name) => `${temporary}/${name}`),
        folder.path,
      ].sort(),
    );
  });
});

// Only root can give a folder away.
if (Deno.uid() === 0) {
  Deno.test("another user's work folder is left alone", async () => {
    await inTemporary(async (temporary) => {
      const { maker, path } = await startMaker(temporary);
      await using _ended = maker;
      maker.kill("SIGKILL");
      await maker.status;
      await Deno.chown(path, 12345, 12345);
      await using next = await WorkFolder.make("lab");
      assert.deepEqual((await namesIn(temporary)).sort(), [next.path, path].sort());
    });
  });
}

Deno.test("a work folder is where sockets can be, whatever TMPDIR says", async () => {
  for (const temporary of ["/tmp/a,b", `/tmp/${"x".repeat(80)}`, "relative"]) {
    await withVariables({ TMPDIR: temporary }, async () => {
      await using folder = await WorkFolder.make("lab");
      assert.match(folder.path, /^\/tmp\/vsock-lab-[^/]+$/);
    });
  }
});
