import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import { askTogether, type Events, type Some } from '../db/participants-at-once.ts'
import type { Uuid } from '../kernel/ids.ts'

// What the projector reads of whoever said something.

export interface ProjectedItem {
  submission_id: Uuid
  signal_id: Uuid
  revision: number
  item_index: number
  /** Null once the item is erased. */
  salt: Buffer | null
  item: string
  signal_key: Buffer
  type: number
  profile: string
}

/**
 * The accepted items of submissions of one participant, in their order. Submission by submission and signal by signal: of a source
 * that is new to its statistics PostgreSQL expects a row, and would rather read all that it has.
 */
export const itemsOf = (db: Db, participant_id: Uuid, submissions: readonly Uuid[]): Promise<ProjectedItem[]> =>
  db
    .selectFrom(sql<{ id: Uuid }>`unnest(${submissions}::uuid[])`.as<'sent'>(sql`sent(id)`))
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom('signal_revision')
          .select(['submission_id', 'signal_id', 'revision', 'item_index', 'salt', 'item'])
          .where('participant_id', '=', participant_id)
          .whereRef('submission_id', '=', 'sent.id')
          .offset(0)
          .as('r'),
      (join) => join.onTrue(),
    )
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom('signal')
          .select(['signal_key', 'type', 'profile'])
          .where('participant_id', '=', participant_id)
          .whereRef('signal_id', '=', 'r.signal_id')
          .limit(1)
          .as('s'),
      (join) => join.onTrue(),
    )
    .select(['r.submission_id', 'r.signal_id', 'r.revision', 'r.item_index', 'r.salt', 'r.item'])
    .select(['s.signal_key', 's.type', 's.profile'])
    .orderBy('r.submission_id')
    .orderBy('r.item_index')
    .execute()

/** How many items submissions have. */
export const sizesOf = (db: Db, events: Events) =>
  askTogether(events, (some) => submissionsAmong(db, some).select(['submission_id', 'n']).execute())

export const submissionsOf = (db: Db, events: Events) =>
  askTogether(events, (some) =>
    submissionsAmong(db, some).select(['submission_id', 'jws', 'n', 'leaves', 'response']).execute(),
  )

const submissionsAmong = (db: Db, { participants, events }: Some) =>
  db
    .selectFrom('submission')
    .where(sql<boolean>`participant_id = any(${participants}::uuid[])`)
    .where(sql<boolean>`submission_id = any(${events}::uuid[])`)

