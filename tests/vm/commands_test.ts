/**
 * The lab's commands: a pair that stays up, the README's two commands in it, and ends that are not
 * the usual one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { cacheRoot } from "../../lab/host/cache.ts";
import { archTraits } from "../../lab/arch.ts";
import { initScript } from "../../lab/image/init_script.ts";
import { findKernel } from "../../lab/kernel/kernel.ts";
import { testProgress } from "./support.ts";
import { runTool, Tool, until } from "../support/tool.ts";
import type { LabAddress } from "../../lab/types.ts";
import { GUEST_CID, SECOND_PORT } from "../../lab/layout.ts";

/** How long a command may take, in milliseconds: the machine may be busy. */
const PATIENCE = 900_000;
const NAME = "commands-test";
const KERNEL = { kernel: "debian:latest" };
const CASES = ["stream/close", "seqpacket/msg-trunc"];

function lab(args: readonly string[], input?: string) {
  const [command = "", ...rest] = args;
  return runTool(["lab", command, "--name", NAME, ...rest], {
    patience: PATIENCE,
    ...(input === undefined ? {} : { input }),
  });
}

/** A command that the README shows under a mark. */
async function readmeCommand(mark: string): Promise<string> {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const match = new RegExp(`<!-- by hand: ${mark} -->\\s+\`\`\`sh\\n(.*)\\n\`\`\``).exec(readme);
  assert.ok(match?.[1], `the README shows no command for the ${mark}`);
  return match[1];
}

async function stateOf(name: string): Promise<LabAddress> {
  return JSON.parse(await Deno.readTextFile(`${cacheRoot()}/labs/${name}.json`));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("lab up, run, shell and down keep a pair and end it", async () => {
  const up = await lab(["up"]);
  assert.equal(up.code, 0, up.stderr);
  const address = await stateOf(NAME);
  try {
    await beginsAtOnce();
    await runsScripts();
    await byHand(address);
    const second = await lab(["up"]);
    assert.equal(second.code, 69);
    assert.match(second.stderr, /is up already; end it with "lab down"/);
  } finally {
    const down = await lab(["down"]);
    assert.equal(down.code, 0, down.stderr);
  }
  assert.deepEqual(await processesWith(address.folder), []);
  assert.equal(await exists(address.folder), false);
  const { code, stderr } = await lab(["run"]);
  assert.equal(code, 69);
  assert.match(stderr, /No lab "commands-test" is up; start it with "lab up"/);
});

/** `lab run` begins at once, twice. */
async function beginsAtOnce(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const { code, stdout, stderr } = await lab(["run", ...CASES]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /\n6 passed, 0 failed/);
    assert.doesNotMatch(stderr, /booting|restoring/);
  }
}

/** `lab shell` runs a script in the host and in the guest. */
async function runsScripts(): Promise<void> {
  const script = "cat /sys/class/misc/vsock/uevent; ls /dev/vhost-vsock; exit 3";
  const host = await lab(["shell", "host"], script);
  assert.match(host.stdout, /DEVNAME=vsock\n\/dev\/vhost-vsock\n/);
  assert.equal(host.code, 3);
  const guest = await lab(["shell", "guest"], "cat /sys/bus/virtio/devices/*/device; exit 4");
  assert.match(guest.stdout, /^0x0013$/m, "a socket device, virtio 1.3 section 5");
  assert.equal(guest.code, 4);
}

/** The README's two commands work in the host and the guest. */
async function byHand({ arch }: LabAddress): Promise<void> {
  const guest = await readmeCommand("guest");
  // The lab starts its guest's agent with the very same words, so it is running already.
  assert.ok(initScript(archTraits(arch), "guest", []).includes(guest), guest);
  const host = await readmeCommand("host");
  assert.ok(host.includes(`--peer-cid ${GUEST_CID} `), host);
  const command = host.replace("GUEST:5201", `127.0.0.1:${SECOND_PORT}`);
  const { code, stdout } = await lab(
    ["shell", "host"],
    `cd /app\nexport NO_COLOR=1\n${command} ${CASES.join(" ")}`,
  );
  assert.match(stdout, /guest-server: the guest accepts, the host connects/);
  assert.match(stdout, /\n6 passed, 0 failed/);
  assert.equal(code, 0);
  const wrong = command.replace(`--peer-cid ${GUEST_CID}`, "--peer-cid 77");
  const refused = await lab(["shell", "host"], `cd /app\n${wrong}`);
  assert.match(refused.stdout, /--peer-cid is 77, but the agent's machine says that its CID is 3/);
  assert.equal(refused.code, 2);
}

Deno.test("Ctrl-C leaves no VM and no folder behind, SIGKILL no VM", async (t) => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGKILL", 137]] as const) {
    await t.step(signal, async () => {
      const args = ["lab", "--topology", "loopback", "--cold"];
      await using tool = new Tool(args, { patience: PATIENCE, env: { TMPDIR: cacheRoot() } });
      await tool.says(/booting/);
      const vms = async () => (await processesWith(`${cacheRoot()}/vsock-lab-`)).length;
      await until(async () => await vms() > 0, "there is no VM");
      tool.interrupt(signal);
      assert.equal((await tool.ended()).code, code);
      await until(async () => await vms() === 0, "a VM outlived the tool");
      if (signal === "SIGKILL") return await removeLabFolders();
      assert.deepEqual(await labFolders(), []);
    });
  }
});

/** The processes whose command line has a text in it. */
async function processesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (line.includes(text)) found.push(name);
  }
  return found;
}

async function labFolders(): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(cacheRoot()));
  return entries.map(({ name }) => name).filter((name) => name.startsWith("vsock-lab-"));
}

/** A process that is killed cannot remove its folder. */
async function removeLabFolders(): Promise<void> {
  for (const name of await labFolders()) {
    await Deno.remove(`${cacheRoot()}/${name}`, { recursive: true });
  }
}

Deno.test("a kernel that does not boot is reported with its console", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // A kernel of which only the beginning is left: the firmware starts it, and it goes nowhere.
    const { vmlinuz } = await findKernel(KERNEL, archTraits("x86_64"), testProgress());
    const path = `${folder}/vmlinuz`;
    await Deno.writeFile(path, (await Deno.readFile(vmlinuz)).fill(0, 32 * 1024));
    const args = ["lab", "--topology", "loopback", "--kernel", path, "--boot-timeout", "15"];
    const { code, stderr } = await runTool(args, { patience: PATIENCE });
    assert.match(stderr, /the boot failed: (it took longer than 15 s|QEMU ended)/);
    assert.match(stderr, /the end of \S+\/loopback\.log:\n {2}\| /);
    assert.equal(code, 69, stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("lab with --cases runs somebody else's case in its VM", async () => {
  const file = new URL("../../docs/examples/own_case.ts", import.meta.url).pathname;
  const args = ["lab", "--topology", "loopback", "--cases", file, "example"];
  const ended = await runTool(args, { patience: PATIENCE });
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /pass +\d+ ms +example\/send\/keeps-order\n/);
});
