/**
 * The order of Debian's package versions.
 *
 * @module
 */

/**
 * Compares versions as dpkg does (deb-version(7)).
 *
 * @returns a number less than, equal to, or greater than 0.
 */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string): [number, string, string] => {
    const [, epoch = "0", rest = ""] = /^(?:(\d+):)?(.*)$/.exec(version) ?? [];
    const dash = rest.lastIndexOf("-");
    return dash < 0
      ? [Number(epoch), rest, ""]
      : [Number(epoch), rest.slice(0, dash), rest.slice(dash + 1)];
  };
  const [epochA, upstreamA, revisionA] = parts(a);
  const [epochB, upstreamB, revisionB] = parts(b);
  return epochA - epochB || comparePart(upstreamA, upstreamB) || comparePart(revisionA, revisionB);
}

function comparePart(a: string, b: string): number {
  const pieces = (text: string) => [...text.matchAll(/(\D*)(\d*)/g)];
  const left = pieces(a);
  const right = pieces(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [, textA = "", numberA = ""] = left[i] ?? [];
    const [, textB = "", numberB = ""] = right[i] ?? [];
    const order = compareText(textA, textB) || Number(numberA) - Number(numberB);
    if (order !== 0) return order;
  }
  return 0;
}

/** Letters sort before other characters, and `~` before the end of the text. */
function compareText(a: string, b: string): number {
  const weight = (character: string | undefined) => {
    if (character === undefined) return 0;
    if (character === "~") return -1;
    const code = character.codePointAt(0) ?? 0;
    return /[A-Za-z]/.test(character) ? code : code + 256;
  };
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = weight(a[i]) - weight(b[i]);
    if (order !== 0) return order;
  }
  return 0;
}
