/**
 * The pure parts of the lab: archives, arguments, scripts.
 *
 * @module
 */
import assert from "node:assert/strict";
import { hasVirtualization } from "./host/accelerator.ts";
import { ARCHES, archTraits } from "./arch.ts";
import { cpio } from "./image/cpio.ts";
import { initScript } from "./image/init_script.ts";
import { guestArguments, outerArguments } from "./vm/qemu_args.ts";
import { MARKS } from "./layout.ts";

Deno.test("cpio() writes what cpio(1) and the kernel read", () => {
  const archive = cpio([
    { path: "d", folder: true },
    { path: "d/f", data: new TextEncoder().encode("hello"), executable: true },
    { path: "l", link: "d/f" },
  ]);
  assert.equal(archive.length % 4, 0);
  const text = new TextDecoder("latin1").decode(archive);
  // Magic, inode, mode, uid, gid, nlink, mtime, size, 4 device numbers, name size, checksum.
  const headers = [...text.matchAll(/070701([0-9a-f]{104})/g)].map(([, fields = ""]) =>
    fields.match(/.{8}/g)?.map((field) => parseInt(field, 16)) ?? []
  );
  assert.deepEqual(headers.map((fields) => (fields[1] ?? 0).toString(8)), [
    "40755",
    "100755",
    "120777",
    "0",
  ]);
  assert.deepEqual(headers.map((fields) => fields[6]), [0, 5, 3, 0]);
  assert.deepEqual(headers.map((fields) => fields[11]), [2, 4, 2, 11]);
  assert.match(text, /TRAILER!!!\0/);
});

const X86 = archTraits("x86_64");

const OUTER = {
  arch: archTraits("x86_64"),
  firmware: [],
  role: "host",
  accelerator: "tcg",
  vmlinuz: "/k",
  initrd: "/i",
  disk: "/d",
  vms: [
    { name: "host", console: "/c1", shell: "/s1" },
    { name: "guest", console: "/c2", shell: "/s2" },
  ],
  monitor: "/m",
  agents: { host: 4001, guest: 4002 },
} as const;

Deno.test("outerArguments() forwards ports of 127.0.0.1 only, and nothing out of the VM", () => {
  const accelerators = ["tcg", "tcg-single", "kvm"] as const;
  const all = ARCHES.flatMap((arch) =>
    accelerators.map((each) => [archTraits(arch), each] as const)
  );
  for (const [arch, accelerator] of all) {
    const args = outerArguments({ ...OUTER, arch, accelerator }).join(" ");
    assert.match(args, /restrict=on/);
    const forwards = [...args.matchAll(/hostfwd=tcp:([^:]*):(\d+)/g)];
    assert.deepEqual(forwards.map(([, host, port]) => `${host}:${port}`), [
      "127.0.0.1:4001",
      "127.0.0.1:4002",
    ]);
    assert.equal(args.includes("readonly=on"), true);
    assert.equal(args.includes("-accel kvm"), accelerator === "kvm");
    assert.equal(args.includes("thread=multi"), accelerator === "tcg");
  }
});

Deno.test("guestArguments() gives the guest its CID and no processor", () => {
  for (const arch of ARCHES) {
    const args = guestArguments(archTraits(arch)).join(" ");
    assert.match(args, /vhost-vsock-pci,guest-cid=3/);
    assert.doesNotMatch(args, /-accel|-cpu|-smp/);
  }
});

Deno.test("initScript() starts the guest's agent as the README says one starts it by hand", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const [, command] = /<!-- by hand: guest -->\s+```sh\n(.*)\n```/.exec(readme) ?? [];
  assert.ok(command !== undefined && initScript(X86, "guest", []).includes(command), command);
  assert.match(command, / --token-file token$/);
});

Deno.test("outerArguments() doubles a comma in a path, where QEMU would end it", () => {
  const args = outerArguments({
    ...OUTER,
    accelerator: "tcg",
    disk: "/a,b/d",
    vms: [{ name: "host", console: "/x,y", shell: "/z" }],
  });
  assert.ok(args.some((each) => each.startsWith("file=/a,,b/d,if=none")));
  assert.ok(args.some((each) => each.includes("path=/x,,y,append=on")));
});

Deno.test("outerArguments() gives a VM without a guest the same serial ports, two of them unused", () => {
  const [outer] = OUTER.vms;
  for (const arch of ARCHES.map(archTraits)) {
    const serial = (args: readonly string[]) =>
      args.filter((text) => /^chardev:|chardev=(console|shell)/.test(text));
    const alone = outerArguments({ ...OUTER, arch, vms: [outer] });
    assert.deepEqual(serial(alone), serial(outerArguments({ ...OUTER, arch })));
    assert.equal(serial(alone).length, 4);
    assert.deepEqual(alone.filter((text) => text.startsWith("null,")), [
      "null,id=console-1",
      "null,id=shell-1",
    ]);
  }
});

Deno.test("initScript() loads modules in order and starts what its role needs", () => {
  const loopback = initScript(X86, "loopback", [{ name: "b" }, { name: "a", parameters: "c=d" }]);
  assert.ok(loopback.indexOf("/modules/b.ko") < loopback.indexOf("/modules/a.ko"));
  assert.equal(loopback.match(/agent --peer-cid 1 /g)?.length, 2);
  assert.doesNotMatch(loopback, /qemu-system/);
  const host = initScript(X86, "host", [], ["-append", "a b"]);
  assert.match(host, /agent --peer-cid 3 /);
  assert.match(host, /qemu-system-x86_64 .*'-append' 'a b'/);
  assert.ok(host.includes(MARKS.guestEnded));
  assert.match(initScript(X86, "guest", []), /agent --peer-cid 2 /);
});

Deno.test("initScript() is a script that sh can read", async () => {
  const roles = ["loopback", "host", "guest"] as const;
  const all = ARCHES.flatMap((arch) => roles.map((role) => [archTraits(arch), role] as const));
  for (const [arch, role] of all) {
    const child = new Deno.Command("sh", { args: ["-n"], stdin: "piped", stderr: "piped" }).spawn();
    await new Response(initScript(arch, role, [{ name: "m" }], ["-x"])).body?.pipeTo(child.stdin);
    const { success, stderr } = await child.output();
    assert.ok(success, new TextDecoder().decode(stderr));
  }
});

Deno.test("hasVirtualization() wants the flag itself", () => {
  const cpuinfo = (flags: string) => `processor\t: 0\nflags\t\t: ${flags}\nbugs\t: x\n`;
  assert.ok(hasVirtualization(cpuinfo("fpu svm sse")));
  assert.ok(hasVirtualization(cpuinfo("fpu vmx")));
  assert.ok(!hasVirtualization(cpuinfo("fpu svm_lock vmx_x hypervisor")));
  assert.ok(!hasVirtualization(""));
});
