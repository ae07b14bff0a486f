import type { Uuid } from '../kernel/ids.ts'
import type { PatternChecked, PatternChecker } from '../matching/pattern.ts'
import { COMMON_MAX } from '../matching/pattern-limits.ts'
import type { Judged } from './apply.ts'
import type { SignalItem } from './schema.ts'

type PatternItem = Extract<SignalItem, { type: 'keyword_pattern' }>

/** The judged items after their patterns were tried; undefined if there is none among them, and nothing to wait for. */
export function tryPatterns(
  judged: readonly Judged[],
  { check }: Pick<PatternChecker, 'check'>,
  by: Uuid,
): Promise<readonly Judged[]> | undefined {
  const found = judged.flatMap((one, index) =>
    one.outcome === 'signal' && one.item.type === 'keyword_pattern' ? [{ index, item: one.item }] : [],
  )
  if (found.length === 0) return undefined
  return check(
    found.map(({ item }) => item.value),
    by,
  ).then((checked) => {
    const faults = new Map(found.map(({ index, item }, i) => [index, patternFault(item, checked[i])]))
    return judged.map((one, index) => faults.get(index) ?? one)
  })
}

/** Why a pattern is not taken: it does harm, does not do what it should, or matches too much for a machine to vouch for. */
export function patternFault(
  { basis }: Pick<PatternItem, 'basis'>,
  checked: PatternChecked | undefined,
): Extract<Judged, { outcome: 'refused' }> | undefined {
  if (checked === undefined) throw new RangeError('a pattern was not tried')
  if (checked.outcome === 'refused') {
    const { code, pointer, reason } = checked
    return { outcome: 'refused', code, pointer: `/value${pointer}`, detail: reason }
  }
  if (checked.common < COMMON_MAX || basis === 'human_reviewed') return undefined
  const share = `${(checked.common * 100).toFixed(1)} %`
  const detail = `the pattern matches ${share} of common words; share it once a person has reviewed it`
  return { outcome: 'refused', code: 'pattern-broad', pointer: '/basis', detail }
}
