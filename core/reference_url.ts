/**
 * The addresses at which the references of a case can be read.
 *
 * @module
 */
import type { Reference } from "./case.ts";

/** The version of Linux whose source is shown, which is that of upstream's cases. */
const LINUX = "v7.3";

/** Anchors in the virtio specification, by section. */
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
    case "firecracker":
      return "https://github.com/firecracker-microvm/firecracker/blob/main/docs/vsock.md#" +
        reference.section.toLowerCase().replaceAll(" ", "-");
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

/** The sections of manual pages to which cases refer. */
const SECTIONS = ["DESCRIPTION", "RETURN VALUE", "ERRORS", "NOTES"];

function manUrl({ page, section, at }: Extract<Reference, { kind: "man" }>): string {
  // A section has an anchor. Its name as text would be found in the list of sections at the top.
  const isSection = SECTIONS.includes(at);
  const text = encodeURIComponent(at).replaceAll("-", "%2D");
  const where = isSection ? at.replaceAll(" ", "_") : `:~:text=${text}`;
  return `https://man7.org/linux/man-pages/man${section}/${page}.${section}.html#${where}`;
}

/** The section itself, or the innermost one that contains it and whose anchor is known. */
function specUrl(section: string): string {
  const url = "https://docs.oasis-open.org/virtio/virtio/v1.3/csd01/virtio-v1.3-csd01.html";
  const numbers = /^[\d.]+/.exec(section)?.[0].split(".") ?? [];
  for (let depth = numbers.length; depth > 0; depth--) {
    const anchor = SPEC_ANCHORS[numbers.slice(0, depth).join(".")];
    if (anchor !== undefined) return `${url}#${anchor}`;
  }
  return url;
}
