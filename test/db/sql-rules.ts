import type { InsertStmt, Node, RangeVar, TypeCast, VariableSetStmt } from 'libpg-query'
import { PLACEMENT, type Placement } from '../../src/db/placement.ts'
import { accessesOf, columnOf, isValue, type Level, lastName, levelsOf, nodesIn, statementsOf } from './sql-tree.ts'

/** What a statement may not do if it is to run on many shards and through a transaction pooler. */
export const SQL_RULES = [
  'advisory-lock',
  'cancel',
  'clock',
  'distribution-key',
  'for-update',
  'key-moved',
  'listen-notify',
  'made-by-server',
  'merge',
  'not-colocated',
  'one-statement',
  'prepared',
  'set',
  'snapshot',
  'statement-kind',
  'temp-table',
  'trigger',
  'unknown-table',
  'unnest-join',
] as const
export type SqlRule = (typeof SQL_RULES)[number]

export interface SqlFault {
  rule: SqlRule
  about: string
}

const SHARDED: ReadonlySet<Placement> = new Set<Placement>([
  'participant_id',
  'signal_key',
  'signal_id',
  'feed_id',
  'log_id',
])
const placements = new Map<string, Placement>(Object.entries(PLACEMENT))

/** The distribution column of a table that has one. */
function keyOf(table: string): Placement | undefined {
  const placement = placements.get(table)
  return placement !== undefined && SHARDED.has(placement) ? placement : undefined
}

const SERVED = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'TransactionStmt', 'VariableSetStmt']
const SCHEMA = ['CreateStmt', 'IndexStmt', 'AlterTableStmt', 'CreatePolicyStmt', 'GrantStmt', 'GrantRoleStmt']
const ROLES = ['CreateRoleStmt', 'AlterRoleStmt', 'AlterRoleSetStmt', 'CreatedbStmt', 'VariableShowStmt']

/** Kinds of statements that have a rule of their own. */
const KINDS: Readonly<Record<string, SqlRule>> = {
  ListenStmt: 'listen-notify',
  NotifyStmt: 'listen-notify',
  UnlistenStmt: 'listen-notify',
  PrepareStmt: 'prepared',
  ExecuteStmt: 'prepared',
  DeallocateStmt: 'prepared',
  DeclareCursorStmt: 'prepared',
  DiscardStmt: 'set',
  MergeStmt: 'merge',
  CreateTrigStmt: 'trigger',
  RuleStmt: 'trigger',
  CreateFunctionStmt: 'trigger',
  DoStmt: 'trigger',
}

const FUNCTIONS: readonly (readonly [RegExp, SqlRule])[] = [
  [/^pg_(try_)?advisory_/, 'advisory-lock'],
  [/^pg_(notify|listening_channels)$/, 'listen-notify'],
  [/^set_config$/, 'set'],
  [/^(now|timeofday|(clock|statement|transaction)_timestamp)$/, 'clock'],
  [/^(nextval|setval|currval|lastval|random|gen_random_\w+|uuid(?!_send$)\w*)$/, 'made-by-server'],
  [/^(txid_\w+|pg_\w*(xact|snapshot)\w*)$/, 'snapshot'],
  [/^pg_(cancel|terminate)_backend$/, 'cancel'],
]

const SERVER_TIME = new Set(['now', 'today', 'tomorrow', 'yesterday'])
const SYSTEM_COLUMNS = new Set(['xmin', 'xmax', 'cmin', 'cmax', 'ctid'])

/** Every rule that a text breaks; `schema` for what the migrator sends, which may make tables, policies and roles. */
export function faultsOf(sql: string, { schema = false }: { schema?: boolean } = {}): SqlFault[] {
  const statements = statementsOf(sql)
  const many: SqlFault[] = statements.length === 1 ? [] : [{ rule: 'one-statement', about: `${statements.length}` }]
  return [...many, ...statements.flatMap((statement) => faultsIn(copiedQuery(statement), schema))]
}

/** COPY of a query to the client reads what the query reads; of anything else, or to anywhere else, it is no statement of ours. */
function copiedQuery(statement: Node): Node {
  if (!('CopyStmt' in statement)) return statement
  const { query, is_from, is_program, filename } = statement.CopyStmt
  const ours = query !== undefined && is_from !== true && is_program !== true && filename === undefined
  return ours && 'SelectStmt' in query ? query : statement
}

