/**
 * A lab: a loopback VM, or a host with its guest, from what is needed on disk to agents that answer.
 *
 * @module
 */
import { reasonOf } from "../core/reason.ts";
import type { EndFacts } from "../core/event.ts";
import type { Topology } from "../core/plan.ts";
import { connectControl, PeerGoneError, SilentPeerError } from "../peer/channel.ts";
import type { Ends } from "../peer/controller.ts";
import { End } from "../peer/end.ts";
import { ProtocolError } from "../peer/wire.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { findBundle } from "./bundle.ts";
import { consoleFolder } from "./cache.ts";
import { cpio, type CpioEntry } from "./cpio.ts";
import { findDisk } from "./disk.ts";
import { LabError, MishapError } from "./error.ts";
import { initScript, type VmRole } from "./init.ts";
import { findKernel, type Kernel, type KernelChoice } from "./kernel.ts";
import type { Progress } from "./progress.ts";
import { type Accelerator, guestArguments, outerArguments } from "./qemu.ts";
import { requireTools, type Tools } from "./tools.ts";
import { type Leash, Vm } from "./vm.ts";

/** What lab to make. */
export interface LabOptions {
  readonly topology: Topology;
  readonly kernel: KernelChoice;
  /** Files to put into the VM besides the lab's own. */
  readonly files?: readonly CpioEntry[];
}

/** Where a running lab can be reached; plain data, so that it can be kept in a file. */
export interface LabAddress {
  readonly topology: Topology;
  readonly kernel: string;
  readonly pid: number;
  /** The folder of its sockets. */
  readonly folder: string;
  /** TCP ports on 127.0.0.1 of its two agents: host and guest, or both loopback. */
  readonly ports: readonly [number, number];
  /** Unix sockets of its shells: host's (or loopback's) and guest's. */
  readonly shells: readonly [string, string];
  readonly consoles: readonly [string, string];
}

/** A lab that this process started. */
export interface BootedLab extends AsyncDisposable {
  readonly address: LabAddress;
  readonly vm: Vm;
  /** How its processors come about. */
  readonly accelerator: Accelerator;
}

/** A lab whose agents answer. */
export interface OpenLab extends BootedLab {
  readonly ends: Ends;
}

/** What a lab is made of. */
interface Parts {
  readonly tools: Tools;
  readonly kernel: Kernel;
  readonly disk: string;
  readonly bundle: Uint8Array;
  readonly accelerator: Accelerator;
}

/** Finds, fetches or makes all that a lab is made of. */
async function prepare(options: LabOptions, progress: Progress): Promise<Parts> {
  const tools = await requireTools(progress);
  const kernel = await findKernel(options.kernel, progress);
  const disk = await findDisk(tools, progress);
  const bundle = await findBundle(progress);
  const { accelerator, why } = await chooseAccelerator(tools.qemu);
  if (accelerator !== "kvm") progress.say(`VMs are translated (TCG), not run directly: ${why}`);
  if (accelerator === "tcg-single") progress.say("QEMU 8.1 or newer would use more processors");
  return { tools, kernel, disk, bundle, accelerator };
}

/** How long a boot may take, in milliseconds; a nested one under TCG takes 15 s when it is alone. */
const BOOT_TIME = 240_000;
/** How often a boot is tried: an emulator that fails says nothing about the kernel in it. */
const BOOT_TRIES = 3;

/**
 * Boots a lab and connects to its agents.
 *
 * @param own what the controller says of itself.
 * @throws {LabError} where something that it needs cannot be had, or it does not boot.
 */
export async function openLab(
  options: LabOptions,
  leash: Leash,
  own: EndFacts,
  progress: Progress,
  stop: AbortSignal,
): Promise<OpenLab> {
  const parts = await prepare(options, progress);
  const what = options.topology === "loopback" ? "a VM" : "a host and its guest";
  for (let tries = 1;; tries++) {
    const text = `booting ${what} with ${parts.kernel.name}`;
    try {
      return await progress.phase("boot", text, () => bootOnce(options, parts, leash, own, stop));
    } catch (error) {
      if (!(error instanceof MishapError) || tries === BOOT_TRIES) throw error;
      progress.say(`${error.message.split("\n")[0]}; trying again`);
    }
  }
}

