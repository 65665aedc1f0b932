/**
 * Starts the VM of a lab, by a boot or from a snapshot.
 *
 * @module
 */
import { consoleFolder } from "../host/cache.ts";
import { outerArguments } from "./qemu_args.ts";
import { runScript } from "./shell.ts";
import { restored, type Snapshot } from "./snapshot.ts";
import { type Lifetime, Vm } from "./vm.ts";
import { type LabOptions, type LabPlace, monitorOf, type Parts, vmsOf } from "../types.ts";
import type { AgentPorts, LabVm, VmRole } from "../layout.ts";
import { consolesOf } from "../types.ts";

/** Ports, consoles and shells for a new lab, in a new folder. */
export async function newPlace(
  folder: string,
  options: LabOptions,
  { arch, role, initrd, accelerator, qemu }: Parts,
): Promise<LabPlace> {
  const consolesIn = await consoleFolder();
  const vm = (name: VmRole): LabVm => ({
    name,
    console: `${consolesIn}/${name}.log`,
    shell: `${folder}/shell-${name}`,
  });
  await Deno.writeFile(initrdIn(folder), initrd);
  return {
    topology: options.topology,
    kernel: options.kernel.kernel,
    arch: arch.name,
    qemu: qemu.identity.split("\n")[0] ?? "",
    accelerator,
    folder,
    vms: role === "host" ? [vm(role), vm("guest")] : [vm(role)],
    agents: freePorts(),
  };
}

/** Starts a VM; its agents do not respond yet. */
export async function startVm(
  place: LabPlace,
  parts: Parts,
  lifetime: Lifetime,
  snapshot: Snapshot | undefined,
): Promise<Vm> {
  const { arch, firmware, role, kernel: { vmlinuz }, disk } = parts;
  const monitor = monitorOf(place);
  const initrd = initrdIn(place.folder);
  const args = outerArguments({
    ...place,
    ...{ arch, firmware, role, initrd, vmlinuz, disk, monitor },
  });
  const more = await snapshot?.arguments() ?? [];
  const errors = place.vms[0].console.replace(/[^/]+$/, "qemu.log");
  return new Vm(parts.qemu.path, [...args, ...more], consolesOf(place), lifetime, errors);
}

/** Waits until a restored VM runs. */
export function runsAgain(place: LabPlace, signal: AbortSignal): Promise<void> {
  return restored(monitorOf(place), signal);
}

/** Sets the clock of a restored VM, which still shows the time when it was saved. */
export async function setClocks(place: LabPlace, signal: AbortSignal): Promise<void> {
  const script = `date -u -s @${Math.round(Date.now() / 1000)}`;
  await Promise.all(vmsOf(place).map(({ shell }) => runScript(shell, script, signal)));
}

function initrdIn(folder: string): string {
  return `${folder}/initrd`;
}

/** Two free TCP ports of 127.0.0.1. */
function freePorts(): AgentPorts {
  const listen = () => Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using first = listen();
  using second = listen();
  return { host: first.addr.port, guest: second.addr.port };
}
