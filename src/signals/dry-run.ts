import { asParticipant } from '../db/as-participant.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { resultsOf, warningsOf } from './answer.ts'
import { apply, type Standing } from './apply.ts'
import { checked } from './checked.ts'
import type { Submission, SubmissionResult } from './schema.ts'
import type { SignalServiceOptions, Submitter } from './service.ts'
import { signalsForUpdate } from './store.ts'
import { tryPatterns } from './try-patterns.ts'

/**
 * What would become of a submission if it came now: the same checks in the same order, and nothing is stored, so that there is no
 * entry, no countersignature and no receipt. Its `jti` stays unused.
 */
export async function dryRun(
  options: SignalServiceOptions,
  by: Submitter,
  submission: Submission,
): Promise<SubmissionResult> {
  const { db, clock, patterns, timeoutMs } = options
  const now = clock()
  const first = checked(options, by, { submission, now })
  const judged = (await tryPatterns(first.judged, patterns, by.participant)) ?? first.judged
  const ids = new Set(judged.flatMap((one): Uuid[] => ('item' in one ? [one.item.signal] : [])))
  const rows = await asParticipant(
    db,
    by.participant,
    async (tx) => (ids.size === 0 ? [] : signalsForUpdate(tx, by.participant, [...ids])),
    { timeoutMs },
  )
  const standing = new Map<Uuid, Standing>(rows.map((row) => [row.signal_id, row]))
  const { refused } = apply(judged, standing, { event: newId(now), leaves: first.verified.leaves, now })
  const results = resultsOf({ judged, items: submission.items }, { refused, ...warningsOf(judged, refused) })
  return { submission: null, accepted: judged.length - refused.length, refused: refused.length, results }
}
