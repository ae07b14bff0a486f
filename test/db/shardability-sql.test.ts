import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  asParticipant,
  atControl,
  atFeed,
  atKeys,
  atLog,
  type Family,
  watchFamilies,
} from '../../src/db/as-participant.ts'
import { emittedSql } from '../../src/db/connect.ts'
import { newId } from '../../src/kernel/ids.ts'
import { aTestNode, type TestNode } from '../support/node.ts'
import { catalogueOf } from './catalogue.ts'
import { foreignTo, GUESTS, touchedBy } from './families.ts'
import { ALLOWED, type Allowed } from './sql-allowed.ts'
import { faultsOf } from './sql-rules.ts'
import { wholeExchange } from './whole-exchange.ts'

let n: TestNode
/** What the services sent, white space as single blanks. */
let sent: readonly string[]
const touched = new Set<string>()
const foreign = new Set<string>()
let foreignInExchange: readonly string[]

beforeAll(async () => {
  watchFamilies((family, statement) => {
    for (const { verb, table } of touchedBy(statement)) touched.add(`${family} ${verb} ${table}`)
    const found = foreignTo(family, statement)
    for (const access of found) foreign.add(`${family} ${access}`)
    if (found.length > 0) throw new TypeError(`foreign to a transaction of ${family}: ${found.join(', ')}`)
  })
  n = await aTestNode()
  await wholeExchange(n)
  foreignInExchange = [...foreign]
  // The database itself is made by the test.
  sent = [...emittedSql()]
    .filter((text) => !text.includes('aldis_test_'))
    .map((text) => text.replace(/\s+/g, ' ').trim())
}, 120_000)
afterAll(async () => {
  watchFamilies(undefined)
  await n.end()
})

const NOT_YET = 'granted ahead of its service'

/** What a role may do and no service does, with the reason. */
const UNSERVED: Readonly<Record<string, string>> = {
  'update audience': NOT_YET,
  'select log_chain_seg': NOT_YET,
  'select console_form': 'PostgreSQL asks for it of who deletes a row by its key',
  'select client_assertion': 'PostgreSQL asks for it of who deletes rows by their columns',
  'insert authority_epoch': 'the migration makes its one row',
}

const isAllowed =
  (text: string, rule: string) =>
  ({ rule: allowed, starts }: Allowed): boolean =>
    allowed === rule && text.startsWith(starts)

describe('what the services of a node send', () => {
  test('breaks no rule of sharding and pooling but where the list says why', () => {
    const broken = sent.flatMap((text) =>
      faultsOf(text).flatMap((fault) => (ALLOWED.some(isAllowed(text, fault.rule)) ? [] : { ...fault, text })),
    )
    expect(broken).toEqual([])
  })

  test.for(ALLOWED)('still needs its exception: $starts', ({ rule, starts }) => {
    const needing = sent.filter(
      (text) => text.startsWith(starts) && faultsOf(text).some((fault) => fault.rule === rule),
    )
    expect(needing).toHaveLength(1)
  })

  test('reads and changes whatever any role may, so that the lint has seen it all', async () => {
    const { tables } = await catalogueOf(n.t.owner)
    const seen = new Set(sent.flatMap(touchedBy).map(({ verb, table }) => `${verb} ${table}`))
    const granted = new Set(tables.flatMap(({ name, grants }) => grants.map(({ verb }) => `${verb} ${name}`)))
    expect([...granted].filter((access) => !seen.has(access)).sort()).toEqual(Object.keys(UNSERVED).sort())
  })
})

describe('a transaction', () => {
  const id = newId(new Date())
  const work = {
    participant: (text: string) => asParticipant(n.t.app, id, (tx) => sql.raw(text).execute(tx)),
    control: (text: string) => atControl(n.t.admin, (tx) => sql.raw(text).execute(tx)),
    log: (text: string) => atLog(n.t.integrator, 1, (tx) => sql.raw(text).execute(tx)),
    feed: (text: string) => atFeed(n.t.projector, id, (tx) => sql.raw(text).execute(tx)),
    keys: (text: string) => atKeys(n.t.projector, (tx) => sql.raw(text).execute(tx)),
  } satisfies Record<Family, (text: string) => Promise<unknown>>

  test('touches the tables of its own family, and foreign ones only where the list says why', () => {
    expect(foreignInExchange).toEqual([])
  })

  test.for(GUESTS)('of $family still needs $table', ({ family, table, verbs }) => {
    for (const verb of verbs) expect(touched).toContain(`${family} ${verb} ${table}`)
  })

  test.for([
    { family: 'participant', text: 'select from person' },
    { family: 'participant', text: 'select from upload where upload_id in (select upload_id from log_batch)' },
    { family: 'participant', text: 'update feed_head set next_seq = 1 where feed_id is null' },
    { family: 'participant', text: 'delete from credential' },
    { family: 'control', text: 'select from submission' },
    { family: 'control', text: 'with gone as (delete from prov_outbox returning 1) select from gone' },
    { family: 'log', text: 'select from prov_record' },
    { family: 'log', text: 'insert into feed_ack select' },
    { family: 'feed', text: 'select from signal s join feed_entry e on e.signal_id = s.signal_id' },
    { family: 'keys', text: 'select from feed_entry' },
    { family: 'keys', text: 'select from plum' },
  ] as const)('of $family throws at a table of a foreign family: $text', async ({ family, text }) => {
    await expect(work[family](text)).rejects.toThrow(/^foreign to/)
  })

  test.for([
    { family: 'participant', text: 'select from upload' },
    { family: 'participant', text: 'select from audience' },
    { family: 'control', text: 'select from person' },
    { family: 'log', text: 'select from log_head' },
    { family: 'feed', text: 'select from feed_head' },
    { family: 'keys', text: 'select from shared_signal' },
  ] as const)('of $family passes with its own: $text', async ({ family, text }) => {
    await expect(work[family](text)).resolves.toBeDefined()
  })
})
