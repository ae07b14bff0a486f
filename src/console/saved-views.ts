import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { checkWords } from '../feedback/judge.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { VIEWS_MAX } from './schema.ts'
import * as store from './view-store.ts'
import type { Viewer } from './viewer.ts'

export type ViewScreen = 'queue' | 'submissions'

/** A filter with a name. */
export interface SavedView {
  view: Uuid
  name: string
  /** As it is written in the field of the filter. */
  filter: string
  shared: boolean
  /** Whether whoever looks may forget it. */
  mine: boolean
}

export interface SavedViews {
  of(viewer: Viewer, screen: ViewScreen): Promise<SavedView[]>
  /** `view-limit` beyond `VIEWS_MAX`, each person's own and the organisation's shared ones counted apart. */
  save(viewer: Viewer, view: { screen: ViewScreen; name: string; filter: string; shared: boolean }): Promise<void>
  /** By whoever saved it; a shared one by a lead too. Answers its screen. */
  forget(viewer: Viewer, view: Uuid): Promise<ViewScreen>
}

export function createSavedViews({ db, clock }: { db: Db; clock: Clock }): SavedViews {
  return {
    of: (viewer, screen) =>
      asParticipant(db, participantOf(viewer), async (tx) =>
        (await store.viewsFor(tx, participantOf(viewer), { owner: viewer.person, screen, limit: 2 * VIEWS_MAX })).map(
          (row) => ({
            ...{ view: row.view_id, name: row.name, filter: row.filter, shared: row.shared },
            mine: mayForget(viewer, row),
          }),
        ),
      ),
    async save(viewer, { screen, name, filter, shared }) {
      checkWords({ name })
      const participant_id = participantOf(viewer)
      await asParticipant(db, participant_id, async (tx) => {
        const owner = viewer.person
        if ((await store.countViews(tx, participant_id, { owner, shared, limit: VIEWS_MAX })) >= VIEWS_MAX)
          throw new Refusal('view-limit', { extra: { limit: VIEWS_MAX }, detail: 'forget one first' })
        const made_at = clock()
        const view_id = newId(made_at)
        await store.insertView(tx, { participant_id, view_id, owner, shared, screen, name, filter, made_at })
      })
    },
    forget: (viewer, view) =>
      asParticipant(db, participantOf(viewer), async (tx) => {
        const row = await store.viewOf(tx, participantOf(viewer), view)
        if (row === undefined || !mayForget(viewer, row)) throw new Refusal('not-found')
        await store.deleteView(tx, row.participant_id, view)
        return row.screen === 'queue' ? 'queue' : 'submissions'
      }),
  }
}

const mayForget = ({ person, roles }: Viewer, { owner, shared }: Pick<store.ViewRow, 'owner' | 'shared'>): boolean =>
  owner === person || (shared && roles.includes('lead'))

function participantOf({ participant }: Viewer): Uuid {
  if (participant === undefined) throw new Refusal('not-found')
  return participant
}
