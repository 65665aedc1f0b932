/**
 * QEMU's arguments, group by group. Nothing here starts anything.
 *
 * @module
 */
import {
  AGENT_PORT,
  CONTROL_PORT,
  GUEST_CID,
  GUEST_CONTROL_PORT,
  GUEST_MONITOR,
  SECOND_PORT,
  type VmRole,
} from "./init.ts";

/** How the processor of a VM comes about. */
export type Accelerator =
  | "kvm"
  /** Translated, with a thread for each processor. */
  | "tcg"
  /** Translated, with one thread for all. */
  | "tcg-single";

/** What the outer VM is started with. */
export interface OuterVm {
  readonly role: Exclude<VmRole, "guest">;
  readonly accelerator: Accelerator;
  readonly vmlinuz: string;
  readonly initrd: string;
  readonly disk: string;
  /** Files that its first two serial ports are written to: its console, and its guest's. */
  readonly consoles: readonly [string, string];
  /** Unix sockets for its third and fourth serial port: a shell, and its guest's shell. */
  readonly shells: readonly [string, string];
  /** Unix socket of the QEMU monitor (QMP). */
  readonly monitor: string;
  /** TCP ports on 127.0.0.1 for the two agents. */
  readonly ports: readonly [number, number];
}

const COMMON = ["-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-machine", "q35"];
/** Kernel parameters: a quiet console, and a panic that ends the VM at once. */
const APPEND = "console=ttyS0 quiet loglevel=4 panic=-1 reboot=t tsc=reliable";

/**
 * Devices are notified through an I/O port, not through memory. TCG's SVM leaves the type of the
 * last exception behind in EXITINTINFO, and a host of Linux 6.14 or newer stops its guest
 * (svm_check_emulate_instruction(), "KVM internal error. Suberror: 3") when the next exit is a
 * write to a device's memory, as a notification right after a page fault is.
 */
const PORT_NOTIFY = ["-global", "virtio-pci.modern-pio-notify=on"];

/** The arguments of the VM that runs on this machine. */
export function outerArguments(vm: OuterVm): string[] {
  return [
    ...COMMON,
    ...processor(vm.accelerator),
    ...["-m", vm.role === "host" ? "2200" : "1200"],
    ...boot(vm.vmlinuz, vm.initrd),
    ...disk(vm.disk),
    // restrict: the VM reaches nothing but what is forwarded to it.
    ...network("restrict=on", [
      `tcp:127.0.0.1:${vm.ports[0]}-:${AGENT_PORT}`,
      `tcp:127.0.0.1:${vm.ports[1]}-:${SECOND_PORT}`,
    ]),
    // What a VM writes stands behind what the one before it wrote that it takes the place of.
    ...vm.consoles.flatMap((path, i) => [
      ...["-chardev", `file,id=console-${i},path=${path},append=on`],
      ...["-serial", `chardev:console-${i}`],
    ]),
    ...vm.shells.flatMap((path) => ["-serial", `unix:${path},server=on,wait=off`]),
    ...["-qmp", `unix:${vm.monitor},server=on,wait=off`],
  ];
}

/** The arguments of the guest, as the host's VM starts it: all but the processor. */
export function guestArguments(cids: readonly number[] = [GUEST_CID]): string[] {
  return [
    ...COMMON,
    ...["-m", "900"],
    ...boot("/guest/vmlinuz", "/guest/initrd"),
    ...disk("/dev/vda"),
    ...network("restrict=off", [
      `tcp:0.0.0.0:${SECOND_PORT}-:${AGENT_PORT}`,
      `tcp:127.0.0.1:${GUEST_CONTROL_PORT}-:${CONTROL_PORT}`,
    ]),
    ...vsockDevices(cids),
    ...PORT_NOTIFY,
    ...["-qmp", `unix:${GUEST_MONITOR},server=on,wait=off`],
    ...["-serial", "/dev/ttyS1", "-serial", "/dev/ttyS3"],
  ];
}

/** The devices of a guest; several have a port each, from which they can be unplugged. */
function vsockDevices(cids: readonly number[]): string[] {
  const [first] = cids;
  if (cids.length === 1) return ["-device", `vhost-vsock-pci,guest-cid=${first}`];
  return cids.flatMap((cid, i) => [
    ...["-device", `pcie-root-port,id=port${cid},chassis=${i + 1}`],
    ...["-device", `vhost-vsock-pci,guest-cid=${cid},id=vsock${cid},bus=port${cid}`],
  ]);
}

/**
 * A VM's processors. TCG's `max` has AMD's SVM, in which the guest then runs. It has protection keys,
 * too, with which the engine guards its code; but whenever a process with others runs, TCG forgets
 * all that it knows of the page tables: a round trip between two processes of ours took 350 us with
 * them, 120 us without.
 */
function processor(accelerator: Accelerator): string[] {
  const accel = accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : [
    ...["-accel", `tcg,thread=${accelerator === "tcg" ? "multi" : "single"},tb-size=512`],
    ...["-cpu", "max,-pku"],
  ];
  return [...accel, "-smp", "2"];
}

function boot(vmlinuz: string, initrd: string): string[] {
  return ["-kernel", vmlinuz, "-initrd", initrd, "-append", APPEND];
}

function disk(image: string): string[] {
  return [
    ...["-drive", `file=${image},if=none,id=disk,format=raw,readonly=on`],
    ...["-device", "virtio-blk-pci,drive=disk"],
  ];
}

function network(restrict: string, forwards: readonly string[]): string[] {
  const netdev = ["user", "id=net", restrict, ...forwards.map((forward) => `hostfwd=${forward}`)];
  // Without romfile QEMU would look for a boot ROM that the lab's disk does not have.
  return ["-netdev", netdev.join(","), "-device", "virtio-net-pci,netdev=net,romfile="];
}
