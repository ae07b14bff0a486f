import { expect, test } from 'vitest'
import { gatherFaults } from '../../src/audit/faults.ts'
import { numbered } from '../../src/audit/finding.ts'
import { createNames } from '../../src/audit/names.ts'
import { compareState, type Moment } from '../../src/audit/state.ts'
import { newId } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const [MADE, LATER, STRANGER] = [newId(NOON), newId(NOON), newId(NOON)]
const BATCH = { of: `read-batch ${LATER}`, state: { reader: 'plum', n: 1, root: 'fig' } }
const MEMBER = { of: 'audience-member pond plum', state: { member: true } }
const ROLE = { of: 'role ada operator', state: { ended: null } }

/** A log of two audited entries, the second of which gives a role, and a row that was read at a moment. */
function heldAgainst(at: Moment, row: { of: string; state: object; event?: string }) {
  const check = numbered(13, 'state')
  const faults = gatherFaults(check)
  const comparison = compareState({ hash: sha256, names: createNames(), before: 0n }, check, faults)
  comparison.moment(at)
  comparison.row({ ...ROLE, event: MADE })
  comparison.row({ ...row, state: { ...row.state } })
  comparison.set({ index: 1n, event: MADE }, [ROLE])
  return comparison.end(2n, 0)
}

test.for([
  ['that names its event', { ...BATCH, event: LATER }],
  ['that names none', MEMBER],
] as const)('a row %s, of an entry that was indexed and is beyond the checkpoint, waits for a later one', ([, row]) => {
  expect(heldAgainst({ size: 3n, waiting: [] }, row)).toMatchObject({
    result: 'UNKNOWN',
    says: '1 rows are of entries that come after the 2 of this log: audit a later checkpoint',
  })
})
test('a row whose event had no index yet when it was read waits for a later checkpoint', () => {
  expect(heldAgainst({ size: 2n, waiting: [LATER] }, { ...BATCH, event: LATER }).result).toBe('UNKNOWN')
})
test.for([
  ['that names an event', { ...BATCH, event: STRANGER }, 'the row names an event that did not make it so'],
  ['that names none', MEMBER, 'no entry made it so'],
] as const)('a row %s fails where all that the log had is audited and nothing made it', ([, row, says]) => {
  expect(heldAgainst({ size: 2n, waiting: [LATER] }, row)).toMatchObject({ result: 'FAIL', says: `${row.of}: ${says}` })
})
test('a row that is another than its own entry made it fails, however long the log was when it was read', () => {
  const check = numbered(13, 'state')
  const comparison = compareState({ hash: sha256, names: createNames(), before: 0n }, check, gatherFaults(check))
  comparison.moment({ size: 9n, waiting: [] })
  comparison.row({ ...ROLE, state: { ended: 'never' }, event: MADE })
  comparison.set({ index: 1n, event: MADE }, [ROLE])
  expect(comparison.end(2n, 0)).toMatchObject({ result: 'FAIL', entry: '1' })
})

const VALUE = { of: 'sealed-value apple plum', state: { revision: 1 } }
/** A value that entry 1 sealed and, if it did, entry 2 took away; the snapshot has it or not. */
function ofValue(at: Moment, { there = false, taken = false }) {
  const check = numbered(13, 'state')
  const comparison = compareState({ hash: sha256, names: createNames(), before: 0n }, check, gatherFaults(check))
  comparison.moment(at)
  if (there) comparison.row({ ...VALUE, event: MADE })
  comparison.set({ index: 1n, event: MADE }, [VALUE])
  if (taken) comparison.set({ index: 2n, event: LATER }, [{ of: VALUE.of, state: {}, gone: true }])
  return comparison.end(3n, 0)
}
test('a row that an entry took away is not there, and one that nothing took away is', () => {
  const now = { size: 3n, waiting: [] }
  expect(ofValue(now, { taken: true }).result).toBe('PASS')
  expect(ofValue(now, { there: true }).result).toBe('PASS')
  expect(ofValue(now, {})).toMatchObject({ result: 'FAIL', says: expect.stringContaining('does not have it') })
  expect(ofValue(now, { there: true, taken: true })).toMatchObject({ result: 'FAIL' })
})
test('a row that was read before an entry took it away is still there', () => {
  expect(ofValue({ size: 2n, waiting: [] }, { there: true, taken: true }).result).toBe('PASS')
})
test('a row that what is not audited may have taken away waits for a later checkpoint', () => {
  expect(ofValue({ size: 4n, waiting: [] }, {}).result).toBe('UNKNOWN')
  expect(ofValue({ size: 3n, waiting: [STRANGER] }, {}).result).toBe('UNKNOWN')
})
