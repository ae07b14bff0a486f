import type { Tx } from '../db/as-participant.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { NewEvent, ProvenanceService } from '../provenance/service.ts'
import * as store from './act-store.ts'
import { type ActAuthority, AUTHORITY, DISPUTE_HOURS, OUTCOME, type Outcome, type OutcomeCounts } from './schema.ts'

/** Who speaks, as the connection proved it. */
export interface Speaker {
  participant: Uuid
  slug: string
  uri: string
  credential: Uuid
}

/** The source's signal that something is said of. */
export interface About {
  origin: Uuid
  signal: Uuid
  revision: number
}

/** What a review ended with, to be told to the source. */
export interface Said extends About {
  outcome: Outcome
  reason: string
  note: string | undefined
  category_suggested: string | undefined
  counts: OutcomeCounts
  authority: ActAuthority
  /** One person confirmed something critical alone, which the programme lets pass: the source is told. */
  single_reviewed: boolean
}

/** What a participant's own matcher found of a signal. */
export type HitsOf = (
  tx: Tx<'participant'>,
  of: { participant: Uuid; origin: Uuid; signal: Uuid },
) => Promise<{ count: number; recurrences: number }>

export interface TellingOptions {
  clock: Clock
  provenance: ProvenanceService
  hits: HitsOf
  directory: { slugOf(participant: Uuid): string }
}

export interface Telling {
  /** Part of a larger change: what a review ended with. Answers the event, which is the feedback's id. */
  tell(tx: Tx<'participant'>, by: Pick<Speaker, 'participant' | 'slug'>, said: Said): Promise<Uuid>
  /** Part of a larger change: a verdict whose reason disputes the signal. */
  object(
    tx: Tx<'participant'>,
    by: Pick<Speaker, 'participant' | 'slug'>,
    of: About & { ground: string; note: string | undefined; authority: ActAuthority },
  ): Promise<Uuid>
}

const HOUR_MS = 3_600_000

/** What reviews say of signals, within their own transactions; nobody signs it. */
export function createTelling(options: TellingOptions): Telling {
  const { clock } = options
  return {
    tell: async (tx, by, said) => {
      const { outcome, authority, reason, note, category_suggested, counts, single_reviewed } = said
      const { event } = await writeFeedback(options, { tx, by, now: clock() }, said, {
        ...{ outcome, authority, single_reviewed, words: { reason, note, category_suggested, counts } },
      })
      return event
    },
    object: async (tx, by, of) => {
      const now = clock()
      const dispute = newId(now)
      await writeDispute(options, { tx, by, now }, of, { ...of, dispute })
      return dispute
    },
  }
}

/** Whose act it is, and where it is written. */
export interface Acting {
  tx: Tx<'participant'>
  by: Pick<Speaker, 'participant' | 'slug'> & { credential?: Uuid }
  now: Date
  proof?: { od: string; kid: string }
}

export interface Words {
  outcome: Outcome
  authority: ActAuthority
  single_reviewed?: boolean
  words: {
    reason: string | undefined
    note: string | undefined
    category_suggested: string | undefined
    counts: OutcomeCounts
  }
}

export async function writeFeedback(
  options: TellingOptions,
  acting: Acting,
  about: About,
  { outcome, authority, single_reviewed, words }: Words,
): Promise<{ event: Uuid; c: Buffer }> {
  const { tx, by, now } = acting
  const { origin, signal, revision } = about
  const { count, recurrences } = await options.hits(tx, { participant: by.participant, origin, signal })
  const former = await store.lastFeedback(tx, by.participant, { origin, signal_id: signal })
  const event = newId(now)
  const supersedes = former?.feedback_id
  const alone = single_reviewed === true ? { single_reviewed } : {}
  const { c } = await options.provenance.record(tx, {
    ...eventOf(options, acting, { event, about }),
    kind: 'feedback.given',
    fields: { signal, revision, outcome, authority, supersedes, ...alone, ...fieldsOf(acting) },
  })
  const told = { outcome, authority, ...words, ...alone, seen_again: recurrences, supersedes }
  await store.insertFeedback(tx, {
    ...{ participant_id: by.participant, feedback_id: event, origin, signal_id: signal, revision },
    ...{ outcome: OUTCOME[outcome], authority: AUTHORITY[authority], own_hits: count, recurrences },
    ...{ supersedes: supersedes ?? null, told: JSON.stringify(told), at: now },
  })
  return { event, c }
}

export async function writeDispute(
  options: TellingOptions,
  acting: Acting,
  about: About,
  what: { dispute: Uuid; ground: string; note: string | undefined; authority: ActAuthority },
): Promise<{ event: Uuid; c: Buffer }> {
  const { tx, by, now } = acting
  const { dispute, ground, note, authority } = what
  const { origin, signal, revision } = about
  const event = newId(now)
  const due_at = new Date(now.getTime() + DISPUTE_HOURS * HOUR_MS)
  const told = { dispute, ground, note, authority, due_at: due_at.toISOString() }
  const made = await store.insertDispute(tx, {
    ...{ participant_id: by.participant, dispute_id: dispute, origin, signal_id: signal, revision, ground },
    ...{ note: note ?? null, authority: AUTHORITY[authority], told: JSON.stringify(told) },
    ...{ opened_at: now, due_at, last_event: event },
  })
  if (!made) throw new Refusal('state-conflict', { detail: 'this id was used for another dispute' })
  const { c } = await options.provenance.record(tx, {
    ...eventOf(options, acting, { event, about }),
    kind: 'dispute.opened',
    fields: { dispute, signal, revision, ground, authority, ...fieldsOf(acting) },
  })
  return { event, c }
}

const eventOf = (
  { directory }: TellingOptions,
  { by, now }: Acting,
  { event, about }: { event: Uuid; about: About },
): Omit<NewEvent, 'kind' | 'fields'> => ({
  ...{ event_id: event, participant_id: by.participant, at: now, actor: by.slug },
  subject: directory.slugOf(about.origin),
})

const fieldsOf = ({ by, proof }: Acting) => ({ od: proof?.od, kid: proof?.kid, cred: by.credential })
