/**
 * Restores the machine's settings that cases change temporarily: if a process died during such a
 * case, the next process restores them, so that no later case is affected.
 *
 * @module
 */
import { reasonOf } from "../core/error.ts";
import { setVsockSysctl, VSOCK_SYSCTLS, vsockSysctl } from "../sys/sysctl.ts";

/** The values of sysctls, by name. */
export type Settings = Readonly<Record<string, string>>;

/** How settings are read and set; tests replace it. */
export interface SettingsAccess {
  readonly get: (name: string) => string | undefined;
  /** @throws {Error} if it cannot be set. */
  readonly set: (name: string, value: string) => void;
}

type Name = typeof VSOCK_SYSCTLS[number];

const SYSCTLS: SettingsAccess = {
  get: (name) => vsockSysctl(name as Name),
  set: (name, value) => setVsockSysctl(name as Name, value),
};

/** The current settings. */
export function settingsNow({ get }: SettingsAccess = SYSCTLS): Settings {
  return Object.fromEntries(VSOCK_SYSCTLS.flatMap((name) => {
    const value = get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/**
 * Restores settings that have changed.
 *
 * @returns what was restored, or could not be, one line each.
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
