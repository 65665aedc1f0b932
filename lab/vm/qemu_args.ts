/**
 * Builds QEMU's arguments, group by group; starts nothing.
 *
 * @module
 */
import type { ArchTraits } from "../arch.ts";
import {
  AGENT_PORT,
  CONTROL_PORT,
  GUEST_CID,
  GUEST_CONTROL_PORT,
  GUEST_MONITOR,
  type OuterVm,
  SECOND_PORT,
} from "../layout.ts";
const COMMON = ["-nodefaults", "-no-user-config", "-nographic", "-no-reboot"];
/**
 * Kernel parameters: log level, exit on panic, and longer limits for lockups and RCU stalls, since
 * on a busy machine an emulated processor may not run for more than ten seconds.
 */
const APPEND = "loglevel=6 panic=-1 watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=60";

/** The arguments of the VM that runs on this machine. */
export function outerArguments(vm: OuterVm): string[] {
  return [
    ...COMMON,
    ...vm.firmware.flatMap((folder) => ["-L", folder]),
    ...vm.arch.machine(vm.accelerator, vm.role === "host"),
    ...["-m", vm.role === "host" ? "2200" : "1200"],
    ...boot(vm.vmlinuz, vm.initrd, vm.arch.serial.console, vm.arch),
    ...disk(vm.disk),
    // restrict: the VM can reach nothing but the forwarded ports.
    ...network("restrict=on", [
      `tcp:127.0.0.1:${vm.agents.host}-:${AGENT_PORT}`,
      `tcp:127.0.0.1:${vm.agents.guest}-:${SECOND_PORT}`,
    ]),
    ...serialPorts(vm),
    ...["-qmp", `unix:${escaped(vm.monitor)},server=on,wait=off`],
  ];
}

/** The arguments of the guest in the host VM, except for the processor. */
export function guestArguments(
  arch: ArchTraits,
  cids: readonly number[] = [GUEST_CID],
): string[] {
  const { serial } = arch;
  return [
    ...COMMON,
    ...arch.guestMachine,
    ...["-m", "900"],
    ...boot("/guest/vmlinuz", "/guest/initrd", arch.guestSerial.console, arch),
    ...disk("/dev/vda"),
    ...network("restrict=off", [
      `tcp:0.0.0.0:${SECOND_PORT}-:${AGENT_PORT}`,
      `tcp:127.0.0.1:${GUEST_CONTROL_PORT}-:${CONTROL_PORT}`,
    ]),
    ...vsockDevices(cids),
    ...["-qmp", `unix:${GUEST_MONITOR},server=on,wait=off`],
    ...["-serial", `/dev/${serial.guestConsole}`],
    ...["-chardev", `serial,id=shell,path=/dev/${serial.guestShell}`],
    ...arch.serialPort("shell"),
  ];
}

/** The vsock devices of a guest; several get a root port each, from which they can be unplugged. */
function vsockDevices(cids: readonly number[]): string[] {
  const [first] = cids;
  if (cids.length === 1) return ["-device", `vhost-vsock-pci,guest-cid=${first}`];
  return cids.flatMap((cid, i) => [
    ...["-device", `pcie-root-port,id=port${cid},chassis=${i + 1}`],
    ...["-device", `vhost-vsock-pci,guest-cid=${cid},id=vsock${cid},bus=port${cid}`],
  ]);
}

function boot(
  vmlinuz: string,
  initrd: string,
  console: string,
  { parameters }: ArchTraits,
): string[] {
  const append = `console=${console} ${APPEND} ${parameters}`.trim();
  return ["-kernel", vmlinuz, "-initrd", initrd, "-append", append];
}

/** The serial ports of the VM on this machine: two consoles, and two shells. */
function serialPorts({ arch, vms: [outer, guest] }: OuterVm): string[] {
  const [, ...more] = ["console-0", "console-1", "shell-0", "shell-1"];
  return [
    ...[outer, guest].flatMap((vm, i) => {
      // Without a guest, its ports are connected to nothing, so that the others keep their names.
      if (vm === undefined) {
        return ["-chardev", `null,id=console-${i}`, "-chardev", `null,id=shell-${i}`];
      }
      return [
        // Append: a VM that replaces another one continues its console.
        ...["-chardev", `file,id=console-${i},path=${escaped(vm.console)},append=on`],
        ...["-chardev", `socket,id=shell-${i},path=${escaped(vm.shell)},server=on,wait=off`],
      ];
    }),
    ...["-serial", "chardev:console-0"],
    ...more.flatMap((name) => arch.serialPort(name)),
  ];
}

/** Escapes a path for an option of QEMU, in which commas have to be doubled. */
function escaped(path: string): string {
  return path.replaceAll(",", ",,");
}

export function disk(image: string): string[] {
  return [
    ...["-drive", `file=${escaped(image)},if=none,id=disk,format=raw,readonly=on`],
    ...["-device", "virtio-blk-pci,drive=disk"],
  ];
}

function network(restrict: string, forwards: readonly string[]): string[] {
  const netdev = ["user", "id=net", restrict, ...forwards.map((forward) => `hostfwd=${forward}`)];
  // An empty romfile: by default QEMU looks for a boot ROM, which the lab's disk does not have.
  return ["-netdev", netdev.join(","), "-device", "virtio-net-pci,netdev=net,romfile="];
}
