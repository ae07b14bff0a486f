/** A source's own signals beside what is said of them; no statement looks at more than `SENT_LOOKED_AT` of them. */
import { type Expression, type SqlBool, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import { OUTCOME } from './schema.ts'
import { SENT_LOOKED_AT } from './sent-schema.ts'

export interface SentFilter {
  state?: number | undefined
  type?: number | undefined
  category?: number | undefined
  said?: string | undefined
}

/** The last signal that a page looks at; undefined where it comes to the end of them. */
export const edgeOf = (tx: Tx, participant_id: Uuid, before: Uuid | undefined) => {
  const query = tx
    .selectFrom('signal')
    .select('signal_id')
    .where('participant_id', '=', participant_id)
    .orderBy('signal_id', 'desc')
    .offset(SENT_LOOKED_AT - 1)
    .limit(1)
  return (before === undefined ? query : query.where('signal_id', '<', before)).executeTakeFirst()
}

/** Of the tally beside a signal: asked for by its participant, so that one shard answers. */
const tallyOf = (participant_id: Uuid) =>
  sql`signal_tally t where t.participant_id = ${participant_id} and t.signal_id = s.signal_id`

const countsOf = (participant_id: Uuid) =>
  sql<string | null>`(select t.counts from ${tallyOf(participant_id)})`.as('counts')

const disputesOpen = (participant_id: Uuid) =>
  sql<number | null>`(select t.open_disputes from ${tallyOf(participant_id)})`.as('open_disputes')

const sentOf = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom('signal as s')
    .innerJoin('signal_revision as r', (join) =>
      join
        .onRef('r.participant_id', '=', 's.participant_id')
        .onRef('r.signal_id', '=', 's.signal_id')
        .on('r.revision', '=', 1),
    )
    .select(['s.signal_id', 's.signal_key', 's.type', 's.category', 's.state', 's.revision', 's.audience_id'])
    .select(['s.expires_at', 's.last_event', 'r.submission_id as first'])
    .select([countsOf(participant_id), disputesOpen(participant_id)])
    .where('s.participant_id', '=', participant_id)

export type SentRow = Awaited<ReturnType<typeof sentPage>>[number]

/** The newest first, from `before` back to `edge`. */
export function sentPage(
  tx: Tx,
  participant_id: Uuid,
  page: { filter: SentFilter; before: Uuid | undefined; edge: Uuid | undefined; limit: number },
) {
  const { filter, before, edge, limit } = page
  const wanted = conditions(participant_id, filter)
  let query = sentOf(tx, participant_id).where((eb) => eb.and(wanted))
  if (before !== undefined) query = query.where('s.signal_id', '<', before)
  if (edge !== undefined) query = query.where('s.signal_id', '>=', edge)
  return query.orderBy('s.signal_id', 'desc').limit(limit).execute()
}

export const sentSignal = (tx: Tx, participant_id: Uuid, signal_id: Uuid) =>
  sentOf(tx, participant_id).where('s.signal_id', '=', signal_id).executeTakeFirst()

function conditions(participant_id: Uuid, { state, type, category, said }: SentFilter): Expression<SqlBool>[] {
  return [
    ...(state === undefined ? [] : [sql<boolean>`s.state = ${state}`]),
    ...(type === undefined ? [] : [sql<boolean>`s.type = ${type}`]),
    ...(category === undefined ? [] : [sql<boolean>`s.category = ${category}`]),
    ...(said === undefined ? [] : [isSaid(participant_id, said)]),
  ]
}

function isSaid(participant_id: Uuid, said: string): Expression<SqlBool> {
  const tally = tallyOf(participant_id)
  if (said === 'nothing') return sql<boolean>`not exists (select from ${tally})`
  if (said === 'disputed') return sql<boolean>`exists (select from ${tally} and t.open_disputes > 0)`
  return sql<boolean>`exists (select from ${tally} and jsonb_exists(t.counts::jsonb, ${said}))`
}

/** Signals from an id on, the newest, together by what is the same of them. */
export const sentSince = (tx: Tx, participant_id: Uuid, since: Uuid) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('signal as s')
        .select(['s.state', 's.audience_id', countsOf(participant_id), disputesOpen(participant_id)])
        .where('s.participant_id', '=', participant_id)
        .where('s.signal_id', '>=', since)
        .orderBy('s.signal_id', 'desc')
        .limit(SENT_LOOKED_AT)
        .as('n'),
    )
    .select((eb) => ['n.state', 'n.audience_id', 'n.counts', eb.fn.countAll<bigint>().as('n')])
    .select(sql<boolean>`coalesce(n.open_disputes, 0) > 0`.as('disputed'))
    .groupBy(['n.state', 'n.audience_id', 'n.counts', sql`coalesce(n.open_disputes, 0) > 0`])
    .execute()

