import assert from "node:assert/strict";
import { inCache } from "../tests/support/own_cache.ts";
import { endLab, findLab, rememberLab, requireLab, requireRunning } from "./registry.ts";
import type { LabAddress } from "./types.ts";

/**
 * A process with the folder of a lab among its arguments, as QEMU has it, and the lab's address.
 */
async function startVm(folder: string): Promise<{ vm: Deno.ChildProcess; address: LabAddress }> {
  await Deno.mkdir(folder);
  const args = ["-c", "echo; read line", "qemu", `unix:${folder}/monitor`];
  const vm = new Deno.Command("sh", { args, stdin: "piped", stdout: "piped" }).spawn();
  const reader = vm.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return { vm, address: { pid: vm.pid, folder } as LabAddress };
}

Deno.test("of two labs that come up under one name, the second is told", async () => {
  await inCache(async (cache) => {
    const first = await startVm(`${cache}/first`);
    await using _first = first.vm;
    const second = await startVm(`${cache}/second`);
    await using _second = second.vm;
    const both = [first, second].map(({ address }) => rememberLab("lab", address));
    const ends = await Promise.allSettled(both);
    const refused = ends.flatMap((end) => end.status === "rejected" ? [`${end.reason}`] : []);
    assert.equal(refused.length, 1);
    assert.match(refused[0] ?? "", /A lab "lab" is up already; end it with "lab down"/);
    const kept = ends[0]?.status === "fulfilled" ? first : second;
    assert.equal((await findLab("lab"))?.pid, kept.vm.pid);
    await endLab("lab", kept.address);
    assert.equal(await findLab("lab"), undefined);
    await assert.rejects(Deno.stat(kept.address.folder), Deno.errors.NotFound);
  });
});

Deno.test("a lab whose QEMU has ended is not up", async () => {
  await inCache(async (cache) => {
    const { vm, address } = await startVm(`${cache}/folder`);
    await rememberLab("lab", address);
    await vm.stdin.close();
    await vm.status;
    await rememberLab("lab", address);
    assert.equal(await findLab("lab"), undefined);
  });
});

Deno.test("a lab that another version of the tool started can be ended, and no more", async () => {
  await inCache(async (cache) => {
    const { vm, address } = await startVm(`${cache}/folder`);
    await using _vm = vm;
    await rememberLab("lab", address);
    assert.equal((await requireLab("lab")).pid, vm.pid);
    const file = `${cache}/labs/lab.json`;
    const { format: _, ...old } = JSON.parse(await Deno.readTextFile(file));
    await Deno.writeTextFile(file, JSON.stringify(old));
    await assert.rejects(
      requireLab("lab"),
      /^LabError: The lab "lab" was started by another version of this tool; end it with "lab down"/,
    );
    await endLab("lab", await requireRunning("lab"));
    assert.equal(await findLab("lab"), undefined);
  });
});
