/**
 * Modules made here, of which only the section `.modinfo` is like the kernel's.
 *
 * @module
 */
import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { LabError } from "../error.ts";
import { moduleInfo } from "./modinfo.ts";
import { indexModules, readModules, softDependenciesOf } from "./modules.ts";

/** An ELF file with a section `.modinfo`, behind some other. */
function module(...info: readonly string[]): Uint8Array<ArrayBuffer> {
  const text = (value: string) => new TextEncoder().encode(value);
  const names = text("\0.text\0.modinfo\0.shstrtab\0");
  const parts = [
    { name: 1, data: text("code\0softdep=pre: none_of_these\0depends=nor_this\0") },
    { name: 7, data: text(info.map((entry) => `${entry}\0\0\0`).join("")) },
    { name: 16, data: names },
  ];
  const size = parts.reduce((sum, { data }) => sum + data.length, 64);
  const file = new Uint8Array(size + 4 * 64);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setBigUint64(40, BigInt(size), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 4, true);
  view.setUint16(62, 3, true);
  let at = 64;
  for (const [i, { name, data }] of parts.entries()) {
    file.set(data, at);
    const header = size + 64 * (i + 1);
    view.setUint32(header, name, true);
    view.setBigUint64(header + 24, BigInt(at), true);
    view.setBigUint64(header + 32, BigInt(data.length), true);
    at += data.length;
  }
  return file;
}

/** A kernel's modules: what each says of itself, by its name; and the lists beside them. */
interface Tree {
  readonly modules: Readonly<Record<string, readonly string[]>>;
  readonly lists?: Readonly<Record<string, string>>;
}

/** The names of what is loaded for some modules, in order. */
async function loaded({ modules, lists = {} }: Tree, ...names: string[]): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    await Deno.mkdir(`${folder}/kernel/crypto`, { recursive: true });
    for (const [name, info] of Object.entries(modules)) {
      await Deno.writeFile(`${folder}/kernel/crypto/${name}.ko`, module(...info));
    }
    for (const [name, text] of Object.entries(lists)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const read = await readModules(await indexModules(folder), names);
    return read.map(({ name }) => name).join(" ");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("moduleInfo() reads the section .modinfo, and nothing else", () => {
  const info = moduleInfo(module("license=GPL", "alias=a", "depends=b,c-d", "alias=x=y", "parm="));
  assert.deepEqual(Object.fromEntries(info), {
    license: ["GPL"],
    alias: ["a", "x=y"],
    depends: ["b,c-d"],
    parm: [""],
  });
  for (const wrong of [new Uint8Array(), module().subarray(0, 100), new Uint8Array(4096)]) {
    assert.throws(() => moduleInfo(wrong), /it is not a kernel module/);
  }
});

Deno.test("softDependenciesOf() tells what is before from what is after", () => {
  const info = new Map([["softdep", ["pre: a b-c  post: d", "post: e", "x"]]]);
  assert.deepEqual(softDependenciesOf(info), { pre: ["a", "b-c"], post: ["d", "e"] });
});

Deno.test("readModules() puts a module behind what it depends on, and passes over the rest", async () => {
  const modules = {
    "vhost-vsock": ["depends=vhost,vmw_vsock-virtio"],
    vhost: ["depends=iotlb,built_in"],
    iotlb: ["depends="],
    "vmw_vsock_virtio": ["depends=vsock", "import_ns=X"],
    vsock: [],
    other: [],
  };
  assert.equal(
    await loaded({ modules }, "nowhere", "vhost_vsock", "vsock"),
    "iotlb vhost vsock vmw_vsock_virtio vhost_vsock",
  );
});

const CRC = {
  ext4: ["depends=jbd2", "softdep=pre: crypto-crc32c post: late"],
  jbd2: ["softdep=pre: early"],
  early: [],
  late: ["depends=needed"],
  needed: [],
  "crc32c_generic": ["alias=crypto-crc32c", "alias=crc32c"],
  "crc32c-intel": ["alias=crypto-crc32c"],
  "crc32c_other": ["alias=crc32"],
};

Deno.test("readModules() takes all modules that go by the name of a soft dependency", async () => {
  assert.equal(
    await loaded({ modules: CRC }, "ext4"),
    "early jbd2 crc32c_generic crc32c_intel ext4 needed late",
  );
});

Deno.test("readModules() finds an alias of a module with quite another name", async () => {
  const modules = {
    fs: ["softdep=pre: xxhash64 a-b"],
    quick: ["alias=xxhash??"],
    c: ["alias=a[a-b_]b"],
  };
  assert.equal(await loaded({ modules }, "fs"), "quick c fs");
});

Deno.test("readModules() asks the lists beside the modules", async () => {
  const lists = {
    "modules.alias": "# x\nalias crypto-crc32c crc32c-intel\nalias crypto-* missing\n",
  };
  assert.equal(
    await loaded({ modules: CRC, lists }, "ext4"),
    "early jbd2 crc32c_intel ext4 needed late",
  );
  for (
    const builtIn of [
      { "modules.builtin": "kernel/crypto/crypto-crc32c.ko\n" },
      { "modules.builtin.modinfo": "a.license=x\0crc32c-generic.alias=crypto-crc32c\0b.alias=y\0" },
    ]
  ) {
    assert.equal(
      await loaded({ modules: CRC, lists: builtIn }, "ext4"),
      "early jbd2 ext4 needed late",
    );
  }
});

Deno.test("readModules() does without soft dependencies that are missing", async () => {
  const modules = { a: ["softdep=pre: none post: nothing"] };
  assert.equal(await loaded({ modules }, "a"), "a");
});

Deno.test("readModules() comes to an end with soft dependencies in a circle", async () => {
  // What b needs comes before it, though a wanted b first.
  const modules = {
    a: ["softdep=pre: b"],
    b: ["depends=a", "softdep=post: c"],
    c: ["softdep=pre: a post: c"],
  };
  assert.equal(await loaded({ modules }, "a"), "a b c");
  assert.equal(await loaded({ modules }, "c"), "a b c");
});

Deno.test("readModules() decompresses", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance, test-" });
  try {
    const plain = module("depends=");
    const gzip = new Response(plain).body?.pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(`${folder}/a.ko.gz`, await new Response(gzip).bytes());
    await Deno.writeFile(`${folder}/b.ko.zst`, zstdCompressSync(plain));
    await Deno.writeFile(`${folder}/c.ko`, plain);
    // A program that takes the place of xz.
    await Deno.writeTextFile(`${folder}/d.ko.xz`, "");
    const xz = `${folder}/xz`;
    await Deno.writeTextFile(xz, `#!/bin/sh\nexec cat "\${0%xz}c.ko"\n`, { mode: 0o755 });
    const index = await indexModules(folder);
    const read = await readModules(index, ["a", "b", "c", "d"], { xz });
    assert.deepEqual(read.map(({ name }) => name), ["a", "b", "c", "d"]);
    for (const { data } of read) assert.deepEqual(new Uint8Array(data), plain);
    for (const name of ["a.ko.gz", "b.ko.zst", "c.ko"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "damaged");
      await assert.rejects(readModules(index, [name.slice(0, 1)]), (error: unknown) => {
        assert.ok(error instanceof LabError);
        assert.ok(error.message.includes(`${folder}/${name}: `), error.message);
        return true;
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
