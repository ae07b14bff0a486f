import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Judged, Refused } from './apply.ts'
import type { Countersignature } from './countersignature.ts'
import type { ItemResult, SubmissionResult } from './schema.ts'

/** What is kept of an answer; accepted items are told again from the submission's own bytes. */
export interface StoredAnswer {
  refused: readonly Refused[]
  /** By index; absent where there are none. */
  warnings?: Readonly<Record<number, string>>
  countersignature: Countersignature
}

/** The answer to a submission of which something was stored. */
export function answerOf(
  submission: Uuid,
  told: Told,
  { refused, warnings = {}, countersignature }: StoredAnswer,
  receipt: string,
): SubmissionResult {
  const results = resultsOf(told, { refused, warnings })
  const accepted = told.judged.length - refused.length
  return { submission, accepted, refused: refused.length, countersignature, receipt, results }
}

interface Told {
  judged: readonly Judged[]
  items: readonly { item: string }[]
}

/** What became of each item, in their order. */
export function resultsOf(
  { judged, items }: Told,
  { refused, warnings = {} }: Pick<StoredAnswer, 'refused' | 'warnings'>,
): ItemResult[] {
  const faults = new Map(refused.map((fault) => [fault.index, fault]))
  return judged.map((one, index): ItemResult => {
    const fault = faults.get(index)
    if (fault !== undefined) return resultOf(fault)
    // What was accepted then may be refused now, since time and rules go on; the answer stays.
    const { signal, revision } = one.outcome === 'refused' ? chainOf(items[index]) : one.item
    const warned = warnings[index] === undefined ? {} : { warning: warnings[index] }
    return { index, signal, revision, status: revision === 1 ? 201 : 200, ...warned }
  })
}

/** What is kept of the warnings to accepted items. */
export function warningsOf(judged: readonly Judged[], refused: readonly Refused[]): Pick<StoredAnswer, 'warnings'> {
  const not = new Set(refused.map(({ index }) => index))
  const found = judged.flatMap((one, index) =>
    one.outcome === 'signal' && one.warning !== undefined && !not.has(index) ? [[index, one.warning] as const] : [],
  )
  return found.length === 0 ? {} : { warnings: Object.fromEntries(found) }
}

const chainOf = (sent: { item: string } | undefined): { signal: Uuid; revision: number } =>
  JSON.parse(sent?.item ?? '') as { signal: Uuid; revision: number }

/** The answer to a submission of which every item was refused: nothing was stored. */
export const refusedWhole = (refused: readonly Refused[]): SubmissionResult => ({
  submission: null,
  accepted: 0,
  refused: refused.length,
  results: refused.map(resultOf),
})

const resultOf = (fault: Refused): ItemResult => ({ ...fault, status: new Refusal(fault.code).status })
