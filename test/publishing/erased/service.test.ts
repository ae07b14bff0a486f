import { afterAll, beforeAll, expect, test } from 'vitest'
import type { KeyService } from '../../../src/keys/service.ts'
import { createKeyRetirement } from '../../../src/provenance/retire-keys.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import { aFactWorld, type FactWorld } from '../facts/world.ts'

const DAY = 86_400_000
let f: FactWorld
let item: SignalItem
beforeAll(async () => {
  f = await aFactWorld()
  const { w, settle } = f
  const damson = await w.admit('damson')
  const { audience } = await w.group('fruit', [damson])
  item = w.item({ audience })
  await w.submit(damson, [item, w.item({ audience })])
  await settle()
  await w.decide('signals.erase', { participant: 'damson', signals: [item.signal], basis: 'order' })
  await settle()
})
afterAll(() => f.w.end())

const facts = async (): Promise<string> =>
  (await f.w.t.owner.selectFrom('report_facts').select('facts').orderBy('first_idx').execute())
    .map((row) => row.facts)
    .join()

test('facts say nothing that an erasure takes, and are the same when they are made after it', async () => {
  expect(await f.again()).toEqual([])
  const said = await facts()
  expect(said).toContain(item.signal)
  const { region, legal_basis } = item.context
  expect([region, legal_basis].filter((one) => said.includes(`"${one}"`))).toEqual([])
  await f.emptied()
  expect(await f.again()).toEqual([])
})

test('facts are the same once what was sealed under the key of a month is sealed under its next one', async () => {
  const { w } = f
  w.pass(32 * DAY)
  const retirement = createKeyRetirement({
    ...{ admin: w.t.admin, clock: w.clock, keys: w.keys, recorder: w.provenance },
    ...{ programme: w.programme.programme_id, participants: () => w.authority.participants() },
  })
  while ((await retirement.round()) > 0);
  const moved = await w.t.owner.selectFrom('prov_record').select('event_id').where('epoch', '>', 1_000_000).execute()
  expect(moved.length).toBeGreaterThan(0)
  expect(await f.again()).toEqual([])
  await f.emptied()
  expect(await f.again()).toEqual([])
})

test('counted again where the key of a month is not here, facts are said to be not compared rather than wrong', async () => {
  const { w, describing, again } = f
  const keys: KeyService = { ...w.keys, has: (kid) => !kid.startsWith('epoch-') && w.keys.has(kid) }
  const said = await again({ ...describing, keys })
  expect(said.length).toBeGreaterThan(0)
  expect(said.filter((one) => !/ cannot be compared: of \d+ of them nothing can be read/.test(one))).toEqual([])
})
