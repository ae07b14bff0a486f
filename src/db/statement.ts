import { sha256Hex } from '../kernel/sha256.ts'

const VERBS = ['insert', 'update', 'delete', 'merge', 'truncate', 'copy'] as const
const PARTICLES: ReadonlyMap<string, string> = new Map([
  ['insert', 'into'],
  ['merge', 'into'],
  ['delete', 'from'],
])

/** What a statement changes, read off its text. */
export interface Write {
  verb: (typeof VERBS)[number]
  table: string
}

export interface Statement {
  writes: readonly Write[]
  /** The statement is one plain change, so that its row count says whether anything changed. */
  plain: boolean
  /** Begins, ends or splits a transaction. */
  control: boolean
}

const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?\*\/|e'(?:\\[\s\S]|''|[^'\\])*'|'(?:''|[^'])*'|\$([a-z_]\w*)?\$[\s\S]*?\$\1\$|"((?:""|[^"])*)"|([a-z_\u0080-\uffff][\w$\u0080-\uffff]*)|([.(])/gi
const CONTROL = new Set(['begin', 'start', 'commit', 'end', 'rollback', 'abort', 'savepoint', 'release', 'prepare'])
/** Words before `update` that make it a lock, a conflict clause or a foreign key's action. */
const NO_UPDATE_AFTER = new Set(['for', 'key', 'do', 'on'])
const CACHED_LENGTH = 8_192
const CACHED_TEXTS = 2_000

interface Token {
  /** Lower case unless quoted. */
  text: string
  quoted: boolean
}

const cache = new Map<string, Statement>()
const names = new Map<string, string>()

/** Under which a connection keeps a statement prepared; of those few whose text never changes. */
export function keptName(sql: string): string {
  const known = names.get(sql)
  if (known !== undefined) return known
  const name = `kept_${sha256Hex(sql).slice(0, 32)}`
  names.set(sql, name)
  return name
}

/** Classifies one SQL statement, raw or built; comments, strings and quoted names are not mistaken for keywords. */
export function statementOf(sql: string): Statement {
  const known = cache.get(sql)
  if (known !== undefined) return known
  const tokens = tokensOf(sql)
  const writes = tokens.flatMap((_, at) => writeAt(tokens, at) ?? [])
  const first = tokens[0]?.quoted === false ? tokens[0].text : ''
  const statement = { writes, plain: writes.length === 1 && first === writes[0]?.verb, control: CONTROL.has(first) }
  if (sql.length <= CACHED_LENGTH) {
    if (cache.size >= CACHED_TEXTS) cache.clear()
    cache.set(sql, statement)
  }
  return statement
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  for (const [, , quoted, word, mark] of sql.matchAll(TOKEN)) {
    if (quoted !== undefined) tokens.push({ text: quoted.replaceAll('""', '"'), quoted: true })
    else if (word !== undefined) tokens.push({ text: word.toLowerCase(), quoted: false })
    else if (mark !== undefined) tokens.push({ text: mark, quoted: false })
  }
  return tokens
}

function writeAt(tokens: readonly Token[], at: number): Write | undefined {
  const verb = VERBS.find((known) => known === keyword(tokens, at))
  const skip = verb === undefined ? undefined : wordsToTable(verb, tokens, at)
  return verb === undefined || skip === undefined ? undefined : write(verb, tokens, at + skip)
}

/** How many words the table stands behind the verb; undefined if it is no verb here. */
function wordsToTable(verb: Write['verb'], tokens: readonly Token[], at: number): number | undefined {
  const next = keyword(tokens, at + 1)
  const particle = PARTICLES.get(verb)
  if (particle !== undefined) return next === particle ? 2 : undefined
  if (verb === 'update') return NO_UPDATE_AFTER.has(keyword(tokens, at - 1) ?? '') ? undefined : 1
  if (at > 0) return undefined
  return next === 'table' ? 2 : 1
}

function write(verb: Write['verb'], tokens: readonly Token[], at: number): Write | undefined {
  let from = keyword(tokens, at) === 'only' ? at + 1 : at
  if (keyword(tokens, from) === '(') from += 1
  while (keyword(tokens, from + 1) === '.') from += 2
  const table = tokens[from]?.text
  return table === undefined ? undefined : { verb, table }
}

function keyword(tokens: readonly Token[], at: number): string | undefined {
  const token = tokens[at]
  return token === undefined || token.quoted ? undefined : token.text
}
