/**
 * Where what a case refers to can be read.
 *
 * @module
 */
import type { Reference } from "./case.ts";

/** The version of Linux whose source is shown: the one that upstream's cases are of. */
const LINUX = "v7.3";

/** Anchors of the virtio specification, by the section that they begin. */
const SPEC_ANCHORS: Readonly<Record<string, string>> = {
  "5.10": "x1-47200010",
  "5.10.4": "x1-4780004",
  "5.10.6": "x1-4800006",
};

/** The address of a reference: a URL with https. */
export function referenceUrl(reference: Reference): string {
  switch (reference.kind) {
    case "man":
      return manUrl(reference);
    case "spec":
      return specUrl(reference.section);
    case "kernel":
      return `https://elixir.bootlin.com/linux/${LINUX}/A/ident/${reference.function}`;
    case "proposal": {
      // The cover letter is the first message.
      const message = Number(reference.part.split("/")[0]) + 1;
      return `https://lore.kernel.org/all/20240517144607.2595798-${message}-niuxuewei.nxw@antgroup.com/`;
    }
    case "upstream":
      return "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/tools/testing/" +
        `vsock?h=${LINUX}`;
  }
}

function manUrl({ page, section, at }: Extract<Reference, { kind: "man" }>): string {
  // Sections have anchors there; browsers look for any other text.
  const isSection = /^(DESCRIPTION|ERRORS)$/.test(at);
  const text = encodeURIComponent(at).replaceAll("-", "%2D");
  const where = isSection ? at : `:~:text=${text}`;
  return `https://man7.org/linux/man-pages/man${section}/${page}.${section}.html#${where}`;
}

/** The section itself, or the innermost one around it whose anchor is known. */
function specUrl(section: string): string {
  const url = "https://docs.oasis-open.org/virtio/virtio/v1.3/csd01/virtio-v1.3-csd01.html";
  const numbers = /^[\d.]+/.exec(section)?.[0].split(".") ?? [];
  for (let depth = numbers.length; depth > 0; depth--) {
    const anchor = SPEC_ANCHORS[numbers.slice(0, depth).join(".")];
    if (anchor !== undefined) return `${url}#${anchor}`;
  }
  return url;
}
