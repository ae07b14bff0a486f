import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { isConfirmation, type Sides, sidesOf, standingOf } from './opinion.ts'
import * as questionStore from './question-store.ts'
import { type Opinions, OUTCOME, type Outcome } from './schema.ts'
import * as store from './store.ts'

export interface SaidOptions {
  db: Db
  directory: { participantBySlug(slug: string): { participant_id: Uuid } | undefined }
}

/** What recipients say of a signal, as counts; for its source and for whoever it is shared with. */
export const createOpinionsOf =
  ({ db, directory }: SaidOptions) =>
  (participant: Uuid, { source, signal }: { source: string; signal: Uuid }): Promise<Opinions> =>
    asParticipant(db, participant, async (tx) => {
      const origin = directory.participantBySlug(source)?.participant_id
      const row = origin === undefined ? undefined : await store.tallyOf(tx, origin, signal)
      if (row === undefined) throw new Refusal('not-found')
      const outcomes = JSON.parse(row.counts) as Record<string, number>
      const { open_disputes, recurrences: seen_again } = row
      const answered = Object.values(outcomes).reduce((n, one) => n + one, 0)
      const standing = standingOf(outcomes, open_disputes)
      return { source, signal, standing, outcomes, answered, open_disputes, seen_again }
    })

/** What recipients say of each signal of a page, by `<source>/<signal>`; of what nobody said anything it has nothing. */
export const createSidesOf =
  ({ db, directory }: SaidOptions) =>
  (participant: Uuid, names: readonly SignalOf[]): Promise<ReadonlyMap<string, Sides & { disputed: boolean }>> =>
    asParticipant(db, participant, async (tx) => {
      const origins = new Map(names.map(({ source }) => [directory.participantBySlug(source)?.participant_id, source]))
      const rows = await store.talliesOf(tx, {
        origins: [...origins.keys()].filter((one) => one !== undefined),
        signals: names.map(({ signal }) => signal),
      })
      return new Map(
        rows.map(({ participant_id, signal_id, counts, open_disputes }) => [
          `${origins.get(participant_id)}/${signal_id}`,
          { ...sidesOf(JSON.parse(counts) as Record<string, number>), disputed: open_disputes > 0 },
        ]),
      )
    })

interface SignalOf {
  source: string
  signal: Uuid
}

/** How many recipients confirmed a signal, as far as the open transaction's participant may know it. */
export async function confirmationsOf(
  tx: Tx<'participant'>,
  { origin, signal }: { origin: Uuid; signal: Uuid },
): Promise<number> {
  const row = await store.tallyOf(tx, origin, signal)
  const counts = Object.entries(JSON.parse(row?.counts ?? '{}') as Record<string, number>)
  return counts.reduce((n, [outcome, one]) => n + (isConfirmation(OUTCOME[outcome as Outcome]) ? one : 0), 0)
}

/** What was said in an entry, read as `aldis_projector` beside whoever said it. */
export const createSaid = (projector: Db) => ({
  feedbackAt: (participant: Uuid, event: Uuid) => store.feedbackAt(projector, participant, event),
  disputeAt: (participant: Uuid, event: Uuid) => store.disputeAt(projector, participant, event),
  answerAt: async (participant: Uuid, event: Uuid) => {
    const row = await store.answerAt(projector, participant, event)
    return row === undefined ? undefined : { ...row, origin: participant }
  },
  questionAnswerAt: async (participant: Uuid, event: Uuid) => {
    const row = await questionStore.questionAnswerAt(projector, participant, event)
    return row === undefined ? undefined : { ...row, origin: participant }
  },
  opinionsOf: (origin: Uuid, signal: Uuid) => store.opinionsOf(projector, origin, signal),
})
