/**
 * Whether an expression is one that Python's `re`, which the field's clients are built on, takes for the same as RE2 and runs without
 * looking back for ever: one that does not compile breaks the client's whole index. Rather one too many is withheld.
 */
export function isForPython(expression: string): boolean {
  if (FOREIGN.test(expression)) return false
  // A group that repeats, with repetition within, is what backtracking dies of.
  if (/\)(?:[*+]|\{[0-9]+,?[0-9]*\})/.test(expression)) return false
  return (expression.match(UNBOUNDED) ?? []).length <= UNBOUNDED_MAX
}

/** Classes of Unicode, ends, quotations and bytes as RE2 alone has them, its flags, and named classes. */
const FOREIGN = /\\[pPzQEC]|\\x\{|\[\[:|\[\^\[:|\(\?(?!:)|[*+?}]\+|\\[1-9]/
const UNBOUNDED = /(?<!\\)[*+]|\{[0-9]+,\}/g
const UNBOUNDED_MAX = 3
