/**
 * Starts the VM of a lab, from nothing or from a snapshot.
 *
 * @module
 */
import { consoleFolder } from "../host/cache.ts";
import { outerArguments } from "./qemu_args.ts";
import { runScript } from "./shell.ts";
import { restored, type Snapshot } from "./snapshot.ts";
import { type Leash, Vm } from "./vm.ts";
import { type LabOptions, monitorOf, type Parts, type Place } from "../types.ts";

/** A folder, ports and consoles for a new lab. */
export async function newPlace(
  folder: string,
  options: LabOptions,
  { arch, role, initrd, accelerator, qemu }: Parts,
): Promise<Place> {
  const consolesIn = await consoleFolder();
  await Deno.writeFile(initrdIn(folder), initrd);
  return {
    topology: options.topology,
    kernel: options.kernel.kernel,
    arch: arch.name,
    qemu: qemu.identity.split("\n")[0] ?? "",
    accelerator,
    folder,
    ports: freePorts(),
    shells: [`${folder}/shell-1`, `${folder}/shell-2`],
    consoles: [`${consolesIn}/${role}.log`, `${consolesIn}/guest.log`],
  };
}

/** Starts a VM; its agents do not answer yet. */
export async function startVm(
  place: Place,
  parts: Parts,
  leash: Leash,
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
  const errors = place.consoles[0].replace(/[^/]+$/, "qemu.log");
  return new Vm(parts.qemu.path, [...args, ...more], place.consoles, leash, errors);
}

/** Waits until a restored VM runs. */
export function runsAgain(place: Place, signal: AbortSignal): Promise<void> {
  return restored(monitorOf(place), signal);
}

/** A restored VM has the time of day at which it was saved: sets it anew. */
export async function setClocks({ topology, shells }: Place, signal: AbortSignal): Promise<void> {
  const script = `date -u -s @${Math.round(Date.now() / 1000)}`;
  const all = topology === "loopback" ? shells.slice(0, 1) : shells;
  await Promise.all(all.map((shell) => runScript(shell, script, signal)));
}

function initrdIn(folder: string): string {
  return `${folder}/initrd`;
}

/** Two TCP ports of 127.0.0.1 that nobody has now. */
function freePorts(): [number, number] {
  const listen = () => Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using first = listen();
  using second = listen();
  return [first.addr.port, second.addr.port];
}
