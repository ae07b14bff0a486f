import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PLACEMENT, type Placement } from '../../src/db/placement.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'
import { type Catalogue, catalogueOf } from './catalogue.ts'
import { CATALOGUE_RULES, catalogueFaults } from './catalogue-rules.ts'
import { typeFaults } from './table-types.ts'

const TYPES = readFileSync(join(import.meta.dirname, '../../src/db/tables.ts'), 'utf8')

let t: TestDatabase

beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

const plum = (columns: string): string => `create table plum (${columns})`
const onUpload = (change: string): string => `alter table upload ${change}`
const FUNCTION = `create function pear() returns trigger language plpgsql as 'begin return new; end'`
const PARTITIONED = [
  `${plum('participant_id uuid not null, day date not null, primary key (participant_id, day)')} partition by range (day)`,
  'alter table plum enable row level security',
  'alter table plum force row level security',
  `create table plum_1 partition of plum for values from ('2026-01-01') to ('2026-02-01')`,
]

interface Planted {
  rule: string
  /** What the fault must name. */
  about: string
  by: readonly string[]
  /** Where `plum` is placed. */
  at?: Placement
}

const PLANTED: readonly Planted[] = [
  { rule: 'placed', about: 'plum', by: [plum('a integer primary key')] },
  { rule: 'placed', about: 'plum', by: [], at: 'control' },
  { rule: 'key-column', about: 'plum', by: [plum('plum_id uuid primary key')], at: 'participant_id' },
  { rule: 'key-column', about: 'plum', by: [plum('participant_id uuid unique')], at: 'participant_id' },
  { rule: 'key-column', about: 'plum', by: [plum('participant_id text primary key')], at: 'participant_id' },
  { rule: 'key-first', about: 'plum', by: [plum('participant_id uuid not null')], at: 'participant_id' },
  { rule: 'key-first', about: 'plum', by: [onUpload('add constraint plum unique (upload_id, participant_id)')] },
  { rule: 'key-first', about: 'plum', by: ['create unique index plum on upload (upload_id)'] },
  { rule: 'key-first', about: 'plum', by: ['alter table log_head add constraint plum unique (origin)'] },
  { rule: 'key-first', about: 'plum', by: ['create unique index plum on upload ((next_line + 1), participant_id)'] },
  {
    rule: 'foreign-key',
    about: 'plum',
    by: [onUpload('add constraint plum foreign key (upload_id) references person')],
  },
  {
    rule: 'foreign-key',
    about: 'plum',
    by: [onUpload('add constraint plum foreign key (upload_id, participant_id) references submission')],
  },
  {
    rule: 'foreign-key',
    about: 'plum',
    by: ['alter table feed add constraint plum foreign key (feed_id) references feed_head'],
  },
  {
    rule: 'foreign-key',
    about: 'plum',
    by: [onUpload('add constraint plum foreign key (participant_id) references participant on delete cascade')],
  },
  {
    rule: 'trigger',
    about: 'plum',
    by: [FUNCTION, 'create trigger plum before insert on upload for each row execute function pear()'],
  },
  { rule: 'trigger', about: 'plum', by: ['create rule plum as on delete to upload do instead nothing'] },
  {
    rule: 'made-by-server',
    about: 'upload.plum',
    by: [onUpload('add column plum bigint generated always as identity')],
  },
  { rule: 'made-by-server', about: 'upload.plum', by: [onUpload('add column plum bigserial')] },
  { rule: 'made-by-server', about: 'upload.plum', by: [onUpload('add column plum timestamptz default now()')] },
  { rule: 'made-by-server', about: 'upload.plum', by: [onUpload('add column plum date default current_date')] },
  { rule: 'made-by-server', about: 'upload.plum', by: [onUpload('add column plum uuid default gen_random_uuid()')] },
  { rule: 'type', about: 'upload.plum', by: [onUpload('add column plum jsonb')] },
  { rule: 'type', about: 'upload.plum', by: ["create type pear as enum ('a')", onUpload('add column plum pear')] },
  { rule: 'type', about: 'upload.plum', by: ["create type pear as enum ('a')", onUpload('add column plum pear[]')] },
  { rule: 'type', about: 'upload.plum', by: ['create domain pear as integer', onUpload('add column plum pear')] },
  {
    rule: 'collation',
    about: 'upload.plum',
    by: [onUpload('add column plum text'), onUpload('add unique (participant_id, plum)')],
  },
  { rule: 'other', about: 'view plum', by: ['create view plum as select 1 as one'] },
  { rule: 'other', about: 'view plum', by: ['create materialized view plum as select 1 as one'] },
  { rule: 'other', about: 'sequence plum', by: ['create sequence plum'] },
  { rule: 'other', about: 'function pear', by: [FUNCTION] },
  { rule: 'other', about: 'enum plum', by: ["create type plum as enum ('a')"] },
  { rule: 'other', about: 'domain plum', by: ['create domain plum as integer'] },
  {
    rule: 'other',
    about: 'event trigger plum',
    by: [
      "create function pear() returns event_trigger language plpgsql as 'begin end'",
      'create event trigger plum on ddl_command_end execute function pear()',
    ],
  },
  { rule: 'row-level-security', about: 'upload', by: [onUpload('disable row level security')] },
  { rule: 'row-level-security', about: 'upload', by: [onUpload('no force row level security')] },
  { rule: 'row-level-security', about: 'plum', by: [plum('feed_id uuid primary key')], at: 'feed_id' },
  { rule: 'row-level-security', about: 'plum_1', by: PARTITIONED, at: 'participant_id' },
  { rule: 'policy', about: 'upload', by: ['create policy plum on upload for select to aldis_app using (true)'] },
  { rule: 'policy', about: 'upload', by: ['create policy plum on upload for select to public using (false)'] },
  { rule: 'policy', about: 'upload', by: ['grant select on upload to aldis_signer'] },
  {
    rule: 'policy',
    about: 'feed_entry',
    by: ['create policy plum on feed_entry for select to aldis_ledger using (exists (select from signal))'],
  },
  { rule: 'owner', about: 'upload', by: [onUpload('owner to aldis_app')] },
  {
    rule: 'owner',
    about: 'aldis_app',
    by: ['grant create on schema public to aldis_app'],
  },
  { rule: 'owner', about: 'aldis_signer', by: ['grant aldis_owner to aldis_signer'] },
  { rule: 'owner', about: 'aldis_ledger', by: ['alter role aldis_ledger bypassrls'] },
  { rule: 'grant', about: 'upload: truncate to aldis_app', by: ['grant truncate on upload to aldis_app'] },
  { rule: 'grant', about: 'person: select to public', by: ['grant select (name) on person to public'] },
  ...['log_tile', 'log_batch', 'log_event', 'log_chain_seg', 'log_checkpoint'].flatMap((table) =>
    ['update', 'delete', 'truncate'].map((verb) => ({
      rule: 'append-only',
      about: `${table}: ${verb}`,
      by: [`grant ${verb} on ${table} to aldis_integrator`],
    })),
  ),
  { rule: 'append-only', about: 'log_tile: update', by: ['grant update (data) on log_tile to aldis_integrator'] },
  { rule: 'delete', about: 'aldis_app signal', by: ['grant delete on signal to aldis_app'] },
  { rule: 'application', about: 'person: select', by: ['grant select on person to aldis_app'] },
  { rule: 'application', about: 'log_chain: select', by: ['grant select on log_chain to aldis_app'] },
  { rule: 'application', about: 'participant: update', by: ['grant update (status) on participant to aldis_app'] },
]

