import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Reviewer } from './case.ts'
import type { Decisions } from './decisions.ts'
import type { Leases } from './leases.ts'
import { BULK_ALONE, type DecisionRequest, type DecisionResult, type MoveResult } from './schema.ts'

/** Cases that are decided alike, each with the version that was seen and an id for its decision. */
export interface BulkRequest extends Pick<DecisionRequest, 'verdict' | 'reason' | 'note_team' | 'note_shared'> {
  items: readonly { case: Uuid; version: number; decision: Uuid }[]
}

/** What became of one case; its code where it was left as it is. */
export type BulkResult<T> = { case: Uuid; decision: Uuid } & ({ done: T } | { code: Refusal['code']; detail: string })

export interface Bulk {
  /** Each case by itself, claimed and decided or left as it is; repeated it changes nothing. */
  decideMany(by: Reviewer, request: BulkRequest): Promise<BulkResult<DecisionResult>[]>
  /** All of them that have not left yet. */
  undoMany(by: Reviewer, items: readonly { case: Uuid; decision: Uuid }[]): Promise<BulkResult<MoveResult>[]>
}

/** Decides as a person would, one case after the other: every rule of a single decision holds for each. */
export const createBulk = ({
  claim,
  decide,
  undo,
}: Pick<Leases, 'claim'> & Pick<Decisions, 'decide' | 'undo'>): Bulk => ({
  decideMany: async (by, { items, ...words }) => {
    checkSize(items)
    const results: BulkResult<DecisionResult>[] = []
    for (const item of items) {
      const { case: id, version, decision } = item
      results.push(
        await resultOf(item, async () => {
          const { token } = await claim({ ...by, lead: false }, id)
          return decide(by, id, { ...words, decision, version, token })
        }),
      )
    }
    return results
  },
  undoMany: async (by, items) => {
    checkSize(items)
    const results: BulkResult<MoveResult>[] = []
    for (const item of items) results.push(await resultOf(item, () => undo(by, item)))
    return results
  },
})

function checkSize({ length }: readonly unknown[]): void {
  if (length === 0) throw new Refusal('validation-failed', { detail: 'choose at least one case' })
  if (length > BULK_ALONE)
    throw new Refusal('approval-missing', {
      detail: `one person decides at most ${BULK_ALONE} cases at once`,
      extra: { limit: BULK_ALONE },
    })
}

/** What is refused of one case is its result, and stops no other; a failure of the node stops all. */
async function resultOf<T>(
  { case: id, decision }: { case: Uuid; decision: Uuid },
  work: () => Promise<T>,
): Promise<BulkResult<T>> {
  try {
    return { case: id, decision, done: await work() }
  } catch (error) {
    if (!(error instanceof Refusal) || error.status >= 500 || NOT_OF_A_CASE.has(error.code)) throw error
    return { case: id, decision, code: error.code, detail: error.detail ?? '' }
  }
}

/** Wrong of the request as a whole: every case would be refused alike. */
const NOT_OF_A_CASE: ReadonlySet<string> = new Set(['reason-unknown', 'raw-identifier', 'validation-failed'])
