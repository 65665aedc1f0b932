import assert from "node:assert/strict";
import { damageOf, writeManifest } from "./manifest.ts";

/** Calls `body` with a folder like an unpacked package, which has a manifest. */
async function inTree(body: (folder: string) => Promise<void>): Promise<void> {
  const above = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  const folder = `${above}/tree`;
  try {
    await Deno.mkdir(`${folder}/usr/lib`, { recursive: true });
    await Deno.writeTextFile(`${folder}/usr/lib/lib.so.1.2`, "library");
    await Deno.writeTextFile(`${folder}/usr/program`, "program", { mode: 0o755 });
    await Deno.symlink("lib.so.1.2", `${folder}/usr/lib/lib.so`);
    await Deno.symlink("usr/lib", `${folder}/lib`);
    await Deno.symlink("/nowhere/at all", `${folder}/dangling`);
    await writeManifest(folder);
    await body(folder);
  } finally {
    await Deno.remove(above, { recursive: true });
  }
}

Deno.test("damageOf() takes a tree with symbolic links as it was", async () => {
  await inTree(async (folder) => {
    assert.equal(await damageOf(folder), undefined);
    assert.equal(await damageOf(folder), undefined);
    assert.equal(await damageOf(`${folder}/nowhere`), "absent");
  });
});

const DAMAGES: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  "usr/lib/lib.so.1.2 is changed": (f) => Deno.writeTextFile(`${f}/usr/lib/lib.so.1.2`, "LIBRARY"),
  "usr/lib/lib.so.1.2 is shorter": (f) => Deno.truncate(`${f}/usr/lib/lib.so.1.2`, 3),
  "usr/lib/lib.so.1.2 is gone": (f) => Deno.remove(`${f}/usr/lib/lib.so.1.2`),
  "usr/program is not executable": (f) => Deno.chmod(`${f}/usr/program`, 0o644),
  "dangling leads elsewhere": async (f) => {
    await Deno.remove(`${f}/dangling`);
    await Deno.symlink("/nowhere", `${f}/dangling`);
  },
  "lib is a folder": async (f) => {
    await Deno.remove(`${f}/lib`);
    await Deno.mkdir(`${f}/lib`);
  },
  "usr/program is a link": async (f) => {
    await Deno.rename(`${f}/usr/program`, `${f}/usr/other`);
    await Deno.symlink("other", `${f}/usr/program`);
  },
  "usr/program is changed, of the same size and mtime": async (f) => {
    const path = `${f}/usr/program`;
    const { mtime } = await Deno.stat(path);
    assert.ok(mtime !== null);
    await Deno.writeTextFile(path, "PROGRAM");
    await Deno.utime(path, mtime, mtime);
  },
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  Deno.test(`damageOf() notices that ${what}`, async () => {
    await inTree(async (folder) => {
      assert.equal(await damageOf(folder), undefined);
      await damage(folder);
      assert.equal(await damageOf(folder), `${folder}/${what.split(" ")[0]} is damaged`);
    });
  });
}

Deno.test("damageOf() reads what has other times, and then knows them", async () => {
  await inTree(async (folder) => {
    const copy = `${folder}.copy`;
    assert.ok((await new Deno.Command("cp", { args: ["-r", folder, copy] }).output()).success);
    // Times of a moment ago are not trusted yet.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const manifest = () => Deno.readTextFile(`${copy}/manifest.json`);
    const before = await manifest();
    assert.equal(await damageOf(copy), undefined);
    const known = await manifest();
    assert.notEqual(known, before);
    assert.equal(await damageOf(copy), undefined);
    assert.equal(await manifest(), known);
    assert.deepEqual(
      (await Array.fromAsync(Deno.readDir(copy), ({ name }) => name)).sort(),
      ["dangling", "lib", "manifest.json", "usr"],
    );
  });
});

// Only root can give a file away.
if (Deno.uid() === 0) {
  Deno.test("damageOf() does not use what belongs to another user", async () => {
    await inTree(async (folder) => {
      await Deno.chown(`${folder}/usr/program`, 12345, 12345);
      assert.match(await damageOf(folder) ?? "", /usr\/program is damaged/);
    });
  });
}
