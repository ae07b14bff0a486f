import { atControl, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { NewEvent, Recorder } from '../provenance/service.ts'
import { holdsOne, type PersonInRole } from './approval-rule.ts'
import * as people from './people-store.ts'
import type { Role } from './schema.ts'
import * as store from './store.ts'

/** What every act on the programme's own tables is made with. */
export interface ActContext {
  /** Logs in as `aldis_admin`. */
  admin: Db
  /** Logs in as `aldis_app`. */
  app: Db
  clock: Clock
  recorder: Recorder
  programme: store.Programme
  /** Called after a change has been committed, before its caller is answered. */
  changed(): Promise<void>
  /** Told that `changed` failed. */
  onStale?: ((error: unknown) => void) | undefined
}

/** On whose word something is done; the log knows people by their id alone. */
export interface Act {
  at: Date
  person?: Uuid
  /** The approved request that the act carries out, and the log event that it must follow. */
  request?: Uuid
  after?: Uuid
}

export type ActEvent = Pick<NewEvent, 'kind' | 'fields' | 'actor' | 'subject'> & {
  /** Whose act it is, if a participant's own; else the programme's. */
  participant_id?: Uuid
}

/** Records what an act did and answers the event's id, which the changed rows carry. */
export async function log(
  { recorder, programme }: Pick<ActContext, 'recorder' | 'programme'>,
  { tx, act }: { tx: Tx; act: Act },
  event: ActEvent,
): Promise<Uuid> {
  const event_id = newId(act.at)
  const { person, request, after } = act
  await recorder.record(tx, {
    ...event,
    event_id,
    participant_id: event.participant_id ?? programme.programme_id,
    at: act.at,
    fields: { ...event.fields, person, req: request },
    ...(after !== undefined && { after }),
  })
  return event_id
}

/** One change of reference tables: its transaction, the next epoch, and this process's own snapshot renewed. */
export async function change<T>(context: ActContext, work: (tx: Tx, at: Date) => Promise<T>): Promise<T> {
  const result = await atControl(context.admin, async (tx) => {
    await store.bumpEpoch(tx)
    return work(tx, context.clock())
  })
  await renewed(context)
  return result
}

/** What is committed is answered as done, also while this process cannot read it yet: its next look does. */
const renewed = ({ changed, onStale }: Pick<ActContext, 'changed' | 'onStale'>): Promise<void> =>
  changed().catch((error: unknown) => onStale?.(error))

/** What came of an act that may find its work done already. */
export interface Outcome<T> {
  result: T
  changed: boolean
}

/** As `change`, but the epoch moves only if something else did: a repetition makes no process read anything again. */
export async function changeOnce<T>(context: ActContext, work: (tx: Tx, at: Date) => Promise<Outcome<T>>): Promise<T> {
  const { result } = await atControl(context.admin, async (tx) => {
    await store.lockEpoch(tx)
    const outcome = await work(tx, context.clock())
    if (outcome.changed) await store.bumpEpoch(tx)
    return outcome
  })
  // Also after a repetition: this process may not have seen yet what another one made.
  await renewed(context)
  return result
}

/** The person, if it is active and holds one of the roles; `person-unknown` otherwise, without saying which. */
export async function inRole(tx: Tx, person_id: Uuid, roles: readonly Role[]): Promise<PersonInRole> {
  const person = await people.personInRole(tx, person_id)
  if (person === undefined || !holdsOne(person, roles)) throw new Refusal('person-unknown')
  return person
}

/** A participant that has not left. */
export async function participantOf(tx: Tx, slug: string): Promise<store.ParticipantRow> {
  const row = await store.participantBySlug(tx, slug)
  if (row === undefined) throw new Refusal('not-found', { detail: 'there is no participant of this name' })
  return row
}
