import fc from 'fast-check'
import type { Uuid } from '../../../src/kernel/ids.ts'
import type { Party } from '../../feeds/world.ts'
import type { ReviewWorld } from '../world.ts'
import { commands, expectLogged, type Real } from './commands.ts'
import { begun } from './model.ts'

export interface Explored {
  w: ReviewWorld
  source: Party
  recipient: Party
  other: Party
  audience: Uuid
}

const RULES = { keyword_patterns: false, critical: false, not_reviewed: true, new_sources: false, categories: [] }

const caseOf = async ({ w, recipient }: Explored, signal: Uuid): Promise<Uuid | undefined> => {
  const row = await w.t.owner
    .selectFrom('review_case')
    .select('case_id')
    .where('participant_id', '=', recipient.participant)
    .where('signal_id', '=', signal)
    .executeTakeFirst()
  return row?.case_id
}

/** Many histories of a case, each on a new one; whatever is done, database and model end alike. */
export const explore = async (of: Explored, { runs, length }: { runs: number; length: number }): Promise<void> => {
  const { w, source, recipient, audience } = of
  await w.review.route(recipient, RULES)
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.boolean(), commands(length), async (critical, seen, steps) => {
      // Opened by a hit, or by a rule before there was any.
      const basis = seen ? 'human_reviewed' : 'automated'
      const item = w.item({ audience, basis, severity: critical ? 'critical' : 'high' })
      await w.submit(source, [item])
      await w.settle()
      if (seen) await w.hit(recipient, source, item)
      const id = (await caseOf(of, item.signal)) ?? ('' as Uuid)
      const real: Real = { ...of, item, id }
      const model = begun(critical, w.now().getTime(), seen ? 1 : 0)
      await fc.asyncModelRun(async () => ({ model, real }), steps)
      await expectLogged(model, real)
    }),
    { numRuns: runs, endOnFailure: false },
  )
}
