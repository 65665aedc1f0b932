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

These are the rules by which \`explore\` judges what a kernel answers to random calls
([exploring.md](exploring.md)). They are a program: \`model/\` knows the state of each socket, works
out what a call may answer there, and says by which rule. Most states leave one answer. Where they
leave several, the rule says MAY, or names a range and why.

The model is exact because it is told of nothing while something is under way: before the next call
is judged, all that was sent has arrived. Whoever makes the calls sees to that. A transport keeps
the order of what it carries, so a connection request to a port that nobody has, which is refused,
comes back behind everything that was sent before it.

It covers STREAM and SEQPACKET sockets that are connected over one machine's loopback: socket(),
bind(), listen(), connect() that waits, accept(), send() and recv() that do not wait or wait for a
moment, shutdown(), close(), poll(), the addresses, the buffer's options, SO_RCVLOWAT, SO_ERROR,
SIOCINQ and SIOCOUTQ. Calls that block while others are made, connect() that does not wait, signals,
MSG_ZEROCOPY and connections between two machines are not modelled.

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

A connection exists from connect() on: the client may send, shut down and close before accept().
What was sent before an end is read before it.

## Credit

A sender may have as much under way as the smaller of two buffers holds: the receiver's, which every
packet tells it, and its own. What was read counts no more as soon as the sender knows, and a
receiver need not tell of each byte. So what a send() takes is exact after a connection has begun,
after the reader has read to the end, on a SEQPACKET connection after each message, and after a
send() that took less than it was given; in between it is a range: at least what the sender surely
knows to be free, at most what is.
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

On the kernels that are named these are taken, and counted at the end of exploring; on others, and
with \`--strict\` anywhere, they are breaches of a rule.

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
