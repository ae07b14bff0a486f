import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { orTwin } from '../db/failure.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import {
  CONFORMANCE_STEPS,
  type ConformanceReport,
  type ConformanceResult,
  type ConformanceRun,
  passedAll,
} from './schema.ts'
import { insertRun, latestConformance, newestRuns, runOf } from './store.ts'

export interface Reporter {
  participant: Uuid
  slug: string
  credential: Uuid
}

/** How programs of participants did when they went through the exchange, as they report it themselves. */
export interface Conformance {
  /** Once for each run; repeated with the same steps, the same answer. */
  report(
    by: Reporter,
    run: Uuid,
    steps: ConformanceReport['steps'],
  ): Promise<{ created: boolean; result: ConformanceResult }>
  /** The newest; `not-found` before the first. */
  latest(participant: Uuid): Promise<ConformanceResult>
  /** The last ones, the newest first. */
  runs(participant: Uuid): Promise<ConformanceResult[]>
}

export interface ConformanceOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
}

const RUNS_TOLD = 20

export function createConformance({ db, clock, provenance }: ConformanceOptions): Conformance {
  return {
    async report({ participant, slug, credential }, run, steps) {
      provenance.admit()
      const work = () =>
        asParticipant(db, participant, async (tx) => {
          const known = await runOf(tx, { participant_id: participant, run_id: run })
          if (known !== undefined) return { created: false, known }
          const at = clock()
          const passed = passedAll(steps)
          const failed = CONFORMANCE_STEPS.filter((step) => steps[step] === 'fail')
          const last_event = newId(at)
          await provenance.record(tx, {
            ...{ kind: 'conformance.reported', event_id: last_event, participant_id: participant, at, actor: slug },
            fields: { run, passed, failed, cred: credential },
          })
          const row = { participant_id: participant, run_id: run, at, steps: JSON.stringify(steps), passed, last_event }
          await insertRun(tx, row)
          return { created: true, known: { run_id: run, at, steps, passed } }
        })
      const told = await orTwin(work)
      provenance.wake()
      if (CONFORMANCE_STEPS.some((step) => told.known.steps[step] !== steps[step]))
        throw new Refusal('state-conflict', { detail: 'this run was reported with other results' })
      return { created: told.created, result: resultOf(told.known) }
    },
    async latest(participant) {
      const run = await latestConformance(db, participant)
      if (run === undefined) throw new Refusal('not-found')
      return resultOf(run)
    },
    runs: async (participant) => (await newestRuns(db, participant, RUNS_TOLD)).map(resultOf),
  }
}

const resultOf = ({ run_id, at, passed, steps }: ConformanceRun): ConformanceResult => ({
  ...{ run: run_id, at: at.toISOString(), passed, steps },
})