function faultsIn(statement: Node, schema: boolean): SqlFault[] {
  const nodes = nodesIn(statement)
  return [
    ...kindFaults(statement, schema),
    ...nodes.flatMap(formFaults),
    ...(schema ? [] : placementFaults(statement)),
    ...nodes.flatMap((node) => ('InsertStmt' in node ? insertFaults(node.InsertStmt) : [])),
    ...nodes.flatMap((node) => ('UpdateStmt' in node ? movedKeys(node.UpdateStmt) : [])),
    ...levelsOf(statement).flatMap(levelFaults),
  ]
}

function kindFaults(statement: Node, schema: boolean): SqlFault[] {
  const kind = Object.keys(statement)[0] ?? ''
  const own = KINDS[kind]
  if (own !== undefined) return [{ rule: own, about: kind }]
  const known = schema ? [...SERVED, ...SCHEMA, ...ROLES] : [...SERVED, 'VariableShowStmt']
  if (isTemporary(statement)) return [{ rule: 'temp-table', about: kind }]
  return known.includes(kind) ? [] : [{ rule: 'statement-kind', about: kind }]
}

function isTemporary(statement: Node): boolean {
  if ('SelectStmt' in statement) return statement.SelectStmt.intoClause !== undefined
  if ('CreateTableAsStmt' in statement) return statement.CreateTableAsStmt.into?.rel?.relpersistence === 't'
  return 'CreateStmt' in statement && statement.CreateStmt.relation?.relpersistence === 't'
}

/** What is forbidden wherever in a statement it stands. */
function formFaults(node: Node): SqlFault[] {
  if ('FuncCall' in node) {
    const name = lastName(node.FuncCall.funcname)
    return FUNCTIONS.flatMap(([pattern, rule]) => (pattern.test(name) ? [{ rule, about: name }] : []))
  }
  if ('SQLValueFunction' in node) return clockFaults(node.SQLValueFunction.op ?? '')
  if ('TypeCast' in node) return castFaults(node.TypeCast)
  if ('ColumnRef' in node) {
    const column = columnOf(node)?.column ?? ''
    return SYSTEM_COLUMNS.has(column) ? [{ rule: 'snapshot', about: column }] : []
  }
  if ('Constraint' in node && node.Constraint.contype === 'CONSTR_IDENTITY')
    return [{ rule: 'made-by-server', about: 'identity' }]
  if ('VariableSetStmt' in node) return setFaults(node.VariableSetStmt)
  return 'TransactionStmt' in node ? transactionFaults(node) : []
}

/** 'now'::timestamptz is the server's clock too. */
function castFaults({ arg, typeName }: TypeCast): SqlFault[] {
  const text = arg !== undefined && 'A_Const' in arg ? (arg.A_Const.sval?.sval ?? '') : ''
  const read = SERVER_TIME.has(text) && /^(date|time)/.test(lastName(typeName?.names))
  return read ? [{ rule: 'clock', about: `'${text}'` }] : []
}

const clockFaults = (op: string): SqlFault[] => (/DATE|TIME/.test(op) ? [{ rule: 'clock', about: op }] : [])

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Only literal SET LOCAL reaches every shard and leaves nothing behind in a pooled connection. */
function setFaults({ kind, name = '', args = [], is_local }: VariableSetStmt): SqlFault[] {
  const [value] = args
  const constant = value !== undefined && 'A_Const' in value && args.length === 1 ? value.A_Const : undefined
  const fits =
    (name === 'app.participant' && UUID.test(constant?.sval?.sval ?? '')) ||
    (name === 'statement_timeout' && constant?.ival !== undefined)
  return kind === 'VAR_SET_VALUE' && is_local === true && fits ? [] : [{ rule: 'set', about: name }]
}

function transactionFaults(node: Node & { TransactionStmt: object }): SqlFault[] {
  const { kind, options = [] } = node.TransactionStmt as { kind?: string; options?: Node[] }
  if (!['TRANS_STMT_BEGIN', 'TRANS_STMT_COMMIT', 'TRANS_STMT_ROLLBACK'].includes(kind ?? ''))
    return [{ rule: 'statement-kind', about: kind ?? '' }]
  const levels = options.flatMap((option) =>
    'DefElem' in option && option.DefElem.defname === 'transaction_isolation' ? nodesIn(option.DefElem.arg) : [],
  )
  return levels.flatMap((level) =>
    'A_Const' in level && level.A_Const.sval?.sval !== 'read committed'
      ? [{ rule: 'snapshot', about: level.A_Const.sval?.sval ?? '' }]
      : [],
  )
}

