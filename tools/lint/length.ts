/**
 * Lint rules: how long a file and a function may be. Where one has to be longer, it says why with
 * `// deno-lint-ignore length/function -- <reason>` above it (`deno-lint-ignore-file length/file`
 * for a file), and an ignore that nothing needs any more is an error.
 *
 * @module
 */

/** The most lines of a file, and of a function with its signature. */
const FILE_LINES = 320;
const FUNCTION_LINES = 40;

type FunctionNode =
  | Deno.lint.ArrowFunctionExpression
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression;

/** How many lines lie between two places of a text. */
function linesOf(text: string, [from, to]: Deno.lint.Range): number {
  let lines = 1;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) {
    lines++;
  }
  return lines;
}

const fileLength: Deno.lint.Rule = {
  create(context) {
    return {
      Program(node) {
        const { text } = context.sourceCode;
        const lines = linesOf(text, [0, text.trimEnd().length]);
        if (lines <= FILE_LINES) return;
        const message = `The file has ${lines} lines, which is more than ${FILE_LINES}`;
        context.report({ node, message, hint: "Move what belongs together to a file of its own" });
      },
    };
  },
};

const functionLength: Deno.lint.Rule = {
  create(context) {
    const look = (node: FunctionNode): void => {
      const lines = linesOf(context.sourceCode.text, node.range);
      if (lines <= FUNCTION_LINES) return;
      const message = `The function has ${lines} lines, which is more than ${FUNCTION_LINES}`;
      context.report({ node, message, hint: "Make a part of it a function with a name" });
    };
    return {
      ArrowFunctionExpression: look,
      FunctionDeclaration: look,
      FunctionExpression: look,
    };
  },
};

/** The plugin, as deno.json names it. */
const plugin: Deno.lint.Plugin = {
  name: "length",
  rules: { file: fileLength, function: functionLength },
};

export default plugin;
