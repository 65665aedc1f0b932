/**
 * Everything that differs between the architectures of a VM: machine, console, firmware, names in
 * packages. No other part of the lab distinguishes between architectures.
 *
 * @module
 */
import { LabError } from "./error.ts";

/** An architecture that VMs can have. */
export type Arch = "x86_64" | "arm64";

/** How the processors of a VM are provided. */
export type Accelerator =
  | "kvm"
  /** Emulated, with one thread per processor. */
  | "tcg"
  /** Emulated, with one thread for all processors. */
  | "tcg-single";

/** The serial devices of a VM, as its kernel names them. */
export interface SerialDevices {
  readonly console: string;
  /** In a host, the port that its guest's console is written to. */
  readonly guestConsole: string;
  readonly shell: string;
  /** In a host, the port that leads to its guest's shell. */
  readonly guestShell: string;
}

/** Everything that the lab must know about an architecture. */
export interface ArchTraits {
  readonly name: Arch;
  /** dpkg's name for it. */
  readonly debian: string;
  /** The folder of its libraries below /usr/lib, and the prefix of its compiler. */
  readonly triplet: string;
  /** Where its programs expect their loader (PT_INTERP), without the first slash. */
  readonly loader: string;
  /** `e_machine` of its programs (elf(5)). */
  readonly elfMachine: number;
  /** The npm package with Deno for it. */
  readonly denoPackage: string;
  readonly qemu: { readonly program: string; readonly package: string };
  /** The firmware files that QEMU needs to start a kernel, and the packages that have them. */
  readonly firmware: {
    readonly packages: readonly string[];
    readonly files: readonly string[];
    /** Files that not every QEMU has. */
    readonly optional: readonly string[];
  };
  /** The folder below arch/ in the kernel's source, and the image built there. */
  readonly kernelFolder: string;
  readonly kernelImage: string;
  /** The system call number of accept(2). */
  readonly acceptCall: number;
  readonly serial: SerialDevices;
  /** The same for a guest, which has a console and a shell. */
  readonly guestSerial: Pick<SerialDevices, "console" | "shell">;
  /** Further kernel parameters. */
  readonly parameters: string;
  /** QEMU's arguments for the VM on this machine; a host runs a guest. */
  machine(accelerator: Accelerator, isHost: boolean): readonly string[];
  /** QEMU's arguments for a serial port other than the console. */
  serialPort(chardev: string): readonly string[];
  /** QEMU's arguments for the guest in a host, except for the processor. */
  readonly guestMachine: readonly string[];
  readonly guestAccel: string;
}

const X86_64: ArchTraits = {
  name: "x86_64",
  debian: "amd64",
  triplet: "x86_64-linux-gnu",
  loader: "lib64/ld-linux-x86-64.so.2",
  elfMachine: 62,
  denoPackage: "@deno/linux-x64-glibc",
  qemu: { program: "qemu-system-x86_64", package: "qemu-system-x86" },
  firmware: {
    packages: ["seabios"],
    files: ["bios-256k.bin", "kvmvapic.bin", "linuxboot_dma.bin"],
    // Removed in QEMU 11.1.
    optional: ["linuxboot.bin"],
  },
  kernelFolder: "x86",
  kernelImage: "bzImage",
  acceptCall: 43,
  serial: { console: "ttyS0", guestConsole: "ttyS1", shell: "ttyS2", guestShell: "ttyS3" },
  guestSerial: { console: "ttyS0", shell: "ttyS1" },
  parameters: "reboot=t tsc=reliable",
  machine(accelerator) {
    // TCG's `max` has AMD's SVM, which the guest needs. It also has protection keys, with which the
    // JavaScript engine guards its code, but TCG flushes its whole TLB whenever it switches to a
    // process with other keys: a round trip between two agents took 350 us with them, 120 us
    // without.
    return ["-machine", "q35", ...processor(accelerator, "max,-pku")];
  },
  serialPort: (chardev) => ["-serial", `chardev:${chardev}`],
  // Notify devices through an I/O port, not through memory. TCG's SVM leaves the type of the last
  // exception in EXITINTINFO, and a host with Linux 6.14 or newer stops its guest
  // (svm_check_emulate_instruction(), "KVM internal error. Suberror: 3") when the next exit is a
  // write to a device's memory, as a notification right after a page fault is.
  guestMachine: ["-machine", "q35", "-global", "virtio-pci.modern-pio-notify=on"],
  // Under AMD's SVM as TCG emulates it, XSAVE and AVX make the guest's kernel panic.
  guestAccel: `accel="-accel tcg -smp 1 -cpu max,-pku"
if [ -c /dev/kvm ]; then
  accel="-accel kvm -smp 2 -cpu host"
  grep -q TCG /proc/cpuinfo &&
    accel="-accel kvm -smp 2 -cpu host,-xsave,-avx,-avx2,-fma,-f16c,-vaes,-vpclmulqdq,-pku"
fi`,
};

