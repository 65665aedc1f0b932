/**
 * Writes docs/model.md: what AF_VSOCK must do, from the model's rules. With `--check` it writes
 * nothing and fails where the file is stale.
 *
 * @module
 */
import { referenceText } from "../core/case.ts";
import { DEVIATION_IDS, DEVIATIONS } from "../model/deviations.ts";
import { RULE_IDS, type RuleId, RULES } from "../model/rules.ts";
import { toolCommand } from "./command.ts";

const FILE = new URL("../docs/model.md", import.meta.url);

const HEAD = `# What AF_VSOCK must do

<!-- Written by tools/model_doc.ts from model/rules.ts and model/deviations.ts. -->

\`explore\` checks the answers to random calls against these rules ([exploring.md](exploring.md)).
They are a program: \`model/\` tracks the state of each socket, works out what a call may return in
that state, and names the rule. Most states allow one answer. Where several are allowed, the rule
says MAY or gives a range, and why.

The model can be exact because nothing is in flight when a call is judged: after each call that
sends something, the agent waits until it has arrived. Transports deliver in order, so it connects
to a port on which nobody listens; the refusal arrives after everything that was sent before it.

Covered are STREAM and SEQPACKET sockets connected over one machine's loopback: socket(), bind(),
listen(), blocking connect(), accept(), send() and recv() that do not block or block for a moment,
shutdown(), close(), poll(), getsockname() and getpeername(), the buffer size options, SO_RCVLOWAT,
SO_ERROR, SIOCINQ, and SIOCOUTQ. Not covered are calls that block while others are made,
nonblocking connect(), signals, MSG_ZEROCOPY, and connections between two machines.

## A connection

\`\`\`text
            socket()
               |
             fresh --- bind() ---> bound --- listen() ---> listening
               |                     |                        |
               +----- connect() -----+                        | takes requests into its queue
               |                     |                        |
          refused:              connected <---- accept() -----+
          may try again              |
                                     |  each side, each direction on its own:
                                     |  shutdown(SHUT_RD)  it reads 0, the peer's send() is EPIPE
                                     |  shutdown(SHUT_WR)  its send() is EPIPE, the peer reads 0 at the end
                                     |  close()            both at once
                                     v
                          over: both directions of a side are shut
                          and its peer has read all that was sent
\`\`\`

A connection exists as soon as connect() returns: the client may send, shut down, and close before
accept(). Data sent before a shutdown or close is delivered before the end.

## Credit

A sender may have as much unread data outstanding as the smaller of two buffers holds: the
receiver's, which every packet advertises, and its own. Data that has been read no longer counts
once the sender knows about it, and a receiver need not announce every read. The amount that a
send() accepts is therefore exact on a new connection, after the receiver has read everything, on a
SEQPACKET connection after each message, and after a send() that was cut short. In between it is a
range: no less than what the sender is known to have been told, no more than what is free.
`;

const SECTIONS: Readonly<Record<string, string>> = {
  "Sockets and connections": "socket soon fd bind listen connect accept",
  "Data": "send recv",
  "Ends": "shutdown close",
  "poll()": "poll",
  "Addresses, options, ioctl()": "name option ioctl",
};

/** The text of the file. */
export function modelText(): string {
  const sections = Object.entries(SECTIONS).map(([title, families]) => {
    const ids = RULE_IDS.filter((id) => families.split(" ").includes(id.split("/")[0] ?? ""));
    return `## ${title}\n\n${ids.map(ruleText).join("\n")}`;
  });
  return [HEAD, ...sections, deviationsText()].join("\n");
}

function ruleText(id: RuleId): string {
  const { text, refs } = RULES[id];
  return `- **${id}**: ${text} (${refs.map(referenceText).join("; ")})\n`;
}

function deviationsText(): string {
  const lines = DEVIATION_IDS.map((id) => {
    const { text, cause, refs, kernels } = DEVIATIONS[id];
    const where = kernels === "" ? "all kernels" : `kernels ${kernels}`;
    return `- **${id}** (${where}): ${text} ${cause} (${refs.map(referenceText).join("; ")})\n`;
  });
  return `## Known deviations

On the kernels named here these are tolerated, and the summary counts them. On any other kernel, and
with \`--strict\`, they are failures.

${lines.join("\n")}`;
}

/** Formats the text as \`deno fmt\` does, so that a check of the format changes nothing. */
async function formatted(text: string): Promise<string> {
  const format = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = new Response(format.stdout).text();
  await new Response(text).body?.pipeTo(format.stdin);
  if (!(await format.status).success) throw new Error("deno fmt cannot format docs/model.md");
  return await output;
}

/** Whether the file is what the rules of today make of it. */
export async function modelIsFresh(): Promise<boolean> {
  return await Deno.readTextFile(FILE) === await formatted(modelText());
}

if (import.meta.main) {
  const { check } = toolCommand("model_doc", "writes docs/model.md from the model")
    .option("--check", "write nothing; fail where the file is stale")
    .parse(Deno.args, { from: "user" }).opts();
  if (!check) await Deno.writeTextFile(FILE, await formatted(modelText()));
  else if (!await modelIsFresh()) {
    const line = "docs/model.md is stale: run 'deno run -A tools/model_doc.ts'\n";
    Deno.stderr.writeSync(new TextEncoder().encode(line));
    Deno.exit(1);
  }
}
