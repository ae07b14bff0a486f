import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { atControl } from '../../src/db/as-participant.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
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

describe('the key of a month of which something was erased', () => {
  const retirement = () =>
    createKeyRetirement({
      ...{ admin: w.t.admin, clock: w.clock, keys: w.keys, recorder: w.provenance },
      ...{ programme: w.programme.programme_id, participants: () => w.authority.participants() },
    })
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
