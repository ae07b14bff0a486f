/** The thread that carries what the reference took into feeds and look-ups: the node's projector, with a list in the place of the log. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Handed } from '../../src/background.ts'
import { joinBase, openCore } from '../../src/core.ts'
import { createProjector } from '../../src/feeds/project.ts'
import { createLoop } from '../../src/jobs/loop.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { PROJECT_REST_MS } from '../../src/loops.ts'
import { placeOf } from '../../src/provenance/origin.ts'
import type { LoggedEvent } from '../../src/provenance/service.ts'
import { rulesOf } from '../../src/signals/rules.ts'
import type { Answered } from './unlogged.ts'

/** A number that no log of the node has. */
const LOG = 1_000

const { url, config } = workerData as Handed
const core = await openCore(joinBase(url, { config, clock: systemClock }), {
  ...{ onWake: () => {}, healthy: () => true, log: silentLog },
})
const taken: Omit<LoggedEvent, 'idx' | 'place'>[] = []
/** The first that this thread takes: another one may have been before it. */
let first: bigint | undefined

const projector = createProjector({
  ...{ db: core.pools.projector, clock: systemClock, logId: LOG, directory: core.authority },
  categoryId: rulesOf(core.authority).categoryId,
  onCarried: () => {},
  provenance: {
    entriesFrom: async (_db, { from, limit }) => {
      first ??= from
      const at = Number(from - first)
      return taken.slice(at, at + limit).map((event, i) => {
        const idx = from + BigInt(i)
        return { ...event, idx, place: placeOf(LOG, idx) }
      })
    },
  },
})
const loop = createLoop({
  round: async () => {
    const n = await projector.round()
    return projector.full() ? 'full' : n > 0
  },
  idleMs: 500,
  restMs: PROJECT_REST_MS,
  onError: (error) => {
    throw error
  },
})
loop.start()
parentPort?.on('message', (answered: readonly Answered[]) => {
  taken.push(...answered.map((one) => ({ ...one, kind: 'signal.submitted', at: new Date() })))
  loop.wake()
})
