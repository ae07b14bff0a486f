import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { SEGMENT_SIZE } from '../../../src/feeds/schema.ts'
import { createSealer } from '../../../src/feeds/segment.ts'
import { aWorld, type World } from '../world.ts'

let w: World
beforeAll(async () => {
  w = await aWorld()
})
afterAll(() => w.end())

test('after four segments what they were made of is collected, where the process was started for it', async () => {
  const apple = await w.admit('apple')
  const { feed } = await w.group('long', [apple])
  const rows = 4 * SEGMENT_SIZE
  await sql`insert into feed_entry (feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, body)
    select ${feed}::uuid, i, i, 1, ${apple.participant}::uuid, gen_random_uuid(), 1, gen_random_uuid(), '{}'
    from generate_series(1, ${rows}::int) i`.execute(w.t.owner)
  await sql`update feed_head set next_seq = ${rows + 1}::bigint where feed_id = ${feed}`.execute(w.t.owner)
  const sealer = createSealer({ db: w.t.projector, provenance: w.provenance, directory: w.authority })
  const collected = vi.fn()
  vi.stubGlobal('gc', collected)
  try {
    const calls: number[] = []
    for (let n = await sealer.round(); n > 0; n = await sealer.round()) calls.push(collected.mock.calls.length)
    expect(calls).toEqual([0, 0, 0, 1])
  } finally {
    vi.unstubAllGlobals()
  }
})
