/**
 * A guest's vsock devices as sysfs has them: those that the driver took, and those it did not.
 *
 * @module
 */
import { writeAttribute } from "./kernel_file.ts";

/** A virtio device of type "socket". */
export interface VsockDeviceEntry {
  /** Its name on the virtio bus, such as `virtio2`. */
  readonly name: string;
  /** Whether a driver has it. */
  readonly bound: boolean;
}

/** VIRTIO_ID_VSOCK as the attribute `device` shows it. */
const VSOCK_ID = "0x0013";
const DEVICES = "/sys/bus/virtio/devices";
const DRIVER = "/sys/bus/virtio/drivers/vmw_vsock_virtio_transport";

/** The devices, by name; none where there is no virtio bus. */
export function vsockDevices(): VsockDeviceEntry[] {
  const names = namesIn(DEVICES).filter((name) => {
    return Deno.readTextFileSync(`${DEVICES}/${name}/device`).trim() === VSOCK_ID;
  });
  const bound = new Set(namesIn(DRIVER));
  return names.map((name) => ({ name, bound: bound.has(name) }));
}

/**
 * Has the driver try to take a device.
 *
 * @throws {SysError} with what the driver answers.
 */
export function bindDevice(name: string): void {
  writeAttribute(`${DRIVER}/bind`, name);
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
