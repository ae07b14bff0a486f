import { loadModule, type Node, parseSync, type RangeVar, type SelectStmt } from 'libpg-query'

await loadModule()

/** One name in a FROM: a table, or (without `table`) a function, a sub-query or a common table expression. */
interface Item {
  alias: string
  table: string | undefined
}

/** One SELECT, UPDATE or DELETE, wherever it stands, with what must hold for each row of it. */
export interface Level {
  items: readonly Item[]
  conditions: readonly Node[]
  /** FOR UPDATE or one of its kin. */
  locks: boolean
}

export interface Access {
  table: string
  verb: 'select' | 'insert' | 'update' | 'delete'
}

/** The statements of a text, by PostgreSQL's own parser; throws what it says of a text that is no SQL. */
export const statementsOf = (sql: string): Node[] => (parseSync(sql).stmts ?? []).flatMap(({ stmt }) => stmt ?? [])

/** Every node below a value, the value's own included. */
export function nodesIn(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const own = /^[A-Z]/.test(name) ? [{ [name]: inner } as Node] : []
    return [...own, ...nodesIn(inner)]
  })
}

/** The last part of a dotted name: `pg_catalog.now` is `now`. */
export const lastName = (names: readonly Node[] = []): string =>
  names.map((name) => ('String' in name ? (name.String.sval ?? '') : '')).at(-1) ?? ''

export function levelsOf(statement: Node): Level[] {
  const named = cteNames(statement)
  return nodesIn(statement).flatMap((node) => {
    if ('SelectStmt' in node) return selects(node.SelectStmt, named)
    if ('UpdateStmt' in node) {
      const { relation, fromClause = [], whereClause } = node.UpdateStmt
      return [level({ targets: [relation], from: fromClause, where: whereClause, named })]
    }
    if ('DeleteStmt' in node) {
      const { relation, usingClause = [], whereClause } = node.DeleteStmt
      return [level({ targets: [relation], from: usingClause, where: whereClause, named })]
    }
    return []
  })
}

/** Which tables a statement reads and changes, those of PostgreSQL's own catalogue left out. */
export function accessesOf(statement: Node): Access[] {
  const named = cteNames(statement)
  const reads = levelsOf(statement).flatMap(({ items }) => items.flatMap(({ table }) => table ?? []))
  const written = nodesIn(statement).flatMap((node): Access[] => {
    if ('InsertStmt' in node) return access(node.InsertStmt.relation, 'insert')
    if ('UpdateStmt' in node) return access(node.UpdateStmt.relation, 'update')
    return 'DeleteStmt' in node ? access(node.DeleteStmt.relation, 'delete') : []
  })
  const changed = nodesIn(statement).flatMap((node) =>
    'InsertStmt' in node && node.InsertStmt.onConflictClause?.action === 'ONCONFLICT_UPDATE'
      ? access(node.InsertStmt.relation, 'update')
      : [],
  )
  const targets = new Set(written.map(({ table }) => table))
  const read = reads.filter((table) => !targets.has(table) && !named.has(table))
  return [...read.map((table): Access => ({ table, verb: 'select' })), ...written, ...changed]
}

/** A column with the name it is qualified by. */
export function columnOf(node: Node | undefined): { alias: string | undefined; column: string } | undefined {
  if (node === undefined || !('ColumnRef' in node)) return undefined
  const names = (node.ColumnRef.fields ?? []).map((field) => ('String' in field ? field.String.sval : undefined))
  const column = names.at(-1)
  return column === undefined ? undefined : { alias: names.at(-2), column }
}

/** Whether PostgreSQL knows the value before it looks at any row: a parameter, a constant, either under a cast. */
export function isValue(node: Node | undefined): boolean {
  if (node === undefined) return false
  if ('TypeCast' in node) return isValue(node.TypeCast.arg)
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).every(isValue)
  if ('List' in node) return (node.List.items ?? []).every(isValue)
  return 'ParamRef' in node || 'A_Const' in node
}

const isCatalogue = ({ schemaname, relname = '' }: RangeVar): boolean =>
  schemaname === 'pg_catalog' || schemaname === 'information_schema' || relname.startsWith('pg_')

const access = (relation: RangeVar | undefined, verb: Access['verb']): Access[] =>
  relation?.relname === undefined || isCatalogue(relation) ? [] : [{ table: relation.relname, verb }]

const cteNames = (statement: Node): Set<string> =>
  new Set(nodesIn(statement).flatMap((node) => ('CommonTableExpr' in node ? (node.CommonTableExpr.ctename ?? []) : [])))

function selects(select: SelectStmt, named: ReadonlySet<string>): Level[] {
  const { fromClause = [], whereClause, lockingClause, larg, rarg } = select
  const arms = [larg, rarg].flatMap((arm) => (arm === undefined ? [] : selects(arm, named)))
  const own = level({ targets: [], from: fromClause, where: whereClause, named })
  return [{ ...own, locks: lockingClause !== undefined }, ...arms]
}

function level(parts: {
  targets: readonly (RangeVar | undefined)[]
  from: readonly Node[]
  where: Node | undefined
  named: ReadonlySet<string>
}): Level {
  const items: Item[] = []
  const conditions: Node[] = []
  const table = (range: RangeVar): void => {
    const { relname = '', alias, schemaname } = range
    const known = isCatalogue(range) || (schemaname === undefined && parts.named.has(relname))
    items.push({ alias: alias?.aliasname ?? relname, table: known ? undefined : relname })
  }
  const take = (node: Node | undefined): void => {
    if (node === undefined) return
    if ('RangeVar' in node) table(node.RangeVar)
    else if ('JoinExpr' in node) {
      const { larg, rarg, quals, jointype } = node.JoinExpr
      take(larg)
      take(rarg)
      // The condition of an outer join does not cut the rows of its outer side.
      if (jointype === 'JOIN_INNER') conditions.push(...conjunctsOf(quals))
    } else if ('RangeFunction' in node)
      items.push({ alias: node.RangeFunction.alias?.aliasname ?? '', table: undefined })
    else if ('RangeSubselect' in node)
      items.push({ alias: node.RangeSubselect.alias?.aliasname ?? '', table: undefined })
  }
  for (const target of parts.targets) if (target !== undefined) table(target)
  for (const node of parts.from) take(node)
  return { items, conditions: [...conditions, ...conjunctsOf(parts.where)], locks: false }
}

function conjunctsOf(node: Node | undefined): Node[] {
  if (node === undefined) return []
  if ('BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR') return (node.BoolExpr.args ?? []).flatMap(conjunctsOf)
  return [node]
}
