/**
 * Runs a server and a client, each from a script in a shell.
 *
 * @module
 */
import { until } from "../core/wait.ts";
import type { ArchTraits } from "./arch.ts";
import type { ScriptResult } from "./vm/shell.ts";
import { killQuietly } from "./vm/vm.ts";

/** Runs a script in a shell; processes that it starts in the background keep running. */
export type ScriptRunner = (script: string) => Promise<ScriptResult>;

/** One value for the server and one for the client. */
export interface Pair<T> {
  readonly server: T;
  readonly client: T;
}

/** How the server and the client are run. */
export interface PairSettings {
  /** Their working directory, which also gets the server's output. */
  readonly folder: string;
  /**
   * A shell command that succeeds once the server listens; it runs in that folder, beside
   * server.log.
   */
  readonly isListening: string;
}

/**
 * A command for {@linkcode PairSettings.isListening}: the programs of `perf` print a line when they
 * listen, while vsock_perf is in accept(2) then.
 */
export function isListening({ acceptCall }: Pick<ArchTraits, "acceptCall">): string {
  return `grep -q 'Listen port' server.log || grep -q '^${acceptCall} ' ` +
    "/proc/$(cat server.pid)/syscall";
}

/** How long a server may outlive its client, in seconds. */
const SERVER_GRACE = 30;

/** Starts the server, runs the client when it listens, and waits for the server's end. */
export async function runPair(
  shells: Pair<ScriptRunner>,
  commands: Pair<string>,
  { folder, isListening }: PairSettings,
): Promise<Pair<ScriptResult>> {
  await shells.server(`cd ${folder}\n${serverScript(commands.server, isListening)}`);
  const client = await shells.client(`cd ${folder}\n${commands.client}`);
  const server = await shells.server(`cd ${folder}\n${END_OF_SERVER}`);
  return { server, client };
}

/** Starts a server in the background, and waits until it listens or has exited. */
function serverScript(command: string, isListening: string): string {
  return `rm -f server.log server.status server.pid
(
  ${command} >server.log 2>&1 &
  echo $! >server.pid
  wait $!
  echo $? >server.status.new
  mv server.status.new server.status
) >/dev/null 2>&1 &
until { ${isListening}; } 2>/dev/null || [ -e server.status ]; do sleep 0.1; done`;
}

/**
 * Waits for the server's end, prints its output, and exits with its exit code. The client has
 * exited already, so the server should, too; it is killed if it does not, as a C server waits
 * forever if its client never connected.
 */
const END_OF_SERVER =
  `(sleep ${SERVER_GRACE}; [ -e server.status ] || kill -9 $(cat server.pid)) >/dev/null 2>&1 &
until [ -e server.status ]; do sleep 0.1; done
kill $! 2>/dev/null
cat server.log
exit $(cat server.status)`;

/**
 * How long the script may take to write the status of a server that was killed, in milliseconds.
 */
const STATUS_TIME = 5000;

/**
 * Kills a server on this machine whose client was interrupted and which would wait forever, and
 * waits until the script has written its status, which is the last file written to the folder.
 */
export async function endServerIn(folder: string): Promise<void> {
  const text = (name: string) => Deno.readTextFile(`${folder}/${name}`).catch(() => undefined);
  const pid = Number(await text("server.pid"));
  const hasEnded = async () => await text("server.status") !== undefined;
  if (await hasEnded() || !(pid > 0)) return;
  killQuietly(pid, "SIGKILL");
  await until(hasEnded, { timeout: STATUS_TIME, pause: 10 });
}
