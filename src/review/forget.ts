import { asParticipant, type Tx } from '../db/as-participant.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import * as hitStore from './hit-store.ts'
import type { ReviewFollowOptions } from './open-for.ts'
import * as sourceStore from './source-store.ts'
import * as store from './store.ts'
import { stateOf } from './transition.ts'

export interface ForgetOptions extends Pick<ReviewFollowOptions, 'app' | 'projector' | 'clock' | 'provenance'> {
  directory: Pick<ReviewFollowOptions['directory'], 'slugOf'>
}

/** Erased signals that are asked for at once. */
const AT_ONCE = 1_000
const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid

/**
 * Whoever has a case or hits of an erased signal keeps its match key no longer, and the log says so of each case. Done again it
 * changes nothing; answers how many cases had one.
 */
export async function forgetKeys(
  options: ForgetOptions,
  of: { origin: Uuid; signals: readonly Uuid[] },
): Promise<number> {
  const { app, projector } = options
  const found = await store.keyedCases(projector, of)
  for (const { participant_id, case_id } of found)
    await asParticipant(app, participant_id, (tx) => forgetIn(options, tx, { participant_id, case_id }))
  return found.length
}

async function forgetIn(
  { clock, provenance, directory }: ForgetOptions,
  tx: Tx<'participant'>,
  { participant_id, case_id }: { participant_id: Uuid; case_id: Uuid },
): Promise<void> {
  const row = await store.caseForUpdate(tx, participant_id, case_id)
  if (row === undefined || row.signal_key.equals(store.NO_KEY)) return
  const [now, state] = [clock(), stateOf(row.state)]
  const event = newId(now)
  await store.updateCase(tx, row, { signal_key: store.NO_KEY, last_event: event })
  // A release before this one noted it there too.
  await hitStore.updateHit(tx, row, { signal_key: store.NO_KEY, last_event: event })
  await provenance.record(tx, {
    ...{ kind: 'review.moved', event_id: event, participant_id, at: now, actor: directory.slugOf(participant_id) },
    fields: { case: case_id, signal: row.signal_id, from: state, to: state, reason: 'erased' },
  })
}

/**
 * The same of every erased signal of these sources: of a case whose transaction began before an erasure and ended after it was
 * followed, and of what a release erased that left the keys.
 */
export async function forgetAll(options: ForgetOptions, sources: readonly Uuid[]): Promise<number> {
  let n = 0
  for (const origin of sources) {
    for (let after: Uuid | undefined = FIRST; after !== undefined; ) {
      const signals = await sourceStore.erasedAfter(options.projector, origin, { after, limit: AT_ONCE })
      if (signals.length > 0) n += await forgetKeys(options, { origin, signals })
      after = signals.length < AT_ONCE ? undefined : signals.at(-1)
    }
  }
  return n
}
