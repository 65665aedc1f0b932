import assert from "node:assert/strict";
import { dirname } from "node:path";
import { kernelTree, treeModules } from "./tree.ts";

/** Files of a tree that was built, and when each was changed, in seconds. */
const BUILT: Readonly<Record<string, readonly [text: string, time: number]>> = {
  ".config": ["CONFIG_X86_64=y\n", 10],
  "include/config/auto.conf": ["", 20],
  "include/config/kernel.release": ["7.4.0-rc1+\n", 20],
  "net/vmw_vsock/af_vsock.c": ["", 5],
  "net/vmw_vsock/af_vsock.o": ["", 30],
  "net/vmw_vsock/vsock.ko": ["", 35],
  "drivers/vhost/vhost_vsock.ko": ["", 35],
  "vmlinux": ["", 40],
  "arch/x86/boot/bzImage": ["", 50],
  "modules.order": ["net/vmw_vsock/vsock.o\nkernel/drivers/vhost/vhost_vsock.ko\n", 50],
  "modules.builtin": ["kernel/fs/ext4/ext4.ko\n", 50],
};

type Changes = Readonly<Record<string, readonly [text: string, time: number] | undefined>>;

/** A tree in a folder of its own, with what differs from {@linkcode BUILT}. */
async function tree(changes: Changes = {}) {
  const folder = await Deno.makeTempDir({ prefix: "vsock-tree-" });
  for (const [name, file] of Object.entries({ ...BUILT, ...changes })) {
    if (file === undefined) continue;
    await Deno.mkdir(dirname(`${folder}/${name}`), { recursive: true });
    await Deno.writeTextFile(`${folder}/${name}`, file[0]);
    await Deno.utime(`${folder}/${name}`, file[1], file[1]);
  }
  return {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("kernelTree() finds the image, the architecture and the release", async () => {
  await using made = await tree();
  const { folder } = made;
  const found = await kernelTree(folder);
  assert.equal(found.arch, "x86_64");
  assert.equal(found.release, "7.4.0-rc1+");
  assert.equal(found.image, `${folder}/arch/x86/boot/bzImage`);
});

Deno.test("treeModules() finds modules where they were built", async () => {
  await using made = await tree();
  const { folder } = made;
  const modules = await treeModules(await kernelTree(folder));
  assert.deepEqual([...modules], [
    ["vsock", `${folder}/net/vmw_vsock/vsock.ko`],
    ["vhost_vsock", `${folder}/drivers/vhost/vhost_vsock.ko`],
  ]);
  assert.deepEqual(modules.lists, [`${folder}/modules.builtin`]);
});

/** What is wrong with a tree, and what must be said of it. */
const WRONG: readonly (readonly [what: string, Changes, RegExp])[] = [
  ["no tree", { ".config": undefined }, /is neither a kernel's tree nor .*no \.config/],
  ["no configuration", { ".config": undefined, "Kconfig": ["", 1] }, /is not configured/],
  ["another architecture", { ".config": ["CONFIG_RISCV=y\n", 10] }, /for another architecture/],
  ["no image", { "arch/x86/boot/bzImage": undefined }, /was not built.*run "make bzImage modules"/],
  ["an image older than vmlinux", { "vmlinux": ["", 60] }, /vmlinux was linked after/],
  ["a newer configuration", { ".config": ["CONFIG_X86_64=y\n", 70] }, /\.config was changed/],
  [
    "a source newer than its object",
    { "net/vmw_vsock/af_vsock.c": ["", 80] },
    /net\/vmw_vsock\/af_vsock\.c was changed after it was compiled; run "make/,
  ],
];

for (const [what, changes, said] of WRONG) {
  Deno.test(`kernelTree() says so where there is ${what}`, async () => {
    await using made = await tree(changes);
    await assert.rejects(kernelTree(made.folder), said);
  });
}

Deno.test("treeModules() names a module that was not built", async () => {
  await using made = await tree({ "net/vmw_vsock/vsock.ko": undefined });
  await assert.rejects(
    kernelTree(made.folder).then(treeModules),
    /vsock\.ko was not built: run "make modules"/,
  );
});
