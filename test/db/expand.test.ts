import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { describe, expect, test } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import type { Migration } from '../../src/db/migrate.ts'

/** Those of the first release make the schema; from then on the release before runs on the schema after. */
const FIRST_RELEASE = 4

/** What a running release may not survive, or what may hold it up while it scans a table. */
const CONTRACTS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['drops', /\bdrop\s+(?!not\s+null|default)/i],
  ['renames', /\brename\b/i],
  ['changes a type', /\balter\s+column\s+\S+\s+(set\s+data\s+)?type\b/i],
  ['demands a value of old rows', /\bset\s+not\s+null\b/i],
  [
    'adds a column that the release before does not fill',
    /\badd\s+column\b(?=[^,]*\bnot\s+null\b)(?![^,]*\bdefault\b)/i,
  ],
  [
    'adds a constraint over old rows at once',
    /\badd\s+(constraint|check|unique|foreign|primary)\b(?!.*\bnot\s+valid\b)/is,
  ],
  ['takes a right away', /\brevoke\b/i],
  ['deletes', /\b(delete\s+from|truncate)\b/i],
]

/** The statements of a migration, without running them. */
async function statementsOf({ up }: Migration): Promise<string[]> {
  const statements: string[] = []
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void statements.push(query.sql),
  })
  await up(db)
  return statements
}

const faults = (statement: string): string[] =>
  CONTRACTS.filter(([, pattern]) => pattern.test(statement)).map(([what]) => what)

describe('each migration only expands: the release before runs on', () => {
  test.each(migrations.slice(FIRST_RELEASE).filter(({ compatibleFrom }) => compatibleFrom === undefined))(
    '$name',
    async (migration) => {
      const statements = await statementsOf(migration)
      expect(statements.length).toBeGreaterThan(0)
      expect(statements.filter((statement) => faults(statement).length > 0)).toEqual([])
    },
  )
})

test.each([
  'drop table plum',
  'alter table plum drop column fig',
  'alter table plum rename column fig to kiwi',
  'alter table plum alter column fig type bigint',
  'alter table plum alter column fig set data type bigint',
  'alter table plum alter column fig set not null',
  'alter table plum add column fig integer not null',
  'alter table plum add constraint fig check (kiwi > 0)',
  'drop index plum_fig',
  'drop policy fig on plum',
  'revoke select on plum from aldis_app',
  'delete from plum',
])('a planted statement is found: %s', (statement) => {
  expect(faults(statement)).not.toEqual([])
})

test.each([
  'create table plum (fig integer not null)',
  'alter table plum add column fig integer',
  'alter table plum add column fig integer not null default 0',
  'alter table plum add constraint fig check (kiwi > 0) not valid',
  'alter table plum validate constraint fig',
  'alter table plum alter column fig drop not null',
  'create index plum_fig on plum (fig)',
  'grant select on plum to aldis_app',
])('and what expands is not: %s', (statement) => {
  expect(faults(statement)).toEqual([])
})
