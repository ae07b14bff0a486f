import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { atControl } from '../../src/db/as-participant.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { describedFrom } from '../../src/provenance/explore.ts'
import { epochKey, epochOf, nextGeneration } from '../../src/provenance/record.ts'
import { createKeyRetirement, KEPT_MS } from '../../src/provenance/retire-keys.ts'
import { aWorld, type Party, type World } from '../feeds/world.ts'
import { DAY } from '../signals/factory.ts'

let w: World
let apple: Party
let banana: Party
let everybody: Uuid
beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  await w.authority.refresh()
  everybody = w.authority.audiencesOf(apple.participant).find(({ kind }) => kind === 'programme')?.audience_id as Uuid
})
afterAll(() => w.end())

const retirement = () =>
  createKeyRetirement({
    ...{ admin: w.t.admin, clock: w.clock, keys: w.keys, recorder: w.provenance },
    ...{ programme: w.programme.programme_id, participants: () => w.authority.participants() },
  })

describe('the key of a month of which something was erased', () => {
  const underKey = async (epoch: number): Promise<number> => {
    const records = await w.t.owner.selectFrom('prov_record').select('event_id').where('epoch', '=', epoch).execute()
    const reads = await w.t.owner.selectFrom('read_journal').select('journal_id').where('epoch', '=', epoch).execute()
    return records.length + reads.length
  }

  test('seals nothing any more once the month is over, and is destroyed 35 days later, with an entry', async () => {
    const epoch = epochOf(w.now())
    const [old, next] = [epochKey(epoch), epochKey(nextGeneration(epoch))]
    const item = w.item({ audience: everybody })
    await w.submit(apple, [item])
    await w.project()
    await w.page(banana, w.authority.feedOf(everybody))
    const payload = { participant: 'apple', signals: [item.signal], basis: 'order' }
    const { event } = (await w.decide('signals.erase', payload)) as { event: Uuid }
    const before = await w.opened(event)
    const rounds = async () => {
      for (let i = 0; i < 5; i++) await retirement().round()
    }
    await rounds()
    expect([await underKey(epoch), w.keys.has(next)]).toEqual([expect.any(Number), false])
    w.pass(32 * DAY)
    const sealed = await underKey(epoch)
    expect(sealed).toBeGreaterThan(1)
    await rounds()
    expect([await underKey(epoch), await underKey(nextGeneration(epoch))]).toEqual([0, sealed])
    expect(await w.opened(event)).toEqual(before)
    w.pass(KEPT_MS - 1_000)
    await rounds()
    expect(w.keys.has(old)).toBe(true)
    w.pass(1_000)
    expect(await w.recorded(rounds)).toEqual(['salts.destroyed'])
    expect(w.keys.has(old)).toBe(false)
    expect(await w.recorded(rounds)).toEqual([])
    expect(await w.opened(event)).toEqual(before)
  })
  test('goes also where a crash came between the entry and the file', async () => {
    await w.keys.create('epoch-199901', 'symmetric')
    const epoch = 1999 * 12
    await atControl(w.t.admin, (tx) =>
      tx
        .insertInto('epoch_key')
        .values({ epoch, stale_at: w.now(), rewrapped_at: w.now(), destroyed_at: w.now() })
        .execute(),
    )
    await retirement().round()
    expect(w.keys.has('epoch-199901')).toBe(false)
  })
})

describe('records of a month whose key was lost', () => {
  const erase = (signal: Uuid) =>
    w.decide('signals.erase', { participant: 'apple', signals: [signal], basis: 'order' }) as Promise<{ event: Uuid }>
  const shared = async (): Promise<Uuid> => {
    const item = w.item({ audience: everybody })
    await w.submit(apple, [item])
    await w.project()
    return item.signal
  }

  test('and made anew under its name are passed over: by erasures, at the start, where entries are found, by retirement', async () => {
    const epoch = epochOf(w.now())
    const [first, second] = [await shared(), await shared()]
    await w.page(banana, w.authority.feedOf(everybody))
    await w.keys.destroy(epochKey(epoch))
    await w.keys.create(epochKey(epoch), 'symmetric')
    const third = await shared()
    const { event } = await erase(first)
    const notices = w.t.owner.selectFrom('erasure_notice').select('participant_id').where('event_id', '=', event)
    // What was read before nobody can tell: it may have been this.
    expect(await notices.execute()).toEqual([{ participant_id: banana.participant }])
    w.listed.note({ v: 1, request: newId(w.now()), participant: 'apple', signals: [second], basis: 'order' })
    expect(await w.erasures.replay()).toBe(1)
    await erase(third)
    await w.project()
    const { entries } = await describedFrom(
      {
        ...{ projector: w.t.projector, keys: w.keys, logId: 1, provenance: w.provenance },
        ...{ slugOf: () => undefined, refresh: async () => {}, submitted: async () => new Map() },
      },
      { from: 0n, limit: 1_000 },
    )
    expect(new Set(entries.map(({ opened }) => opened === undefined))).toEqual(new Set([true, false]))
    w.pass(32 * DAY)
    await retirement().round()
    expect(w.keys.has(epochKey(nextGeneration(epoch)))).toBe(true)
    expect(await w.opened(event)).toMatchObject({ kind: 'erasure', n: 1 })
  })
  test('stay where they are while there is no key of that name: it may be put back', async () => {
    const epoch = 2000 * 12
    const none = { rewrapped_at: null, destroyed_at: null }
    await atControl(w.t.admin, (tx) =>
      tx
        .insertInto('epoch_key')
        .values({ epoch, stale_at: w.now(), ...none })
        .execute(),
    )
    await retirement().round()
    expect(w.keys.has(epochKey(nextGeneration(epoch)))).toBe(false)
    const key = w.t.owner.selectFrom('epoch_key').select(['rewrapped_at', 'destroyed_at']).where('epoch', '=', epoch)
    expect(await key.executeTakeFirst()).toEqual(none)
  })
})
