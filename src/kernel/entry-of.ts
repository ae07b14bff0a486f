/** What a table has under a word from outside; undefined for `constructor` and the like, which every object has. */
export const entryOf = <T>(table: Readonly<Record<string, T>>, word: string): T | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined
