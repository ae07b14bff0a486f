import { PLACEMENT, type Placement } from '../../src/db/placement.ts'
import { OWNER_ROLE } from '../../src/db/roles.ts'
import type { Catalogue, Key, Policy, Table } from './catalogue.ts'
import { accessesOf, statementsOf } from './sql-tree.ts'

/** The migrator keeps it for itself before there is any schema; it stays beside the migrator, on the coordinator. */
const MIGRATORS = 'schema_state'

/** Rule 2's exception: the integrator takes rows of all participants, in the order of their event ids. */
const KEY_NOT_FIRST = 'prov_outbox'

/** Placements whose tables need no row-level security, each with its reason; of all others it is demanded. */
const UNSECURED: Partial<Record<Placement, string>> = {
  reference: 'rules and members of the programme, which each process keeps whole in memory to decide by',
  log_id: 'commitments, and the bytes of the public tree: what a participant did cannot be read from them',
  control: 'people and votes of the programme itself, of which the application may read nothing',
}

/** What of the unsecured the application reads, besides reference tables. */
const APP_READS: ReadonlySet<string> = new Set(['log_head', 'log_tile', 'log_signed', 'log_checkpoint', 'projector'])

const APPEND_ONLY: ReadonlySet<string> = new Set([
  'log_tile',
  'log_batch',
  'log_event',
  'log_chain_seg',
  'log_checkpoint',
  'log_cosignature',
])

/** Queues, and what is made of live signals alone: what was carried on, ended, replaced or erased is gone. What is kept for a time goes after it. Everything else stays. */
const DELETES: ReadonlySet<string> = new Set([
  ...['aldis_app read_pending', 'aldis_app evaluation_batch', 'aldis_integrator prov_outbox'],
  ...['sealed_signal', 'sealed_snapshot', 'sealed_bucket'].map((table) => `aldis_projector ${table}`),
  ...['sealed_snapshot', 'sealed_bucket', 'feed_segment', 'shared_signal', 'shared_relation'].map(
    (table) => `aldis_admin ${table}`,
  ),
  ...['aldis_app sealed_value', 'aldis_admin sealed_value', 'aldis_app reveal_use'],
  ...['aldis_app idempotency_key', 'aldis_admin idempotency_key', 'aldis_app idempotency_use'],
  ...['read_journal', 'handshake_refusal', 'network_day', 'lookup_day', 'upload', 'request_log'].map(
    (table) => `aldis_admin ${table}`,
  ),
  ...['console_session', 'console_form', 'console_exposure'].map((table) => `aldis_admin ${table}`),
  ...['saved_view', 'webhook_delivery', 'client_assertion', 'upload_job', 'upload_part'].map(
    (table) => `aldis_app ${table}`,
  ),
])

const VERBS = new Set(['select', 'insert', 'update', 'delete'])
const SHARDED = new Set<Placement>(['participant_id', 'signal_key', 'signal_id', 'feed_id', 'log_id'])

/** A catalogue with where its tables are placed. */
interface Schema extends Catalogue {
  placement: ReadonlyMap<string, Placement>
}

/** Every rule that a catalogue breaks. */
export function catalogueFaults(catalogue: Catalogue, placed: Readonly<Record<string, Placement>> = PLACEMENT) {
  const placement = new Map(Object.entries(placed))
  // A partition lives where its parent does.
  for (const { name, parent } of catalogue.tables) {
    const inherited = parent === null ? undefined : placement.get(parent)
    if (inherited !== undefined) placement.set(name, inherited)
  }
  const schema: Schema = { ...catalogue, placement }
  return Object.entries(RULES).flatMap(([rule, find]) => find(schema).map((about) => ({ rule, about })))
}

type Find = (schema: Schema) => string[]

/** A rule that looks at each table, with its distribution column if it has one. */
const perTable =
  (find: (table: Table, key: string | undefined, schema: Schema) => readonly string[]): Find =>
  (schema) =>
    schema.tables.flatMap((table) => {
      const placement = schema.placement.get(table.name)
      const key = placement !== undefined && SHARDED.has(placement) ? placement : undefined
      return find(table, key, schema)
    })

const RULES = {
  /** Each table has a placement, and each placement a table. */
  placed: ({ tables, placement }) => {
    const names = new Set(tables.map(({ name }) => name))
    const homeless = [...names].filter((name) => !placement.has(name) && name !== MIGRATORS)
    return [...homeless, ...[...placement.keys()].filter((name) => !names.has(name))]
  },
  /** The distribution column is there, never null, of one type wherever it is one. */
  'key-column': ({ tables, placement }) => {
    const types = new Map<string, string>()
    return tables.flatMap(({ name, columns }) => {
      const key = placement.get(name)
      if (key === undefined || !SHARDED.has(key)) return []
      const column = columns.find((one) => one.name === key)
      const type = types.get(key) ?? column?.type ?? ''
      types.set(key, type)
      return column?.not_null === true && column.type === type ? [] : [name]
    })
  },
  /** There is a primary key, and the distribution column leads it and whatever else is unique. */
  'key-first': perTable(({ name, keys }, key) => {
    const fits = ({ columns }: Key): boolean =>
      key === undefined || (name === KEY_NOT_FIRST ? columns.includes(key) : columns[0] === key)
    const lacks = keys.some(({ primary }) => primary) ? [] : [name]
    return [...lacks, ...keys.flatMap((one) => (fits(one) ? [] : one.name))]
  }),
  /** To reference tables, or within a family along its column; none from reference, none that acts across families. */
  'foreign-key': perTable(({ name, foreign_keys }, key, { placement }) =>
    foreign_keys.flatMap(({ name: constraint, to, columns, to_columns, acts }) => {
      const [from, target] = [placement.get(name), placement.get(to)]
      const along = key === undefined || columns.some((column, at) => column === key && to_columns[at] === key)
      const within = from === target && along
      return within || (target === 'reference' && !acts) ? [] : [constraint]
    }),
  ),
  trigger: perTable(({ triggers }) => triggers),
  /** Neither identity nor any other value of the server's making: a node's own clock, counter or dice.
   * What is derived of other columns is none. */
  'made-by-server': perTable(({ name, columns }) =>
    columns.flatMap(({ name: column, identity, default: value }) =>
      identity || (value !== null && /\(|current_|local/i.test(value)) ? [`${name}.${column}`] : [],
    ),
  ),
  type: perTable(({ name, columns }, key) =>
    columns.flatMap(({ name: column, type, kind }) => {
      const json = key !== undefined && /^jsonb?/.test(type)
      return json || kind !== 'b' || /^xid|^serial/.test(type) ? [`${name}.${column}`] : []
    }),
  ),
  /** One order of text on every server and in every process. */
  collation: perTable(({ name, columns, keys }) =>
    columns.flatMap(({ name: column, collation }) => {
      const inKey = keys.some((key) => key.columns.includes(column))
      return inKey && collation !== null && collation !== 'C' ? [`${name}.${column}`] : []
    }),
  ),
  /** Nothing but tables and their indexes. */
  other: ({ others }) => others.map(({ what, name }) => `${what} ${name}`),
  /** On, and forced upon the owner too; of a partition as of its parent. */
  'row-level-security': perTable(({ name, secured, forced }, _, { placement }) => {
    const where = placement.get(name)
    const exempt = name === MIGRATORS || (where !== undefined && where in UNSECURED)
    return exempt || (secured && forced) ? [] : [name]
  }),
  /** Where rows are secured, every verb that is granted meets a policy, and the application's knows its participant. */
  policy: perTable(({ name, secured, parent, grants, policies }, _, { placement }) => {
    if (!secured || parent !== null) return []
    const blind = grants.filter(({ role, verb }) => !policies.some((one) => one.role === role && covers(one, verb)))
    const open = policies.filter((one) => one.role === 'public' || (one.role === 'aldis_app' && !knowsItself(one)))
    const away = policies.flatMap(tablesIn).filter((table) => placement.get(table) !== 'reference')
    return [...blind, ...open, ...away].map(() => name)
  }),
  /** The owner owns it all and cannot log in; nobody who can may become it, make anything or pass the rows' security. */
  owner: ({ tables, roles }) => [
    ...tables.flatMap(({ name, owner }) => (owner === OWNER_ROLE ? [] : [name])),
    ...roles.flatMap(({ name, strong, makes, member_of, owns }) =>
      strong || makes || member_of.length > 0 || owns.length > 0 ? [name] : [],
    ),
  ],
  /** What is granted is reading and writing of rows, to roles by name. */
  grant: perTable(({ name, grants }) =>
    grants.flatMap(({ role, verb }) => (VERBS.has(verb) && role !== 'public' ? [] : [`${name}: ${verb} to ${role}`])),
  ),
  /** The log only grows. */
  'append-only': perTable(({ name, grants }) =>
    grants.flatMap(({ verb }) =>
      APPEND_ONLY.has(name) && verb !== 'select' && verb !== 'insert' ? [`${name}: ${verb}`] : [],
    ),
  ),
  delete: perTable(({ name, grants }) =>
    grants.flatMap(({ role, verb }) =>
      verb === 'delete' && !DELETES.has(`${role} ${name}`) ? [`${role} ${name}`] : [],
    ),
  ),
  /** Of what has no row-level security the application reads little and changes nothing. */
  application: perTable(({ name, secured, grants }, _, { placement }) =>
    grants.flatMap(({ role, verb }) => {
      const reads = verb === 'select' && (placement.get(name) === 'reference' || APP_READS.has(name))
      const exempt = role !== 'aldis_app' || secured || reads || name === MIGRATORS
      return exempt ? [] : [`${name}: ${verb}`]
    }),
  ),
} as const satisfies Record<string, Find>

export const CATALOGUE_RULES: readonly string[] = Object.keys(RULES)

const COMMANDS: Readonly<Record<string, string>> = { r: 'select', a: 'insert', w: 'update', d: 'delete' }

const covers = ({ command }: Policy, verb: string): boolean => command === '*' || COMMANDS[command] === verb

/** A sub-select, so that it is evaluated once a statement. */
const ME = /\( SELECT \(NULLIF\(current_setting\('app\.participant'::text, true\), ''::text\)\)::uuid/

const knowsItself = ({ using, check }: Policy): boolean =>
  [using, check].every((text) => text === null || ME.test(text))

const tablesIn = ({ using, check }: Policy): string[] =>
  [using, check].flatMap((text) =>
    text === null ? [] : statementsOf(`select ${text}`).flatMap((one) => accessesOf(one).map(({ table }) => table)),
  )
