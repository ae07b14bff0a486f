import { describe, expect, test } from 'vitest'
import { createAlike } from '../../src/audit/alike.ts'
import type { Entry } from '../../src/audit/entry.ts'

type Fields = Readonly<Record<string, unknown>>

/** What is wrong with such entries. */
function faultsOf(...entries: readonly [kind: string, fields: Fields][]): string[] {
  const faults: string[] = []
  const alike = createAlike({ add: (text: string) => void faults.push(text) } as never)
  for (const [i, [kind, fields]] of entries.entries())
    alike.entry({ kind, index: BigInt(i), fields: new Map(Object.entries(fields)) } as unknown as Entry)
  return faults
}

const job = (step: string, change: Fields = {}): [string, Fields] => [
  'review.bulk',
  { job: 'fig', step, n: 26, digest: 'd', reviewers: 1, ...change },
]
const decided = (change: Fields = {}): [string, Fields] => ['review.decided', { job: 'fig', reviewers: 1, ...change }]
const end = (n: number): [string, Fields] => job('finish', { reviewers: 2, results: { decided: n - 1, proposed: 1 } })
const few = job('begin', { n: 1 })
const approve = job('approve', { reviewers: 2 })

describe('cases that are decided alike', () => {
  test('many with a lead, few without one, undone and refused ones: nothing is wrong', () => {
    expect(faultsOf(job('propose'), approve, decided(), decided(), end(2), decided({ reviewers: 2 }))).toEqual([])
    expect(faultsOf(job('begin', { n: 25 }), decided(), job('finish', { n: 25, results: { decided: 1 } }))).toEqual([])
    expect(faultsOf(job('propose'), job('refuse'))).toEqual([])
    expect(faultsOf(job('propose'), approve, job('undo'), job('finish_undo'))).toEqual([])
    expect(faultsOf(decided({ job: undefined }))).toEqual([])
  })

  test.each([
    ['many without a proposal', [job('begin')], 'nobody else approved it'],
    ['a step of a job that nobody asked for', [job('finish')], 'asked for by nobody'],
    ['a decision before it was approved', [job('propose'), decided()], 'decided a case and was not to'],
    ['a decision of a job that is over', [job('propose'), approve, end(0), decided()], 'decided a case and was not to'],
    ['more decisions than its list has', [few, decided(), decided()], 'decided more cases than the 1 of its list'],
    [
      'more decisions than the list of one person, with sums that agree',
      [few, ...Array.from({ length: 26 }, () => decided()), job('finish', { n: 1, results: { decided: 26 } })],
      'decided more cases than the 1 of its list',
    ],
    ['decisions of a list of no number', [job('begin', { n: undefined }), decided()], 'decided more cases than the'],
    ['a decision of no job that is there', [decided()], 'decided a case and was not to'],
    ['an approval by the same person', [job('propose'), job('approve')], 'approved by nobody else'],
    ['an approval of another list', [job('propose'), job('approve', { reviewers: 2, digest: 'e' })], 'another list'],
    ['a number that changed', [job('propose'), job('approve', { reviewers: 2, n: 27 })], 'another list'],
    ['sums that differ', [job('propose'), approve, decided(), end(2)], 'says that 2 were decided, of which 1'],
    ['an end after a refusal', [job('propose'), job('refuse'), end(1)], 'was over, which finish does not follow'],
  ] as const)('%s is named', (_, entries, said) => {
    expect(faultsOf(...entries).join('\n')).toContain(said)
  })
})