/** Who said something of these signals. */
export const giversOf = (tx: Tx, participant_id: Uuid, signals: readonly Uuid[]) =>
  tx
    .selectFrom('signal_opinion')
    .select(['signal_id', 'giver'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_id = any(${signals}::uuid[])`)
    .execute()

/** Who disputed one of these signals, among the newest disputes. */
export const openersOf = (tx: Tx, participant_id: Uuid, signals: readonly Uuid[]) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('dispute_received')
        .select(['signal_id', 'opener'])
        .where('participant_id', '=', participant_id)
        .orderBy('dispute_id', 'desc')
        .limit(SENT_LOOKED_AT)
        .as('d'),
    )
    .select(['d.signal_id', 'd.opener as giver'])
    .where(sql<boolean>`d.signal_id = any(${signals}::uuid[])`)
    .execute()

const OBJECTIONS: readonly number[] = [
  OUTCOME.not_violating,
  OUTCOME.disagree_category,
  OUTCOME.outdated,
  OUTCOME.needs_information,
]

/** Questions and disagreements on signals that have not ended, those of the newest signals first. */
export const objections = (tx: Tx, participant_id: Uuid, limit: number) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('signal_opinion')
        .select(['signal_id', 'giver', 'outcome', 'at'])
        .where('participant_id', '=', participant_id)
        .orderBy('signal_id', 'desc')
        .limit(SENT_LOOKED_AT)
        .as('o'),
    )
    .innerJoin('signal as s', (join) =>
      join.onRef('s.signal_id', '=', 'o.signal_id').on('s.participant_id', '=', participant_id),
    )
    .innerJoin('signal_revision as r', (join) =>
      join
        .onRef('r.signal_id', '=', 's.signal_id')
        .onRef('r.revision', '=', 's.revision')
        .on('r.participant_id', '=', participant_id),
    )
    .select(['o.signal_id', 'o.giver', 'o.outcome', 'o.at', 's.type', 'r.submission_id'])
    .select(
      sql<boolean>`exists (select from question_answer a where a.participant_id = ${participant_id}
        and a.signal_id = o.signal_id and a.asker = o.giver and a.at >= o.at)`.as('answered'),
    )
    .where(sql<boolean>`o.outcome = any(${OBJECTIONS}::int2[])`)
    .where(sql<boolean>`(s.state = 1 or s.state = 4)`)
    .orderBy('o.signal_id', 'desc')
    .limit(limit)
    .execute()

/** Live signals that end between two moments, the next one first. */
export const endingSoon = (tx: Tx, participant_id: Uuid, of: { from: Date; to: Date; limit: number }) =>
  tx
    .selectFrom('signal')
    .select(['signal_id', 'type', 'expires_at'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`state = 1`)
    .where('expires_at', '>', of.from)
    .where('expires_at', '<=', of.to)
    .orderBy('expires_at')
    .limit(of.limit)
    .execute()

/** Signals that are held; what holds one is the last that happened to it. */
export const heldNow = (tx: Tx, participant_id: Uuid, limit: number) =>
  tx
    .selectFrom('signal')
    .select(['signal_id', 'type', 'last_event'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`state = 4`)
    .orderBy('expires_at')
    .limit(limit)
    .execute()

/** The hold of a signal that two persons placed and nobody ended. */
export const heldByRequest = (tx: Tx, participant_id: Uuid, signal_id: Uuid) =>
  tx
    .selectFrom('signal_hold')
    .select('held_event')
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .where('request', 'is not', null)
    .where('released_event', 'is', null)
    .executeTakeFirst()

const DISPUTE = [
  'd.dispute_id',
  'd.opener',
  'd.signal_id',
  'd.revision',
  'd.ground',
  'd.opened_at',
  'd.due_at',
] as const

/** Disputes that the source has not answered, the one that is due first. */
export const unanswered = (tx: Tx, participant_id: Uuid, limit: number) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('dispute_received')
        .selectAll()
        .where('participant_id', '=', participant_id)
        .orderBy('dispute_id', 'desc')
        .limit(SENT_LOOKED_AT)
        .as('d'),
    )
    .select(DISPUTE)
    .where(sql<boolean>`not exists (select from ${answerOf(participant_id)})`)
    .orderBy('d.due_at')
    .limit(limit)
    .execute()

const answerOf = (participant_id: Uuid) =>
  sql`dispute_answer a where a.participant_id = ${participant_id} and a.dispute_id = d.dispute_id`

/** The disputes of one signal with their answers, the newest first. */
export const disputesOf = (tx: Tx, participant_id: Uuid, signal_id: Uuid, limit: number) =>
  tx
    .selectFrom('dispute_received as d')
    .select(DISPUTE)
    .select([
      sql<string | null>`(select a.result from ${answerOf(participant_id)})`.as('result'),
      sql<Date | null>`(select a.at from ${answerOf(participant_id)})`.as('answered_at'),
    ])
    .where('d.participant_id', '=', participant_id)
    .where('d.signal_id', '=', signal_id)
    .orderBy('d.dispute_id', 'desc')
    .limit(limit)
    .execute()

export const revisionsOf = (tx: Tx, participant_id: Uuid, signal_id: Uuid, limit: number) =>
  tx
    .selectFrom('signal_revision as r')
    .select(['r.revision', 'r.submission_id', 'r.item'])
    .select(
      sql<boolean>`exists (select from submission s where s.participant_id = ${participant_id}
        and s.submission_id = r.submission_id)`.as('signed'),
    )
    .where('r.participant_id', '=', participant_id)
    .where('r.signal_id', '=', signal_id)
    .orderBy('r.revision', 'desc')
    .limit(limit)
    .execute()

/** What each recipient says last of a signal, and where in the log. */
export const saidOf = (tx: Tx, participant_id: Uuid, signal_id: Uuid) =>
  tx
    .selectFrom('signal_opinion')
    .select(['giver', 'outcome', 'independent', 'recurrences', 'at', 'place'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .orderBy('at', 'desc')
    .execute()
