import { afterAll, beforeAll, expect, test } from 'vitest'
import { asParticipant } from '../../../src/db/as-participant.ts'
import { newId } from '../../../src/kernel/ids.ts'
import { describedFrom, SIGNALS_AT_ONCE } from '../../../src/provenance/explore.ts'
import { createFactKeeping } from '../../../src/publishing/facts.ts'
import { aFactWorld, type FactWorld, LOG } from '../../publishing/facts/world.ts'

let f: FactWorld
beforeAll(async () => {
  f = await aFactWorld()
})
afterAll(() => f.w.end())

test('what is taken at once ends with the entry that brings the signals of submissions to their number', async () => {
  const { w, describing, carry, again } = f
  const apple = await w.admit('apple')
  while ((await w.integrate()) > 0);
  await carry()
  const { upto } = createFactKeeping({ projector: w.t.projector, logId: LOG })
  const from = await upto()
  const n = SIGNALS_AT_ONCE / 2
  for (let i = 0; i < 3; i++) {
    await asParticipant(w.t.app, apple.participant, (tx) =>
      w.provenance.record(tx, {
        ...{ kind: 'signal.submitted', event_id: newId(w.now()), participant_id: apple.participant, at: w.now() },
        ...{ actor: 'apple', fields: { n } },
      }),
    )
    w.pass(1_000)
  }
  while ((await w.integrate()) > 0);
  const taken = async (at: bigint) => {
    const { entries, full } = await describedFrom(describing, { from: at, limit: 100 })
    return [entries.map(({ items }) => items), full]
  }
  expect([await taken(from), await taken(from + 2n)]).toEqual([
    [[n, n], true],
    [[n], false],
  ])
  await carry()
  expect([await upto(), await again()]).toEqual([from + 3n, []])
})
