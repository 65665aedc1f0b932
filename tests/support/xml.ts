/**
 * XML as a tree, read by saxes, which refuses what is not well-formed.
 *
 * @module
 */
import { SaxesParser } from "saxes";

/** An element. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlNode[];
  /** The text that is directly in it. */
  text: string;
}

/**
 * Reads a document.
 *
 * @throws {Error} where it is not well-formed.
 */
export function xmlTree(document: string): XmlNode {
  const top: XmlNode = { name: "", attributes: {}, children: [], text: "" };
  const open = [top];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const node = { name, attributes, children: [], text: "" };
    open.at(-1)?.children.push(node);
    open.push(node);
  });
  parser.on("text", (text) => {
    const node = open.at(-1);
    if (node !== undefined) node.text += text;
  });
  parser.on("closetag", () => void open.pop());
  parser.write(document).close();
  const [root] = top.children;
  if (root === undefined) throw new Error("the document is empty");
  return root;
}
