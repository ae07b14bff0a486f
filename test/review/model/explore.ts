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

/** Many histories of a case, each on a new one; whatever is done, database and model end alike. */
export const explore = async (of: Explored, { runs, length }: { runs: number; length: number }): Promise<void> => {
  const { w, source, recipient, audience } = of
  await fc.assert(
    fc.asyncProperty(fc.boolean(), commands(length), async (critical, steps) => {
      const item = w.item({ audience, severity: critical ? 'critical' : 'high' })
      await w.submit(source, [item])
      await w.settle()
      const id = (await w.hit(recipient, source, item)).results[0]?.case ?? ('' as Uuid)
      const real: Real = { ...of, item, id }
      const model = begun(critical, w.now().getTime())
      await fc.asyncModelRun(async () => ({ model, real }), steps)
      await expectLogged(model, real)
    }),
    { numRuns: runs, endOnFailure: false },
  )
}
