import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dayOf } from '../../src/kernel/day.ts'
import { aTestNode, type TestNode } from '../support/node.ts'

let n: TestNode
beforeAll(async () => {
  n = await aTestNode()
})
afterAll(() => n.end())

test('what is counted of use is written down also while refused connections cannot be', async () => {
  const { handshakes, sightings, programme, clock } = n.parts
  await sql`alter table handshake_refusal rename to put_away`.execute(n.t.owner)
  const day = dayOf(clock())
  handshakes.add({ minute: clock(), address: '192.0.2.7', reason: 'key-unknown', count: 1 })
  sightings.lookedUp(programme.programme_id, { lookups: 1, with_hits: 1 })
  await expect.poll(() => sightings.lookups({ from: day, to: day })).toMatchObject([{ lookups: 1, with_hits: 1 }])
  await sql`alter table put_away rename to handshake_refusal`.execute(n.t.owner)
  await expect.poll(() => handshakes.newest(10)).toMatchObject([{ reason: 'key-unknown', count: 1 }])
})
