import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import type { Db } from '../../src/db/connect.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { aProcessNode, type ProcessNode } from '../support/process-node.ts'

const LONG_MS = 120_000

let n: ProcessNode
let owner: Db
let client: Client
let feed: Uuid

beforeAll(async () => {
  n = await aProcessNode({ WEBHOOK_HOSTS: 'apple=hooks.apple.example' })
  await n.start()
  client = (await n.member('apple')).connect()
  owner = await n.look()
  feed = (await client.feeds()).feeds[0]?.feed as Uuid
}, LONG_MS)
afterAll(async () => {
  client?.close()
  await owner?.destroy()
  await n?.destroy()
}, LONG_MS)
beforeEach(() => owner.deleteFrom('idempotency_key').execute())

/** Where the database stands still while a request under a key is carried out, until the node is killed there. */
const STOPS = {
  'before its change is committed': 'when (new.changed and not old.changed)',
  'between the change and its answer': 'when (new.done and not old.done)',
} as const

async function stoppedAt(stop: keyof typeof STOPS, work: () => Promise<void>): Promise<void> {
  await sql`create function stop() returns trigger language plpgsql as
    'begin perform pg_advisory_xact_lock(67); return new; end'`.execute(owner)
  await sql
    .raw(`create trigger stop before update on idempotency_key for each row ${STOPS[stop]} execute function stop()`)
    .execute(owner)
  await sql`select pg_advisory_lock(67)`.execute(owner)
  await work()
  await sql`select pg_advisory_unlock(67)`.execute(owner)
  await sql`drop function stop cascade`.execute(owner)
}

const waits = async (): Promise<void> =>
  vi.waitFor(
    async () => {
      const { rows } =
        await sql`select 1 from pg_locks where locktype = 'advisory' and objid = 67 and not granted`.execute(owner)
      expect(rows).toHaveLength(1)
    },
    { timeout: 20_000 },
  )

const gone = (): Promise<void> =>
  vi.waitFor(
    async () => {
      const { rows } = await sql`select 1 from pg_stat_activity where usename = 'aldis_app'`.execute(owner)
      expect(rows).toEqual([])
    },
    { timeout: 20_000 },
  )

const ended = async (endpoint: Uuid): Promise<boolean> =>
  (
    await owner
      .selectFrom('webhook_endpoint')
      .select('ended_at')
      .where('endpoint_id', '=', endpoint)
      .executeTakeFirstOrThrow()
  ).ended_at !== null

async function anEndpoint(): Promise<Uuid> {
  const endpoint = randomUUID() as Uuid
  await client.webhooks.add(endpoint, { url: 'https://hooks.apple.example/in', feeds: [feed] })
  return endpoint
}

/** One try; the status, or the code of the refusal. */
const end = (endpoint: Uuid, key: string): Promise<number | string> =>
  client.transport
    .call({
      ...{ method: 'POST', path: `/v1/webhooks/${endpoint}/end`, idempotent: false },
      headers: { 'idempotency-key': key },
    })
    .then(
      ({ status }) => status,
      (error: Error & { code: string }) => error.code,
    )

/** As soon as a node that has just begun is no longer busy. */
const claimedUntil = (claimed_until: Date) => owner.updateTable('idempotency_key').set({ claimed_until }).execute()

const judged = (endpoint: Uuid, key: string): Promise<number | string> =>
  vi.waitFor(
    async () => {
      const answer = await end(endpoint, key)
      expect(answer).not.toBe('busy')
      return answer
    },
    { timeout: 30_000, interval: 500 },
  )

test.for([
  ['before its change is committed', false, 204],
  ['between the change and its answer', true, 'idempotency-answer-lost'],
] as const)(
  'of a node that is killed %s the change is there: %s; the next try has %s',
  { timeout: LONG_MS },
  async ([stop, isThere, next]) => {
    const endpoint = await anEndpoint()
    const key = randomUUID()
    await stoppedAt(stop, async () => {
      const broken = end(endpoint, key)
      await waits()
      await n.end('SIGKILL')
      expect(await broken).toMatch(/^E[A-Z]+$/)
      // What the server still runs for the dead process ends with the lock, and finds nobody to commit for.
    })
    await gone()
    expect(await ended(endpoint)).toBe(isThere)
    await n.start()
    // However long the start took.
    await claimedUntil(new Date(Date.now() + 30_000))
    expect(await judged(endpoint, key)).toBe('idempotency-in-flight')
    await claimedUntil(new Date(0))
    expect(await judged(endpoint, key)).toBe(next)
    expect(await ended(endpoint)).toBe(true)
  },
)
