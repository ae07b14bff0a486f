import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createSightings } from '../../src/anomalies/sightings.ts'
import { newId } from '../../src/kernel/ids.ts'
import { oversightActs } from '../../src/oversight-acts.ts'
import { createHandshakeAudit } from '../../src/participants/handshake-audit.ts'
import { NAMED_MS } from '../../src/provenance/expire-reads.ts'
import { epochKey, epochOf } from '../../src/provenance/record.ts'
import { createRetention } from '../../src/retention.ts'
import { aWorld, type World } from '../feeds/world.ts'
import { DAY } from '../signals/factory.ts'

let w: World
beforeAll(async () => {
  w = await aWorld()
})
afterAll(() => w.end())

const retentionOf = ({ t: { admin }, clock, keys, provenance, authority }: World) =>
  createRetention({
    ...{ clock, keys, provenance, authority, logId: 1, pools: { admin } },
    handshakes: createHandshakeAudit(admin),
    sightings: createSightings({ admin, clock, mac: () => Buffer.alloc(32) }),
  })
/** All that was read until now is over. */
async function longAfter(): Promise<void> {
  w.pass(405 * DAY)
  await w.keys.create(epochKey(epochOf(w.now())), 'symmetric')
  await w.authority.refresh()
}

// The second leaves a damaged batch.
describe('what goes by its time', { shuffle: false }, () => {
  test('rounds that find something are one purge, whose number is that of all of them', async () => {
    const { clock } = w
    const handshakes = createHandshakeAudit(w.t.admin)
    const minute = new Date(clock().getTime() - 91 * DAY)
    handshakes.add({ minute, address: '192.0.2.1', reason: 'other', count: 1 })
    await handshakes.flush()
    const retention = retentionOf(w)
    const apple = await w.admit('apricot')
    const digest = Buffer.alloc(32, 7)
    const key = {
      ...{
        participant_id: apple.participant,
        credential_id: apple.credential,
        request_digest: digest,
        key_digest: digest,
      },
      ...{ claim: apple.credential, changed: true, done: true, answer: null, replays: 0 },
      ...{ claimed_until: clock(), expires_at: clock() },
    }
    await w.t.owner.insertInto('idempotency_key').values(key).execute()
    expect([await retention.round(), await retention.round()]).toEqual([2, 0])
    expect(retention.run()).toMatchObject({ removed: 2, failed: false })
    await retention.round()
    expect(retention.run()?.removed).toBe(0)
  })

  test('reads are over, and counted as such, no sooner than by the time of the entry that gathered them', async () => {
    const [fig, grape] = [await w.admit('fig'), await w.admit('grape')]
    const { audience, feed } = await w.group('vines', [fig, grape])
    await w.submit(fig, [w.item({ audience })])
    await w.project()
    await w.page(grape, feed)
    w.pass(10 * DAY)
    await w.provenance.journal.flush(grape.participant, grape.slug)
    await w.project()
    w.pass(400 * DAY - 1)
    await w.keys.create(epochKey(epochOf(w.now())), 'symmetric')
    await w.authority.refresh()
    const retention = retentionOf(w)
    const due = async () => (await retention.preview()).reads
    expect([await due(), await retention.purge(grape.participant)]).toEqual([[], 0])
    w.pass(1)
    expect(await due()).toEqual([{ participant: 'grape', n: 1, kept: false }])
    expect(await retention.purge(grape.participant)).toBe(1)
    await w.project()
    w.pass(NAMED_MS)
    expect([await retention.purge(grape.participant), await due()]).toEqual([1, []])
  })

  test('a batch of reads that is not whole is told of, and keeps nothing of other participants beyond its time', async () => {
    const [apple, banana, cherry] = [await w.admit('apple'), await w.admit('banana'), await w.admit('cherry')]
    const { audience, feed } = await w.group('berries', [apple, banana, cherry])
    await w.submit(apple, [w.item({ audience })])
    await w.project()
    for (const by of [banana, cherry]) {
      await w.page(by, feed)
      await w.provenance.journal.flush(by.participant, by.slug)
    }
    await w.project()
    const ofBanana = w.t.owner.deleteFrom('read_journal').where('participant_id', '=', banana.participant)
    await ofBanana.execute()
    await longAfter()
    const retention = retentionOf(w)
    const left = async (): Promise<string[]> => {
      const rows = await w.t.owner.selectFrom('read_journal').select('participant_id').execute()
      return rows.map(({ participant_id }) => participant_id)
    }
    await expect(retention.round()).rejects.toThrow('is not whole')
    await w.project()
    expect(await left()).toEqual([cherry.participant])
    w.pass(NAMED_MS)
    await expect(retention.round()).rejects.toThrow('is not whole')
    expect(await left()).toEqual([])
  })

  test('a hold that is being placed is waited for, and refuses a purge by hand that began before', async () => {
    const [date, elder] = [await w.admit('date'), await w.admit('elder')]
    const { audience, feed } = await w.group('shrubs', [date, elder])
    await w.submit(date, [w.item({ audience })])
    await w.project()
    await w.page(elder, feed)
    await w.provenance.journal.flush(elder.participant, elder.slug)
    await w.project()
    await longAfter()
    const { placeHold } = oversightActs({ recorder: w.provenance, attempted: async () => {} })
    const ids = { hold: newId(w.now()), event: newId(w.now()), participant: elder.participant }
    const purge = await w.t.owner.transaction().execute(async (tx) => {
      await placeHold(tx as never, { ...ids, what: 'reads', reason: 'audit', at: w.now() })
      const begun = retentionOf(w).purge(elder.participant)
      const waits = sql`select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))`
      const isWaiting = async () => expect((await waits.execute(tx)).rows).toHaveLength(1)
      await Promise.race([begun, vi.waitFor(isWaiting, 5_000)])
      return { begun }
    })
    await expect(purge.begun).rejects.toMatchObject({ code: 'hold-placed' })
    await expect(retentionOf(w).purge(elder.participant)).rejects.toMatchObject({ code: 'hold-placed' })
  })
})