async function bootOnce(
  options: LabOptions,
  parts: Parts,
  leash: Leash,
  own: EndFacts,
  stop: AbortSignal,
): Promise<OpenLab> {
  const booted = await startLab(options, parts, leash);
  try {
    const { address, vm } = booted;
    const open = (signal: AbortSignal) => openEnds(address, own, signal);
    return { ...booted, ends: await vm.during("the boot", BOOT_TIME, open, stop) };
  } catch (error) {
    await booted[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts a lab's VM; its agents do not answer yet. */
async function startLab(options: LabOptions, parts: Parts, leash: Leash): Promise<BootedLab> {
  const consolesIn = await consoleFolder();
  const folder = await Deno.makeTempDir({ prefix: "vsock-lab-" });
  try {
    const role = options.topology === "loopback" ? "loopback" : "host";
    const address: Omit<LabAddress, "pid"> = {
      topology: options.topology,
      kernel: options.kernel.kernel,
      folder,
      ports: freePorts(),
      shells: [`${folder}/shell-1`, `${folder}/shell-2`],
      consoles: [`${consolesIn}/${role}.log`, `${consolesIn}/guest.log`],
    };
    const initrd = `${folder}/initrd`;
    await Deno.writeFile(initrd, await initramfs(role, parts, options));
    const args = outerArguments({
      ...address,
      role,
      initrd,
      accelerator: parts.accelerator,
      vmlinuz: parts.kernel.vmlinuz,
      disk: parts.disk,
      monitor: `${folder}/monitor`,
    });
    const vm = new Vm(parts.tools.qemu, args, address.consoles, leash, `${consolesIn}/qemu.log`);
    return {
      address: { ...address, pid: vm.pid },
      vm,
      accelerator: parts.accelerator,
      async [Symbol.asyncDispose]() {
        await vm[Symbol.asyncDispose]();
        await Deno.remove(folder, { recursive: true });
      },
    };
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}

/** What a VM unpacks into its memory: busybox, the modules, the tool, and a host's guest. */
async function initramfs(
  role: VmRole,
  parts: Parts,
  options: LabOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { topology, files = [] } = options;
  const own = parts.kernel.modules.filter(({ name }) => wanted(role, topology, name));
  const guest = role === "host" ? guestArguments() : [];
  const script = initScript(role, own.map(({ name }) => name), guest);
  const guestFiles: CpioEntry[] = role !== "host" ? [] : [
    { path: "guest", folder: true },
    { path: "guest/vmlinuz", data: await Deno.readFile(parts.kernel.vmlinuz) },
    { path: "guest/initrd", data: await initramfs("guest", parts, options) },
  ];
  return cpio([
    ...["app", "base", "bin", "dev", "modules", "proc", "sys", "tmp"]
      .map((path) => ({ path, folder: true } as const)),
    { path: "init", data: new TextEncoder().encode(script), executable: true },
    { path: "bin/busybox", data: await Deno.readFile(parts.tools.busybox), executable: true },
    { path: "app/vsock-conformance.js", data: parts.bundle },
    ...own.map(({ name, data }) => ({ path: `modules/${name}.ko`, data })),
    ...guestFiles,
    ...files,
  ]);
}

/**
 * A guest must not offer what only hosts have, unless it is to be a host as well; and a host's
 * kernel must not be a guest's.
 */
function wanted(role: VmRole, topology: Topology, module: string): boolean {
  const both = role === "guest" && topology === "three-cids";
  const hostOnly = (both ? /^(kvm|irqbypass|ccp)/ : /^(kvm|vhost|irqbypass|ccp)/).test(module);
  const guestOnly = module === "vmw_vsock_virtio_transport";
  return role === "host" ? !guestOnly : role === "guest" ? !hostOnly : !hostOnly && !guestOnly;
}

/** Two TCP ports of 127.0.0.1 that nobody has now. */
function freePorts(): [number, number] {
  const listen = () => Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using first = listen();
  using second = listen();
  return [first.addr.port, second.addr.port];
}

/** How long an agent may take to answer before it is asked anew, in milliseconds. */
const ANSWER_TIME = 3000;

/**
 * Connects to a lab's agents, as soon as they answer.
 *
 * @throws {LabError} naming what was last wrong, when `signal` is aborted first.
 */
export async function openEnds(
  { topology, ports }: LabAddress,
  own: EndFacts,
  signal: AbortSignal,
): Promise<Ends> {
  const names = topology === "loopback"
    ? ["loopback", "loopback"] as const
    : ["host", "guest"] as const;
  const host = await openEnd(names[0], ports[0], own, signal);
  try {
    return { host, guest: await openEnd(names[1], ports[1], own, signal) };
  } catch (error) {
    host.close();
    throw error;
  }
}

async function openEnd(
  name: string,
  port: number,
  own: EndFacts,
  signal: AbortSignal,
): Promise<End> {
  const address = { host: "127.0.0.1", port };
  const again = (milliseconds: number) => connectControl(address, milliseconds);
  for (;;) {
    try {
      const channel = await connectControl(address, ANSWER_TIME, signal);
      try {
        return await End.open(name, channel, own, { again, helloTime: ANSWER_TIME });
      } catch (error) {
        channel.close();
        throw error;
      }
    } catch (error) {
      const kinds = [PeerGoneError, SilentPeerError, ProtocolError];
      const expected = kinds.some((kind) => error instanceof kind);
      if (!expected && !signal.aborted) throw error;
      const reason = reasonOf(error);
      if (signal.aborted) throw new LabError(`the ${name}'s agent does not answer: ${reason}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
