import type { Uuid } from '../kernel/ids.ts'
import type { StatePart, StateRow } from '../provenance/audited.ts'
import { ACK_STAGE } from './schema.ts'
import * as store from './store.ts'

const STAGE_NAME = new Map<number, string>(Object.entries(ACK_STAGE).map(([name, id]) => [id, name]))

/** Which ends each participant has acknowledged; one participant a page. */
export const auditedAcks = (participants: () => readonly { participant_id: Uuid; slug: string }[]): StatePart => ({
  async page(db, after = '') {
    const next = participants()
      .filter(({ slug }) => slug > after)
      .toSorted((a, b) => (a.slug < b.slug ? -1 : 1))[0]
    if (next === undefined) return { rows: [], next: undefined }
    const rows = (await store.acksOf(db, next.participant_id)).map(
      ({ feed_id, stage, seq, last_event }): StateRow => ({
        of: `acknowledgement ${next.slug} ${feed_id} ${STAGE_NAME.get(stage) ?? stage}`,
        state: { upto: String(seq) },
        event: last_event,
      }),
    )
    return { rows, next: next.slug }
  },
})
