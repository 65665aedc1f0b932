/**
 * Who may use an agent: the token that a controller must present, and the ports that its cases may
 * use. SECURITY.md explains what this protects against.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";
import { MAX_SIDES } from "../agent/session.ts";
import type { ControlAddress } from "../control/channel.ts";
import type { PortRange } from "../control/greeting.ts";
import { newToken, TOKEN_VARIABLE } from "../control/token.ts";
import { PORT_STRIDE } from "../control/wire.ts";
import { reasonOf, UsageError } from "../core/error.ts";
import { VMADDR_PORT_ANY } from "../sys/constants.ts";
import { type CasesOptions, DEFAULT_PORT, firstPort } from "./options/run.ts";
/** The ports that an agent's cases may use by default: those that `run --jobs 16` needs. */
export const DEFAULT_PORTS: PortRange = [DEFAULT_PORT, DEFAULT_PORT + MAX_SIDES * PORT_STRIDE - 1];

/** The form of a token; 16 random characters cannot be guessed. */
const TOKEN = /^[\x21-\x7e]{16,200}$/;
const FORM = "16 to 200 characters of ASCII without spaces";

/** Options of `agent` that control who may use it. */
export interface AccessOptions {
  readonly listen: ControlAddress;
  /** A file with the token. */
  readonly tokenFile?: string | undefined;
  /** Serve without a token, even if others can reach it. */
  readonly allowAnyone?: boolean | undefined;
}

/** The token of an agent. */
export interface AgentToken {
  /** Undefined if it requires none. */
  readonly token?: string | undefined;
  /** Whether it was just generated, so that nobody knows it yet. */
  readonly isNew: boolean;
}

/**
 * The token of an agent: from a file, which is created if missing, from the environment, or a new
 * one if others than this machine's users can reach the agent.
 *
 * @throws {UsageError}
 */
export async function agentToken(options: AccessOptions): Promise<AgentToken> {
  const { listen, tokenFile, allowAnyone } = options;
  const inVariable = tokenInVariable();
  if (allowAnyone) {
    const given = tokenFile !== undefined ? "--token-file" : inVariable && TOKEN_VARIABLE;
    if (given) throw new UsageError(`--allow-anyone serves without a token: leave out ${given}`);
    return { isNew: false };
  }
  if (tokenFile !== undefined) return { token: await readOrMake(tokenFile), isNew: false };
  if (inVariable !== undefined || isLoopback(listen.host)) {
    return { token: inVariable, isNew: false };
  }
  return { token: newToken(), isNew: true };
}

/**
 * The token that a run presents to its agent; undefined if none was given.
 *
 * @throws {UsageError}
 */
export async function runToken(
  { token, tokenFile }: { readonly token?: string; readonly tokenFile?: string },
): Promise<string | undefined> {
  if (token !== undefined && tokenFile !== undefined) {
    throw new UsageError("Give --token or --token-file, not both");
  }
  if (token !== undefined) return checked(token, "--token is not a token");
  return tokenFile === undefined ? tokenInVariable() : await readToken(tokenFile);
}

/** Whether only this machine's users can reach an address. */
export function isLoopback(host: string): boolean {
  return host === "::1" || host === "localhost" || /^127(\.\d+){3}$/.test(host);
}

function tokenInVariable(): string | undefined {
  const token = Deno.env.get(TOKEN_VARIABLE);
  return token ? checked(token, `${TOKEN_VARIABLE} is not a token`) : undefined;
}

function checked(token: string, otherwise: string): string {
  if (TOKEN.test(token)) return token;
  throw new UsageError(`${otherwise}: ${FORM} are needed`);
}

async function readToken(path: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) throw error;
    throw new UsageError(`Cannot read the token in ${path}: ${error.message}`);
  }
  return checked(text.trim(), `${path} has no token`);
}

/** The token in a file, which is created, readable only by its owner, if missing. */
async function readOrMake(path: string): Promise<string> {
  const isThere = await Deno.stat(path).then(() => true, () => false);
  if (isThere) return await readToken(path);
  const token = newToken();
  try {
    await Deno.writeTextFile(path, `${token}\n`, { createNew: true, mode: 0o600 });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UsageError(`Cannot write the token to ${path}: ${reasonOf(error)}`);
  }
  return token;
}

/** The value of `--ports`, for commander. */
export function portsOption(text: string): PortRange {
  const [, first, last] = (/^(\d+)-(\d+)$/.exec(text) ?? []).map(Number);
  const fits = first !== undefined && last !== undefined && last < VMADDR_PORT_ANY &&
    last - first >= PORT_STRIDE - 1;
  if (!fits) {
    throw new InvalidArgumentError(
      `Write FIRST-LAST, with room for ${PORT_STRIDE} ports, up to ${VMADDR_PORT_ANY - 1}.`,
    );
  }
  return [first, last];
}

/** The ports that the cases of a run use. */
export function portsOf(options: CasesOptions): PortRange {
  const first = firstPort(options);
  return [first, first + (options.jobs ?? 1) * PORT_STRIDE - 1];
}

/** @throws {UsageError} where a run would use ports that an agent's may not. */
export function requirePorts([first, last]: PortRange, allowed: PortRange | undefined): void {
  if (allowed === undefined || first >= allowed[0] && last <= allowed[1]) return;
  throw new UsageError(
    `--peer-port ${first}: the ports ${first} to ${last} are used, but the agent allows ` +
      `${allowed[0]} to ${allowed[1]}; choose others, or start the agent with other --ports`,
  );
}
