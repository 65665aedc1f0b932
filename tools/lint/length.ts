/**
 * Lint rules: how long a file and a function may be. Where one has to be longer, it says why with
 * `// deno-lint-ignore length/function -- <reason>` above it (`deno-lint-ignore-file length/file`
 * for a file), and an ignore that nothing needs any more is an error.
 *
 * A function that does nothing but return an expression, such as a case or the rows of a table, may
 * be as long as that is: the functions in it count for themselves. So do the steps of a test.
 *
 * @module
 */

/** The most lines of a file, and of a function with its signature: about 300, and about 40. */
const FILE_LINES = 320;
const FUNCTION_LINES = 45;

type FunctionNode =
  | Deno.lint.ArrowFunctionExpression
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression;

/** How many lines lie between two places of a text. */
function linesOf(text: string, [from, to]: Deno.lint.Range): number {
  return text.slice(from, to).split("\n").length;
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

/** Whether a function only gives a value that is written down in it, or rows made with constants. */
function isData({ body }: FunctionNode): boolean {
  if (body?.type !== "BlockStatement") return true;
  const last = body.body.at(-1);
  if (last?.type !== "ReturnStatement") return false;
  const before = body.body.slice(0, -1);
  const isRows = last.argument?.type === "ArrayExpression";
  return before.length === 0 ||
    isRows && before.every(({ type }) => type === "VariableDeclaration");
}

/** The test in which a function is a step, if it is one. */
function testOf(node: FunctionNode): Deno.lint.Node | undefined {
  const call = node.parent;
  if (call?.type !== "CallExpression" || call.callee.type !== "MemberExpression") return undefined;
  const { property } = call.callee;
  if (property.type !== "Identifier" || property.name !== "step") return undefined;
  let outer = call.parent as Deno.lint.Node;
  while (!/^Program$|Function/.test(outer.type) && "parent" in outer) {
    outer = outer.parent as Deno.lint.Node;
  }
  return outer;
}

const functionLength: Deno.lint.Rule = {
  create(context) {
    /** The lines of each test's steps, without their first and last one. */
    const stepLines = new Map<Deno.lint.Node, number>();
    // A function is left when all that is in it has been.
    const look = (node: FunctionNode): void => {
      const { text } = context.sourceCode;
      const lines = linesOf(text, node.range) - (stepLines.get(node) ?? 0);
      const test = testOf(node);
      if (test !== undefined) stepLines.set(test, (stepLines.get(test) ?? 0) + lines - 2);
      if (lines <= FUNCTION_LINES || isData(node)) return;
      const message = `The function has ${lines} lines, which is more than ${FUNCTION_LINES}`;
      context.report({ node, message, hint: "Make a part of it a function with a name" });
    };
    return {
      "ArrowFunctionExpression:exit": look,
      "FunctionDeclaration:exit": look,
      "FunctionExpression:exit": look,
    };
  },
};

/** The plugin, as deno.json names it. */
const plugin: Deno.lint.Plugin = {
  name: "length",
  rules: { file: fileLength, function: functionLength },
};

export default plugin;
