import { sha256 } from '../kernel/sha256.ts'
import type { Judged } from './apply.ts'
import { judgeSignal, judgeWithdrawal, keyProfile, leafOf, type SignalRules, signalKey } from './lint.ts'
import type { SaltedItem, SubmissionType } from './submission.ts'

export interface JudgeContext {
  participant: string
  rules: SignalRules
  now: Date
  /** The stable number of a category. */
  categoryId(taxonomy: number, slug: string): number
}

/** The items of a verified submission, each for itself, whatever became of the others. */
export function judgeAll(typ: SubmissionType, items: readonly SaltedItem[], context: JudgeContext): Judged[] {
  const judge = typ === 'aldis-withdrawal+jws' ? withdrawal : signal
  return items.map(({ item }) => judge(item, context))
}

function withdrawal(text: string): Judged {
  const judged = judgeWithdrawal(text)
  if (judged.outcome === 'refused') return judged
  return { outcome: 'withdrawal', item: judged.item, prev: leafOf(judged.item.prev) }
}

function signal(text: string, { categoryId, ...context }: JudgeContext): Judged {
  const judged = judgeSignal(text, context)
  if (judged.outcome === 'refused') return judged
  const { item } = judged
  const category = categoryId(item.taxonomy, item.category)
  const [key, profile, prev] = [signalKey(sha256, item), keyProfile(item), leafOf(item.prev)]
  const warned = judged.warning === undefined ? {} : { warning: judged.warning }
  return { outcome: 'signal', item, key, profile, category, prev, ...warned }
}
