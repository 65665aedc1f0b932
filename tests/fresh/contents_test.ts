import assert from "node:assert/strict";
import { contentsOf, differences, packagesOf } from "./contents.ts";

const STATUS = `Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1
Description: x
 Package: none
`;

Deno.test("packagesOf() reads dpkg's status", () => {
  assert.deepEqual(packagesOf(STATUS), [
    ["libc6:amd64", "2.36-9, install ok installed"],
    ["gone:all", "1, deinstall ok config-files"],
  ]);
  assert.deepEqual(packagesOf(""), []);
});

Deno.test("differences() names whatever a command changed, but for what is free", async () => {
  const root = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    for (const folder of ["etc", "var/lib/dpkg", "root/.cache/x", "tmp", "usr/bin"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
    }
    const write = (path: string, text: string) => Deno.writeTextFile(`${root}${path}`, text);
    await write("/var/lib/dpkg/status", STATUS);
    for (const name of ["same", "changed", "mode", "gone"]) await write(`/etc/${name}`, "text");
    await write("/usr/bin/touched", "text");
    await Deno.symlink("a", `${root}/etc/link`);
    const isFree = (path: string) => path === "/root/.cache/x";
    const before = await contentsOf(root, isFree);
    assert.deepEqual(differences(before, await contentsOf(root, isFree)), []);

    const { mtime } = await Deno.stat(`${root}/etc/changed`);
    assert.ok(mtime !== null);
    await write("/etc/changed", "TEXT");
    await Deno.utime(`${root}/etc/changed`, mtime, mtime);
    await Deno.chmod(`${root}/etc/mode`, 0o600);
    await Deno.remove(`${root}/etc/gone`);
    await Deno.remove(`${root}/etc/link`);
    await Deno.symlink("b", `${root}/etc/link`);
    await Deno.utime(`${root}/usr/bin/touched`, 1, 1);
    await write("/tmp/left", "");
    await write("/root/.cache/x/free", "");
    await write("/tmp/come-and-gone", "");
    await Deno.remove(`${root}/tmp/come-and-gone`);
    await write("/var/lib/dpkg/status", STATUS.replace("2.36", "2.41"));
    const found = differences(before, await contentsOf(root, isFree));
    assert.deepEqual(found.map((line) => line.replace(/ \(.*/, "")), [
      "~ /etc/changed",
      "- /etc/gone",
      "~ /etc/link",
      "~ /etc/mode",
      "+ /tmp/left",
      "~ /usr/bin/touched",
      "~ /var/lib/dpkg/status",
      "~ package libc6:amd64",
    ]);
    assert.match(found.at(-1) ?? "", /\(2.36-9, install ok installed; now 2.41-9, install/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
