import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createSightings } from '../../../src/anomalies/sightings.ts'
import { NETWORKS_A_DAY_MAX, SIGHTINGS_KEPT_DAYS } from '../../../src/anomalies/thresholds.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { freshDatabase, type TestDatabase } from '../../support/database.ts'

const DAY_MS = 86_400_000
const NOON = new Date('2026-11-20T12:00:00Z')
const [HOME, AWAY] = ['192.0.2.0/24', '2001:db8:1::/48']

let t: TestDatabase
let now: Date
let participant: Uuid
let credential: Uuid
beforeAll(async () => {
  t = await freshDatabase()
})
beforeEach(() => {
  now = NOON
  ;[participant, credential] = [newId(NOON), newId(NOON)]
})
afterAll(() => t.drop())

const mac = (data: Uint8Array): Buffer => createHmac('sha256', 'a key of the node').update(data).digest()
/** A process of the node. */
const fresh = () => createSightings({ admin: t.admin, clock: () => now, mac })
const pass = (days: number): void => {
  now = new Date(now.getTime() + days * DAY_MS)
}
const dayOf = (at: Date): string => at.toISOString().slice(0, 10)

/** The key opens connections from these networks today; what is new to it. */
async function used(...networks: string[]) {
  const sightings = fresh()
  for (const network of [...networks, ...networks]) sightings.seen({ participant, credential, network })
  await sightings.flush()
  const own = (await sightings.networks(dayOf(now))).filter((one) => one.participant_id === participant)
  return own.map(({ fresh: n, known }) => ({ fresh: n, known }))
}

test('a network is new to a key that was not used from it in thirty days', async () => {
  expect(await used(HOME)).toEqual([{ fresh: 1, known: 0 }])
  pass(1)
  expect(await used(HOME)).toEqual([{ fresh: 0, known: 1 }])
  // Two processes of one day.
  expect(await used(AWAY)).toEqual([{ fresh: 1, known: 1 }])
  pass(30)
  expect(await used(HOME)).toEqual([{ fresh: 0, known: 2 }])
  pass(1)
  expect(await used(AWAY, HOME)).toEqual([{ fresh: 1, known: 1 }])
})

test('of a network nothing is kept but a hash under a key of the node, another one for each key', async () => {
  const sightings = fresh()
  const other = newId(NOON)
  for (const one of [credential, other]) sightings.seen({ participant, credential: one, network: HOME })
  await sightings.flush()
  const rows = await t.owner.selectFrom('network_day').selectAll().where('participant_id', '=', participant).execute()
  expect(rows.map(({ network }) => network.length)).toEqual([16, 16])
  expect(new Set(rows.map(({ network }) => network.toString('hex'))).size).toBe(2)
  expect(JSON.stringify(rows)).not.toContain('192.0.2')
})

test('networks of a day are bounded, and the next day begins anew', async () => {
  const sightings = fresh()
  for (let i = 0; i <= NETWORKS_A_DAY_MAX; i++) sightings.seen({ participant, credential, network: `net ${i}` })
  expect(await sightings.flush()).toBe(NETWORKS_A_DAY_MAX)
  sightings.seen({ participant, credential, network: HOME })
  expect(await sightings.flush()).toBe(0)
  pass(1)
  sightings.seen({ participant, credential, network: HOME })
  expect(await sightings.flush()).toBe(1)
})

test('look-ups are added up by day, whichever process counted them, and wait while the database does not take them', async () => {
  const [one, two] = [fresh(), fresh()]
  one.lookedUp(participant, { lookups: 1, with_hits: 1 })
  one.lookedUp(participant, { lookups: 2, with_hits: 0 })
  two.lookedUp(participant, { lookups: 1, with_hits: 1 })
  await Promise.all([one.flush(), two.flush()])
  const broken = createSightings({ admin: t.ledger, clock: () => now, mac })
  broken.lookedUp(participant, { lookups: 1, with_hits: 1 })
  for (const _try of [1, 2]) await expect(broken.flush()).rejects.toMatchObject({ message: expect.any(String) })
  pass(1)
  one.lookedUp(participant, { lookups: 1, with_hits: 0 })
  await one.flush()
  const range = { from: dayOf(NOON), to: dayOf(now) }
  const own = (await one.lookups(range)).filter((row) => row.participant_id === participant)
  expect(own.map(({ day, lookups, with_hits }) => [day, lookups, with_hits]).sort()).toEqual([
    ['2026-11-20', 4, 2],
    ['2026-11-21', 1, 0],
  ])
})

test('what no rule looks at any more is forgotten', async () => {
  const sightings = fresh()
  sightings.seen({ participant, credential, network: HOME })
  sightings.lookedUp(participant, { lookups: 1, with_hits: 1 })
  await sightings.flush()
  const kept = async () =>
    (await t.owner.selectFrom('lookup_day').select('day').where('participant_id', '=', participant).execute()).length
  pass(SIGHTINGS_KEPT_DAYS)
  await sightings.forget(now)
  expect(await kept()).toBe(1)
  pass(1)
  expect(await sightings.forget(now)).toBeGreaterThanOrEqual(2)
  expect(await kept()).toBe(0)
})
