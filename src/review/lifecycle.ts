import { asParticipant, type Tx } from '../db/as-participant.ts'
import { isConfirmation } from '../feedback/opinion.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { LoggedEvent } from '../provenance/service.ts'
import { refresh } from './again.ts'
import { moveCase } from './case.ts'
import { type Ending, endProposal } from './deciding.ts'
import * as decisionStore from './decision-store.ts'
import { forgetKeys } from './forget.ts'
import {
  factsFor,
  factsOf,
  type Item,
  openFor,
  type ReviewFollowOptions,
  sees,
  shownBy,
  type Told,
} from './open-for.ts'
import * as sourceStore from './source-store.ts'
import * as store from './store.ts'
import { after, stateOf } from './transition.ts'

/** What an organisation stands for: what was released last, and what leaves once its grace is over. */
function standing(all: readonly decisionStore.DecisionRow[]): decisionStore.DecisionRow[] {
  const last = all.findLastIndex(({ released_at }) => released_at !== null)
  return all.filter(({ release_at, ended_at }, i) => i >= last && release_at !== null && ended_at === null)
}

const confirms = ({ verdict }: decisionStore.DecisionRow): boolean => isConfirmation(verdict)

interface How {
  ended: boolean
  /** Whether it says something against what was done. */
  again: boolean
}

/**
 * Cases of signals that their source changed or took back: what was acted on is looked at again. Of what nobody decided yet what
 * ended is void, and what was revised shows it.
 */
export async function changed(
  options: ReviewFollowOptions,
  entry: LoggedEvent,
  { signals, ...how }: How & { signals: readonly Uuid[] },
): Promise<void> {
  const { app, projector, directory } = options
  const origin = entry.participant_id
  for (const { participant_id: participant, signal_id } of await store.casesOf(projector, { origin, signals })) {
    const by = { participant, slug: directory.slugOf(participant) }
    const said = how.ended ? undefined : await sourceStore.newestOf(projector, origin, signal_id)
    const again = await asParticipant(app, participant, async (tx) => {
      const row = await store.liveCase(tx, participant, { origin, signal_id })
      return row !== undefined && (await carry(options, tx, { by, row, said, ...how })) ? row : undefined
    })
    if (again === undefined) continue
    // Of what is erased nothing is left but what the case shows.
    const left = how.ended ? shownBy(again) : undefined
    const facts = (await factsFor(options, participant, { origin, signal_id })) ?? left
    if (facts !== undefined) await openFor(options, participant, { facts, trigger: 'lifecycle', ref: entry.event_id })
  }
}

/** A decision that is as if it had not been: where its signal ended meanwhile, nothing is left to decide. */
export async function undone(options: ReviewFollowOptions, { participant_id, event_id }: LoggedEvent): Promise<void> {
  const { app, projector, directory } = options
  const of = await asParticipant(app, participant_id, (tx) => decisionStore.caseEndedBy(tx, participant_id, event_id))
  if (of === undefined || !(await sourceStore.hasEnded(projector, of.origin, of.signal_id))) return
  await asParticipant(app, participant_id, async (tx) => {
    const row = await store.liveCase(tx, participant_id, of)
    const by = { participant: participant_id, slug: directory.slugOf(participant_id) }
    if (row !== undefined) await carry(options, tx, { by, row, said: undefined, ended: true, again: false })
  })
}

/** Whether the case is to be looked at again; where it is not, it ends or shows what its source says now. */
async function carry(
  options: ReviewFollowOptions,
  tx: Tx<'participant'>,
  { by, row, said, ended, again }: How & Pick<Ending, 'by' | 'row'> & { said: Item | undefined },
): Promise<boolean> {
  const { participant_id: participant, origin, case_id } = row
  const all = await decisionStore.decisionsOf(tx, participant, case_id)
  const stands = standing(all)
  const told = stands.filter(confirms)
  const isNew = told.every(({ revision }) => said === undefined || (revision ?? 0) < said.revision)
  // What was told stays to be looked at again, whatever becomes of the signal; not where somebody knew of the revision.
  if (again && participant !== origin && told.length > 0 && isNew) return true
  if (ended && stands.length === 0) await endCase(options, tx, { by, row, decision: all.at(-1) })
  if (said !== undefined && sees(options, { participant, origin }, said))
    await refresh(options.provenance, tx, { by, row, now: options.clock(), facts: factsOf(origin, said) })
  return false
}

/** Nothing is left to decide, and nobody stands for what was proposed. */
async function endCase(
  { provenance, clock }: ReviewFollowOptions,
  tx: Tx<'participant'>,
  { by, row, decision }: Omit<Ending, 'decision' | 'now'> & { decision: decisionStore.DecisionRow | undefined },
): Promise<void> {
  if (after(stateOf(row.state), 'end') === undefined) return
  const [change, now] = [{ held_until: null }, clock()]
  await moveCase(provenance, tx, row, { act: 'end', by, reason: 'signal_ended', now, change })
  if (decision?.ended_at === null) await endProposal({ provenance }, tx, { by, row, decision, now })
}

/** The same of signals that an event ended without a submission; answers which. */
export async function gone(options: ReviewFollowOptions, entry: LoggedEvent, again: boolean): Promise<Uuid[]> {
  const ended = await sourceStore.endedBy(options.projector, entry.participant_id, entry.event_id)
  const signals = ended.map(({ signal_id }) => signal_id)
  await changed(options, entry, { signals, ended: true, again })
  return signals
}

/** What two persons erased; nobody keeps what it was looked up by. */
export async function erased(options: ReviewFollowOptions, entry: LoggedEvent): Promise<void> {
  const signals = await gone(options, entry, true)
  await forgetKeys(options, { origin: entry.participant_id, signals })
}

/** Who confirms a signal by a decision whose grace runs. */
export async function confirming(
  { app, projector }: ReviewFollowOptions,
  { origin, signal_id }: Told,
): Promise<Uuid[]> {
  const found: Uuid[] = []
  for (const { participant_id: participant } of await store.casesOf(projector, { origin, signals: [signal_id] })) {
    const all = await asParticipant(app, participant, async (tx) => {
      const row = await store.liveCase(tx, participant, { origin, signal_id })
      return row === undefined ? [] : decisionStore.decisionsOf(tx, participant, row.case_id)
    })
    if (standing(all).some((one) => one.released_at === null && confirms(one))) found.push(participant)
  }
  return found
}
