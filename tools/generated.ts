/**
 * The part of a document that a tool writes, between two comments that name the tool.
 *
 * @module
 */

/** Such a part. */
export class GeneratedPart {
  readonly #file: URL;
  readonly #begin: string;
  readonly #end: string;
  readonly #make: () => string;

  /**
   * @param tool the tool's path, as the comments have it.
   * @param make gives the part as Markdown, which ends with a line of its own.
   */
  constructor(file: URL, tool: string, make: () => string) {
    this.#file = file;
    this.#begin = `<!-- Written by ${tool}: begin -->`;
    this.#end = `<!-- Written by ${tool}: end -->`;
    this.#make = make;
  }

  /** Whether the document has the part as it is today. */
  async isFresh(): Promise<boolean> {
    const text = await Deno.readTextFile(this.#file);
    return text === this.#within(text);
  }

  /** Writes it anew. */
  async write(): Promise<void> {
    await Deno.writeTextFile(this.#file, this.#within(await Deno.readTextFile(this.#file)));
  }

  #within(text: string): string {
    const begin = text.indexOf(this.#begin);
    const end = text.indexOf(this.#end);
    if (begin < 0 || end < begin) {
      throw new Error(
        `Cannot find the place to write to in ${this.#file.pathname}: ${this.#begin}`,
      );
    }
    return `${text.slice(0, begin)}${this.#begin}\n\n${this.#make()}${text.slice(end)}`;
  }
}
