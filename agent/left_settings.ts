/**
 * The machine's settings that cases change for a while: what a process that died in one left
 * changed, the next one sets back, so that no later case runs with it.
 *
 * @module
 */
import { reasonOf } from "../core/error.ts";
import { setVsockSysctl, VSOCK_SYSCTLS, vsockSysctl } from "../sys/sysctl.ts";

/** Values by the names of the sysctls. */
export type Settings = Readonly<Record<string, string>>;

/** How they are read and set; tests have others. */
export interface SettingsAccess {
  readonly get: (name: string) => string | undefined;
  /** @throws {Error} where that cannot be. */
  readonly set: (name: string, value: string) => void;
}

type Name = typeof VSOCK_SYSCTLS[number];

const SYSCTLS: SettingsAccess = {
  get: (name) => vsockSysctl(name as Name),
  set: (name, value) => setVsockSysctl(name as Name, value),
};

/** What they are now. */
export function settingsNow({ get }: SettingsAccess = SYSCTLS): Settings {
  return Object.fromEntries(VSOCK_SYSCTLS.flatMap((name) => {
    const value = get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/**
 * Sets back what differs from what it was.
 *
 * @returns what was set back, or could not be, one line each.
 */
export function setBack(before: Settings, access: SettingsAccess = SYSCTLS): string[] {
  const now = settingsNow(access);
  return VSOCK_SYSCTLS.flatMap((name) => {
    const [value, left] = [before[name], now[name]];
    if (value === undefined || left === undefined || left === value) return [];
    const text = `net.vsock.${name} was left at ${left}`;
    try {
      access.set(name, value);
      return [`${text}, set back to ${value}`];
    } catch (error) {
      return [`${text}, and cannot be set back to ${value}: ${reasonOf(error)}`];
    }
  });
}
