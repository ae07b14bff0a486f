import type { Uuid } from '../kernel/ids.ts'
import { plainArray } from './arrays.ts'

/** Participants of one statement: it goes to their shards alone, and PostgreSQL before 17 looks for each id among the rows of each. */
const AT_ONCE = 16

/** Events of some participants, both as the text of a `uuid[]`. An event is one participant's, so each row is asked for once. */
export interface Some {
  participants: string
  events: string
}

export type Events = readonly { participant_id: Uuid; event_id: Uuid }[]

/** What is asked of events, in as few statements as may be and not one for each participant: loops over the log ask many times a second. */
export const askTogether = async <Row>(events: Events, ask: (some: Some) => Promise<Row[]>): Promise<Row[]> =>
  (await Promise.all(participantsAtOnce(events).map(ask))).flat()

/** The events by the statements that they are asked for in. */
export function participantsAtOnce(events: Events): Some[] {
  const groups = [...Map.groupBy(events, ({ participant_id }) => participant_id)]
  return Array.from({ length: Math.ceil(groups.length / AT_ONCE) }, (_, i) => {
    const some = groups.slice(AT_ONCE * i, AT_ONCE * (i + 1))
    return {
      participants: plainArray(some.map(([participant]) => participant)),
      events: plainArray(some.flatMap(([, own]) => own.map(({ event_id }) => event_id))),
    }
  })
}