/** The texts of the revisions before these, and perhaps of others of the same signals. */
export const formerItems = (db: Db, participant_id: Uuid, later: readonly { signal_id: Uuid; revision: number }[]) =>
  db
    .selectFrom('signal_revision')
    .select(['signal_id', 'revision', 'item'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_id = any(${later.map(({ signal_id }) => signal_id)}::uuid[])`)
    .where(sql<boolean>`revision = any(${[...new Set(later.map(({ revision }) => revision - 1))]}::int4[])`)
    .execute()

/** The signals that one expiry event ended, with the text of their last revision. */
export const expiredBy = (db: Db, participant_id: Uuid, event: Uuid) =>
  db
    .selectFrom('signal as s')
    .innerJoin('signal_revision as r', (join) =>
      join
        .onRef('r.participant_id', '=', 's.participant_id')
        .onRef('r.signal_id', '=', 's.signal_id')
        .onRef('r.revision', '=', 's.revision'),
    )
    .select(['s.signal_id', 's.signal_key', 's.type', 's.profile', 's.revision', 'r.item'])
    .select((eb) => eb('s.state', '=', 5).$castTo<boolean>().as('erased'))
    .where('s.participant_id', '=', participant_id)
    .where((eb) =>
      eb.or([
        eb.and([eb('s.last_event', '=', event), eb('s.state', '=', 3)]),
        eb.and([eb('s.ended_by', '=', event), eb('s.state', '=', 5)]),
      ]),
    )
    .orderBy('s.signal_id')
    .execute()

/** The signals that one erasure took, each with its audiences in the order in which it came to them. */
export async function erasedBy(db: Db, participant_id: Uuid, event: Uuid) {
  const rows = await db
    .selectFrom('signal as s')
    .innerJoin('signal_revision as r', (join) =>
      join.onRef('r.participant_id', '=', 's.participant_id').onRef('r.signal_id', '=', 's.signal_id'),
    )
    .select(['s.signal_id', 's.revision', 'r.item'])
    .where('s.participant_id', '=', participant_id)
    .where('s.last_event', '=', event)
    .where('s.state', '=', 5)
    .orderBy('s.signal_id')
    .orderBy('r.revision')
    .execute()
  return [...Map.groupBy(rows, ({ signal_id }) => signal_id)].map(([signal_id, own]) => ({
    signal_id,
    revision: own[0]?.revision ?? 0,
    audiences: [...new Set(own.flatMap(({ item }) => (JSON.parse(item) as { audience?: Uuid }).audience ?? []))],
  }))
}

const heldItem = (db: Db, participant_id: Uuid) =>
  db
    .selectFrom('signal_hold as h')
    .innerJoin('signal as s', (join) =>
      join.onRef('s.participant_id', '=', 'h.participant_id').onRef('s.signal_id', '=', 'h.signal_id'),
    )
    .innerJoin('signal_revision as r', (join) =>
      join
        .onRef('r.participant_id', '=', 'h.participant_id')
        .onRef('r.signal_id', '=', 'h.signal_id')
        .onRef('r.revision', '=', 'h.revision'),
    )
    .select(['h.signal_id', 'h.revision', 'r.submission_id', 'r.item_index', 'r.salt', 'r.item'])
    .select(['s.signal_key', 's.type', 's.profile'])
    .where('h.participant_id', '=', participant_id)

/** The signal that a hold began with, as it stood. */
export const heldBy = (db: Db, participant_id: Uuid, event: Uuid): Promise<ProjectedItem | undefined> =>
  heldItem(db, participant_id).where('h.held_event', '=', event).executeTakeFirst()

/** The signal whose hold an event ended. */
export const releasedBy = (db: Db, participant_id: Uuid, event: Uuid): Promise<ProjectedItem | undefined> =>
  heldItem(db, participant_id).where('h.released_event', '=', event).executeTakeFirst()

/** What one participant said of another's signal, with the JWS if it signed. */
export async function feedbackOf(db: Db, participant_id: Uuid, event: Uuid) {
  const row = await db
    .selectFrom('feedback')
    .select(['origin as recipient', 'signal_id', 'revision', 'told'])
    .where('participant_id', '=', participant_id)
    .where('feedback_id', '=', event)
    .executeTakeFirst()
  return row === undefined ? undefined : { ...row, ...(await signedAct(db, participant_id, event)) }
}

export async function disputeOpenedBy(db: Db, participant_id: Uuid, event: Uuid) {
  const row = await db
    .selectFrom('dispute')
    .select(['origin as recipient', 'signal_id', 'revision', 'told'])
    .where('participant_id', '=', participant_id)
    .where('last_event', '=', event)
    .executeTakeFirst()
  return row === undefined ? undefined : { ...row, ...(await signedAct(db, participant_id, event)) }
}

/** The signature of what an event tells; undefined where it was attested. */
const signedAct = (db: Db, participant_id: Uuid, act_id: Uuid) =>
  db
    .selectFrom('signed_act')
    .select(['jws', 'salt', 'item', 'countersignature'])
    .where('participant_id', '=', participant_id)
    .where('act_id', '=', act_id)
    .executeTakeFirst()

export const disputeClosedBy = (db: Db, participant_id: Uuid, event: Uuid) =>
  db
    .selectFrom('dispute_answer')
    .select(['opener as recipient', 'signal_id', 'revision', 'told'])
    .where('participant_id', '=', participant_id)
    .where('last_event', '=', event)
    .executeTakeFirst()

export const questionAnsweredBy = (db: Db, participant_id: Uuid, event: Uuid) =>
  db
    .selectFrom('question_answer')
    .select(['asker as recipient', 'signal_id', 'revision', 'told'])
    .where('participant_id', '=', participant_id)
    .where('answer_id', '=', event)
    .executeTakeFirst()