/** Tables without a placement, and tables of several placements in one statement. */
function placementFaults(statement: Node): SqlFault[] {
  const tables = [...new Set(accessesOf(statement).map(({ table }) => table))]
  const unknown = tables.filter((table) => !placements.has(table) && table !== 'schema_state')
  const away = new Set(tables.flatMap((table) => placements.get(table) ?? []).filter((one) => one !== 'reference'))
  return [
    ...unknown.map((about): SqlFault => ({ rule: 'unknown-table', about })),
    ...(away.size > 1 ? [{ rule: 'not-colocated' as const, about: [...away].sort().join(', ') }] : []),
  ]
}

/** The key of every row is named, and is one value known before the rows are. */
function insertFaults({ relation, cols = [], selectStmt, onConflictClause }: InsertStmt): SqlFault[] {
  const table = relation?.relname ?? ''
  const key = keyOf(table)
  if (key === undefined) return []
  const at = cols.findIndex((col) => 'ResTarget' in col && col.ResTarget.name === key)
  const source = selectStmt !== undefined && 'SelectStmt' in selectStmt ? selectStmt.SelectStmt : undefined
  const { valuesLists = [], targetList = [] } = source ?? {}
  const rows = valuesLists.length > 0 ? valuesLists.map((row) => ('List' in row ? row.List.items : [])) : [targetList]
  const named = at >= 0 && rows.every((row = []) => !row.slice(0, at).some(isStar) && isValue(givenBy(row[at])))
  return [
    ...movedKeys({ relation, targetList: onConflictClause?.targetList }),
    ...(named ? [] : [{ rule: 'distribution-key' as const, about: table }]),
  ]
}

const givenBy = (node: Node | undefined): Node | undefined =>
  node !== undefined && 'ResTarget' in node ? node.ResTarget.val : node

const isStar = (node: Node): boolean => nodesIn(givenBy(node)).some((inner) => 'A_Star' in inner)

/** A row cannot leave its shard. */
function movedKeys(change: { relation?: RangeVar | undefined; targetList?: Node[] | undefined }): SqlFault[] {
  const table = change.relation?.relname ?? ''
  const key = keyOf(table)
  return (change.targetList ?? []).flatMap((target) =>
    key !== undefined && 'ResTarget' in target && target.ResTarget.name === key
      ? [{ rule: 'key-moved', about: table }]
      : [],
  )
}

/** A table with a distribution column is asked by it, written out; nothing else sends a statement to one shard. */
function levelFaults({ items, conditions, locks }: Level): SqlFault[] {
  const bound = boundKeys({ items, conditions, locks })
  const derived = items.some(({ table }) => table === undefined)
  return items.flatMap(({ alias, table = '' }): SqlFault[] => {
    if (keyOf(table) === undefined) return []
    const by = bound.get(alias)
    if (locks && by !== 'one') return [{ rule: 'for-update', about: table }]
    if (by !== undefined) return []
    return [{ rule: derived && items.length > 1 ? 'unnest-join' : 'distribution-key', about: table }]
  })
}

type Bound = 'one' | 'some'

/** By alias: whether the table's key equals one value or one of several, itself or through a join on the key. */
function boundKeys({ items, conditions }: Level): Map<string, Bound> {
  const bound = new Map<string, Bound>()
  const keyed = (node: Node | undefined): string | undefined => {
    const found = columnOf(node)
    const alias = found?.alias ?? (items.length === 1 ? items[0]?.alias : undefined)
    const item = items.find((one) => one.alias === alias)
    return item?.table !== undefined && keyOf(item.table) === found?.column ? alias : undefined
  }
  const bind = (alias: string | undefined, how: Bound | undefined): void => {
    if (alias !== undefined && how !== undefined && bound.get(alias) !== 'one') bound.set(alias, how)
  }
  // As often as there are tables: a chain of joins hands the value on, whatever their order.
  for (const _ of items) {
    for (const condition of conditions) {
      if (!('A_Expr' in condition) || lastName(condition.A_Expr.name) !== '=') continue
      const { kind, lexpr, rexpr } = condition.A_Expr
      const [left, right] = [keyed(lexpr), keyed(rexpr)]
      if (kind === 'AEXPR_OP') {
        if (isValue(rexpr)) bind(left, 'one')
        if (isValue(lexpr)) bind(right, 'one')
        if (right !== undefined) bind(left, bound.get(right))
        if (left !== undefined) bind(right, bound.get(left))
      } else if ((kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_IN') && isValue(rexpr)) bind(left, 'some')
    }
  }
  return bound
}
