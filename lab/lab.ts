/**
 * A lab: a loopback VM, or a host with its guest, from what is needed on disk to agents that answer.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import type { Topology } from "../core/plan.ts";
import { connectControl, PeerGoneError, SilentPeerError } from "../peer/channel.ts";
import { End, type Ends } from "../peer/controller.ts";
import { ProtocolError } from "../peer/wire.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { findBundle } from "./bundle.ts";
import { consoleFolder } from "./cache.ts";
import { cpio, type CpioEntry } from "./cpio.ts";
import { findDisk } from "./disk.ts";
import { LabError } from "./error.ts";
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
  /** How long the boot may take, in milliseconds. */
  readonly bootTime: number;
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
  const { accelerator, why } = await chooseAccelerator();
  if (accelerator === "tcg") progress.say(`VMs are translated (TCG), not run directly: ${why}`);
  return { tools, kernel, disk, bundle, accelerator };
}

/**
 * Boots a lab; its agents may not answer yet.
 *
 * @throws {LabError} where something that it needs cannot be had.
 */
export async function bootLab(
  options: LabOptions,
  leash: Leash,
  progress: Progress,
): Promise<BootedLab> {
  const parts = await prepare(options, progress);
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
    await Deno.writeFile(initrd, await initramfs(role, parts, options.files ?? []));
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
  files: readonly CpioEntry[],
): Promise<Uint8Array<ArrayBuffer>> {
  const own = parts.kernel.modules.filter(({ name }) => wanted(role, name));
  const guest = role === "host" ? guestArguments() : [];
  const script = initScript(role, own.map(({ name }) => name), guest);
  const guestFiles: CpioEntry[] = role !== "host" ? [] : [
    { path: "guest", folder: true },
    { path: "guest/vmlinuz", data: await Deno.readFile(parts.kernel.vmlinuz) },
    { path: "guest/initrd", data: await initramfs("guest", parts, files) },
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

/** A guest must not offer what only hosts have, and a host's kernel must not be a guest's. */
function wanted(role: VmRole, module: string): boolean {
  const hostOnly = /^(kvm|vhost|irqbypass|ccp)/.test(module);
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
  for (;;) {
    try {
      const channel = await connectControl({ host: "127.0.0.1", port }, ANSWER_TIME, signal);
      try {
        return await End.open(name, channel, own, ANSWER_TIME);
      } catch (error) {
        channel.close();
        throw error;
      }
    } catch (error) {
      const kinds = [PeerGoneError, SilentPeerError, ProtocolError];
      const expected = kinds.some((kind) => error instanceof kind);
      if (!expected && !signal.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      if (signal.aborted) throw new LabError(`the ${name}'s agent does not answer: ${reason}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
