import { expect, test } from 'vitest'
import { type Hole, type Holes, holeName } from '../../src/audit/commitments.ts'
import type { Entry } from '../../src/audit/entry.ts'
import { checkErasures } from '../../src/audit/erasures.ts'

const HOLE: Hole = { index: 4n, digest: 'd', erasable: true, signals: ['fig'] }

/** What check 7 says of an erasure of the signal `fig` that two persons decided, and how many values are left unexplained. */
function found(change: Partial<Hole>) {
  const hole = { ...HOLE, ...change }
  const holes: Holes = new Map([[holeName(hole), hole]])
  const check = checkErasures(holes)
  const of = { request: 'r', action: 'signals.erase', digest: 'd' }
  for (const [index, kind, fields, erased] of [
    [7n, 'approval.requested', { ...of, person: 'ada' }, []],
    [8n, 'approval.given', { ...of, person: 'ben' }, []],
    [9n, 'erasure', { approval: 'r', targets: [[String(hole.index), 'd']] }, [{ signal: 'fig', revision: 1 }]],
  ] as const)
    check.entry({ index, kind, fields: new Map(Object.entries(fields)), erased } as unknown as Entry)
  return { ...check.end(), left: holes.size }
}

test('a value that a submission of the erased signal said before may be gone', () => {
  expect(found({})).toMatchObject({ result: 'PASS', left: 0 })
})
test.for<[what: string, change: Partial<Hole>, says: string]>([
  ['a kind that is never erased', { erasable: false }, 'its target in entry 4 is of a kind that no erasure takes'],
  ['another signal', { signals: ['plum'] }, 'its target in entry 4 is of other signals'],
  ['no signal', { signals: [] }, 'its target in entry 4 is of other signals'],
  ['the erasure itself', { index: 9n }, 'its target in entry 9 is not there, or not erased'],
  ['a later entry', { index: 12n }, 'its target in entry 12 is not there, or not erased'],
])('no value of %s', ([, change, says]) => {
  expect(found(change)).toMatchObject({ result: 'FAIL', says: expect.stringContaining(says), left: 0 })
})
