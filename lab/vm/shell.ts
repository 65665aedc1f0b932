/**
 * Connects to the shells in the VMs, over their serial ports: interactively, or to run a script.
 *
 * @module
 */
import { reasonOf } from "../../core/error.ts";
import { LabError } from "../error.ts";
import { screenOf, writeTo } from "../../report/screen.ts";

/** Leaves an interactive shell: Ctrl-]. */
const LEAVE = 0x1d;

/** The result of a script in a VM. */
export interface ScriptResult {
  readonly output: string;
  readonly status: number;
}

async function connect(socket: string): Promise<Deno.UnixConn> {
  try {
    return await Deno.connect({ transport: "unix", path: socket });
  } catch (error) {
    throw new LabError(`Cannot reach the shell at ${socket}: ${reasonOf(error)}`);
  }
}

/**
 * Runs a script in a VM's shell.
 *
 * @param socket the shell's socket, see LabAddress.
 * @param onText receives the shell's output as it arrives.
 * @throws {LabError} if the connection is lost; the reason of `signal`, if that is aborted.
 */
export async function runScript(
  socket: string,
  script: string,
  signal: AbortSignal,
  onText: (text: string) => void = () => {},
): Promise<ScriptResult> {
  signal.throwIfAborted();
  using connection = await connect(socket);
  const nonce = crypto.randomUUID();
  const encoded = btoa(unescape(encodeURIComponent(script)));
  // The script is sent in base64, so that the terminal does not change it. The shell assembles the
  // marks, so that their echo is not mistaken for them.
  const lines = [
    "stty -echo; PS1= PS2=",
    "printf '' > /tmp/script",
    ...(encoded.match(/.{1,512}/g) ?? []).map((piece) => `printf %s ${piece} >> /tmp/script`),
    `m=${nonce}; echo; echo begin-$m`,
    "base64 -d /tmp/script > /tmp/script.sh; sh /tmp/script.sh </dev/null 2>&1",
    "echo end-$m $?",
  ];
  const onAbort = () => connection.close();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await writeAll(connection, new TextEncoder().encode(`${lines.join("\n")}\n`));
    return await readResult(connection, nonce, onText);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function readResult(
  connection: Deno.UnixConn,
  nonce: string,
  onText: (text: string) => void,
): Promise<ScriptResult> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(4096);
  const pattern = new RegExp(`begin-${nonce}\\r?\\n([^]*?)end-${nonce} (\\d+)\\r?\\n`);
  for (let text = "";;) {
    const count = await connection.read(chunk);
    if (count === null) throw new LabError("lost the connection to the VM's shell");
    const more = decoder.decode(chunk.subarray(0, count), { stream: true });
    onText(more);
    text += more;
    const match = pattern.exec(text);
    if (match !== null) {
      return { output: (match[1] ?? "").replaceAll("\r\n", "\n"), status: Number(match[2]) };
    }
  }
}

/** Connects the terminal to a VM's shell until Ctrl-]; piped input is run as a script. */
export async function interact(socket: string, signal: AbortSignal): Promise<number> {
  if (!Deno.stdin.isTerminal()) {
    const script = await new Response(Deno.stdin.readable).text();
    const { output, status } = await runScript(socket, script, signal);
    screenOf(Deno.stdout).write(output);
    return status;
  }
  using connection = await connect(socket);
  const { columns, rows } = Deno.consoleSize();
  Deno.stdin.setRaw(true);
  try {
    const setUp =
      `stty echo sane rows ${rows} columns ${columns}; export TERM=vt100 PS1='\\w # '\n`;
    await writeAll(connection, new TextEncoder().encode(setUp));
    await Promise.race([fromKeyboard(connection), toScreen(connection)]);
  } finally {
    Deno.stdin.setRaw(false);
  }
  return 0;
}

async function fromKeyboard(connection: Deno.UnixConn): Promise<void> {
  const chunk = new Uint8Array(1024);
  for (;;) {
    const count = await Deno.stdin.read(chunk);
    if (count === null) return;
    const leave = chunk.subarray(0, count).indexOf(LEAVE);
    await writeAll(connection, chunk.subarray(0, leave < 0 ? count : leave));
    if (leave >= 0) return;
  }
}

async function toScreen(connection: Deno.UnixConn): Promise<void> {
  const chunk = new Uint8Array(4096);
  for (;;) {
    const count = await connection.read(chunk);
    if (count === null) return;
    writeTo(Deno.stdout, chunk.subarray(0, count));
  }
}

async function writeAll(
  to: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