/** What the catalogue would hold after the statements; nothing of them stays. */
async function catalogueWith(statements: readonly string[]): Promise<Catalogue> {
  let catalogue: Catalogue | undefined
  const undo = new Error('undo')
  const attempt = t.owner.transaction().execute(async (tx) => {
    for (const statement of statements) await sql.raw(statement).execute(tx)
    catalogue = await catalogueOf(tx)
    throw undo
  })
  await attempt.catch((error: unknown) => {
    if (error !== undo) throw error
  })
  if (catalogue === undefined) throw new Error('no catalogue')
  return catalogue
}

describe('the schema', () => {
  test('breaks no rule of placement, security or grants', async () => {
    expect(catalogueFaults(await catalogueWith([]))).toEqual([])
  })

  test('is what TypeScript knows it by, column by column', async () => {
    const { tables } = await catalogueWith([])
    const ours = tables.filter(({ name }) => name !== 'schema_state')
    expect(typeFaults(ours, TYPES)).toEqual([])
    expect(ours.map(({ name }) => name)).toEqual(Object.keys(PLACEMENT).sort())
  })

  test('may refer to reference tables from anywhere, and to rows of the same shard along its column', async () => {
    const fine = await catalogueWith([
      onUpload('add foreign key (participant_id) references participant'),
      onUpload('add foreign key (participant_id, upload_id) references submission'),
    ])
    expect(catalogueFaults(fine)).toEqual([])
  })
})

describe('the lint itself', () => {
  test('has a planted violation for each rule', () => {
    expect([...new Set(PLANTED.map(({ rule }) => rule))].sort()).toEqual([...CATALOGUE_RULES].sort())
  })

  test.for(PLANTED.map((one) => ({ ...one, how: one.by.at(-1) ?? 'a placement without a table' })))(
    'finds $rule: $how',
    async ({ rule, about, by, at }) => {
      const placed = at === undefined ? PLACEMENT : { ...PLACEMENT, plum: at }
      expect(catalogueFaults(await catalogueWith(by), placed)).toContainEqual({ rule, about })
    },
  )

  test.for([
    { column: 'upload.plum', by: 'add column plum text' },
    { column: 'upload.updated_at', by: 'alter column updated_at drop not null' },
    { column: 'upload.next_line', by: 'alter column next_line type integer' },
    { column: 'upload.next_line', by: 'rename next_line to plum' },
  ])('finds a column that TypeScript knows otherwise: $by', async ({ column, by }) => {
    expect(typeFaults((await catalogueWith([onUpload(by)])).tables, TYPES)).toContain(column)
  })
})
