import type { Pattern } from './pattern.ts'

/** How a revision of a pattern differs from the one before. */
export interface PatternDiff {
  /** Members that have another value, but for text and strings. */
  changed: { member: string; before: string; after: string }[]
  /** Where the text differs: what both begin and end with, and what stands between. Undefined if it is the same. */
  text: { head: string; removed: string; added: string; tail: string } | undefined
  must_match: { added: string[]; removed: string[] }
  must_not_match: { added: string[]; removed: string[] }
}

const MEMBERS = ['kind', 'language', 'case_sensitive', 'whole_word', 'confusables'] as const

export function diffPatterns(before: Pattern, after: Pattern): PatternDiff {
  const said = (pattern: Pattern, member: (typeof MEMBERS)[number]): string => String(pattern[member] ?? false)
  return {
    changed: MEMBERS.filter((member) => said(before, member) !== said(after, member)).map((member) => ({
      ...{ member, before: said(before, member), after: said(after, member) },
    })),
    text: textDiff(before.text, after.text),
    must_match: listDiff(before.must_match, after.must_match),
    must_not_match: listDiff(before.must_not_match, after.must_not_match),
  }
}

/** By code points, so that no character is cut. */
function textDiff(before: string, after: string): PatternDiff['text'] {
  if (before === after) return undefined
  const [a, b] = [[...before], [...after]]
  const most = Math.min(a.length, b.length)
  let head = 0
  while (head < most && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < most - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1
  return {
    head: a.slice(0, head).join(''),
    removed: a.slice(head, a.length - tail).join(''),
    added: b.slice(head, b.length - tail).join(''),
    tail: a.slice(a.length - tail).join(''),
  }
}

const listDiff = (before: readonly string[], after: readonly string[]): { added: string[]; removed: string[] } => ({
  added: after.filter((one) => !before.includes(one)),
  removed: before.filter((one) => !after.includes(one)),
})
