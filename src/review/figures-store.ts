/** What an organisation's cases come to; every figure is made of at most `COUNTED_MAX` rows of one index. */
import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import { COUNTED_MAX } from './queue-store.ts'

const [MEDIAN, MOST] = [0.5, 0.9]

/** How long open cases have waited, in seconds: half of them, and nine of ten, at most so long. */
export const openAges = (tx: Tx, participant_id: Uuid, now: Date) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('review_case')
        .select(['opened_at', 'due_at'])
        .where('participant_id', '=', participant_id)
        .where(sql<boolean>`state = 1`)
        .limit(COUNTED_MAX + 1)
        .as('c'),
    )
    .select((eb) => [
      eb.fn.countAll<bigint>().as('open'),
      eb.fn.countAll<bigint>().filterWhere('c.due_at', '<=', now).as('overdue'),
      ageAt(MEDIAN, now).as('p50'),
      ageAt(MOST, now).as('p90'),
    ])
    .executeTakeFirstOrThrow()

const ageAt = (part: number, now: Date) =>
  sql<
    number | null
  >`round(extract(epoch from ${now}::timestamptz - percentile_disc(${1 - part}::float8) within group (order by c.opened_at)))::int`

/** Reasons that came since a moment: each opened a case, or was added to one. */
export const inbound = (tx: Tx, participant_id: Uuid, since: Date) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('case_trigger')
        .select('case_id')
        .where('participant_id', '=', participant_id)
        .where('at', '>=', since)
        .limit(COUNTED_MAX + 1)
        .as('t'),
    )
    .select((eb) => eb.fn.count<bigint>('t.case_id').distinct().as('cases'))
    .executeTakeFirstOrThrow()

/** Released decisions since a moment, by whose signal it was and by verdict; how many were late, and how many corrected another. */
export const decided = (tx: Tx, participant_id: Uuid, since: Date) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('decision')
        .select(['case_id', 'verdict', 'corrects', 'decided_at', 'due_at'])
        .where('participant_id', '=', participant_id)
        .where('decided_at', '>=', since)
        .where('released_at', 'is not', null)
        .orderBy('decided_at', 'desc')
        .limit(COUNTED_MAX + 1)
        .as('d'),
    )
    .innerJoin('review_case as c', (join) =>
      join.onRef('c.case_id', '=', 'd.case_id').on('c.participant_id', '=', participant_id),
    )
    .select((eb) => ['c.origin', 'd.verdict', eb.fn.countAll<bigint>().as('n')])
    .select((eb) => eb.fn.countAll<bigint>().filterWhere('d.corrects', '=', true).as('reversals'))
    .select((eb) =>
      eb.fn
        .countAll<bigint>()
        .filterWhere((f) =>
          f.and([f('d.corrects', '=', false), sql<boolean>`d.decided_at > coalesce(d.due_at, c.due_at)`]),
        )
        .as('late'),
    )
    .groupBy(['c.origin', 'd.verdict'])
    .execute()