const ARM64: ArchTraits = {
  name: "arm64",
  debian: "arm64",
  triplet: "aarch64-linux-gnu",
  loader: "lib/ld-linux-aarch64.so.1",
  elfMachine: 183,
  denoPackage: "@deno/linux-arm64-glibc",
  qemu: { program: "qemu-system-aarch64", package: "qemu-system-arm" },
  firmware: { packages: [], files: [], optional: [] },
  kernelFolder: "arm64",
  kernelImage: "Image",
  acceptCall: 202,
  // The machine has one serial port (PL011); the others are PCI cards.
  serial: { console: "ttyAMA0", guestConsole: "ttyS0", shell: "ttyS1", guestShell: "ttyS2" },
  guestSerial: { console: "ttyAMA0", shell: "ttyS0" },
  parameters: "earlycon",
  machine(accelerator, isHost) {
    if (accelerator === "kvm") {
      return ["-machine", "virt,gic-version=host", ...processor(accelerator, "")];
    }
    // A host runs its guest at EL1 and itself at EL2. Pointer authentication with the architected
    // algorithm is by far the slowest part of an emulated kernel; with SVE and SME every context
    // switch saves several thousand bytes.
    const virtualization = isHost ? ",virtualization=on" : "";
    return [
      ...["-machine", `virt,gic-version=3${virtualization}`],
      ...processor(accelerator, "max,pauth-impdef=on,sve=off,sme=off"),
    ];
  },
  serialPort: (chardev) => ["-device", `pci-serial,chardev=${chardev}`],
  guestMachine: ["-machine", "virt,gic-version=3"],
  guestAccel: `accel="-accel tcg -smp 1 -cpu max,pauth-impdef=on,sve=off,sme=off"
[ -c /dev/kvm ] && accel="-accel kvm -smp 2 -cpu host"`,
};

const ALL: Readonly<Record<Arch, ArchTraits>> = { "x86_64": X86_64, "arm64": ARM64 };

/** The names of all architectures. */
export const ARCHES = ["x86_64", "arm64"] as const satisfies readonly Arch[];

/** The traits of an architecture. */
export function archTraits(arch: Arch): ArchTraits {
  return ALL[arch];
}

/**
 * The architecture of this machine.
 *
 * @throws {LabError} if the lab does not run on it.
 */
export function ownArch(): ArchTraits {
  const { os, arch } = Deno.build;
  if (os === "linux" && arch === "x86_64") return X86_64;
  if (os === "linux" && arch === "aarch64") return ARM64;
  throw new LabError(
    `The lab runs on x86-64 and arm64 Linux, and this is ${arch} ${os}; ` +
      'use "run" and "agent" on machines of your own',
  );
}

/** The traits of an architecture; without one, of this machine's. */
export function chosenArch(arch: Arch | undefined): ArchTraits {
  return arch === undefined ? ownArch() : archTraits(arch);
}

function processor(accelerator: Accelerator, emulated: string): string[] {
  const accel = accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : [
    ...["-accel", `tcg,thread=${accelerator === "tcg" ? "multi" : "single"},tb-size=512`],
    ...["-cpu", emulated],
  ];
  return [...accel, "-smp", "2"];
}
