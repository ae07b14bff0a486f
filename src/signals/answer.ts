import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Judged, Refused } from './apply.ts'
import type { Countersignature } from './countersignature.ts'
import type { ItemResult, SubmissionResult } from './schema.ts'

/** What is kept of an answer; accepted items are told again from the submission's own bytes. */
export interface StoredAnswer {
  refused: readonly Refused[]
  countersignature: Countersignature
}

/** The answer to a submission of which something was stored. */
export function answerOf(
  submission: Uuid,
  judged: readonly Judged[],
  { refused, countersignature }: StoredAnswer,
  receipt: string,
): SubmissionResult {
  const faults = new Map(refused.map((fault) => [fault.index, fault]))
  const results = judged.map((one, index): ItemResult => {
    const fault = faults.get(index)
    if (fault !== undefined) return resultOf(fault)
    if (one.outcome === 'refused') throw new Error('a refused item was accepted')
    const { signal, revision } = one.item
    return { index, signal, revision, status: one.outcome === 'signal' && revision === 1 ? 201 : 200 }
  })
  const accepted = judged.length - refused.length
  return { submission, accepted, refused: refused.length, countersignature, receipt, results }
}

/** The answer to a submission of which every item was refused: nothing was stored. */
export const refusedWhole = (refused: readonly Refused[]): SubmissionResult => ({
  submission: null,
  accepted: 0,
  refused: refused.length,
  results: refused.map(resultOf),
})

const resultOf = (fault: Refused): ItemResult => ({ ...fault, status: new Refusal(fault.code).status })
