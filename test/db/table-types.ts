import type { Table } from './catalogue.ts'

const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  Uuid: ['uuid'],
  string: ['text', 'date'],
  'string[]': ['text[]'],
  'number[]': ['integer[]'],
  number: ['smallint', 'integer'],
  bigint: ['bigint'],
  boolean: ['boolean'],
  Buffer: ['bytea'],
  Date: ['timestamp with time zone'],
}

/** Where the tables of a database and the interfaces that TypeScript knows them by (the text of tables.ts) differ. */
export function typeFaults(tables: readonly Table[], source: string): string[] {
  const typed = typesIn(source)
  const found = new Map(
    tables.map(({ name, columns }) => [name, new Map(columns.map((column) => [column.name, column]))]),
  )
  const missing = [...found].flatMap(([table, columns]) =>
    [...columns.keys()].filter((name) => typed.get(table)?.has(name) !== true).map((name) => `${table}.${name}`),
  )
  const other = [...typed].flatMap(([table, members]) =>
    [...members].flatMap(([name, member]) => {
      const column = found.get(table)?.get(name)
      const [type = '', nullable] = member.split(' | ')
      const fits = column?.not_null === (nullable === undefined) && OF_TYPE[type]?.includes(column.type) === true
      return fits ? [] : [`${table}.${name}`]
    }),
  )
  return [...missing, ...other]
}

/** By table and column: the type as it is read, `string` or `Date | null`. */
function typesIn(source: string): Map<string, Map<string, string>> {
  const interfaces = new Map(
    [...source.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)].map(([, name = '', body = '']) => [
      name,
      new Map(
        [...body.matchAll(/^ {2}(\w+): (?:(?:Settled|Derived)<(.+)>|(.+))$/gm)].map(([, key = '', a, b]) => [
          key,
          a ?? b ?? '',
        ]),
      ),
    ]),
  )
  const database = interfaces.get('Database') ?? new Map<string, string>()
  return new Map([...database].map(([table, name]) => [table, interfaces.get(name) ?? new Map<string, string>()]))
}
