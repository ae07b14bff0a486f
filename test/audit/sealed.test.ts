import { beforeEach, describe, expect, test } from 'vitest'
import type { Entry } from '../../src/audit/entry.ts'
import { createNames } from '../../src/audit/names.ts'
import { emptyProgramme, join, leave, type Programme } from '../../src/audit/programme.ts'
import { checkValues, createSealedTable, type SealedTable } from '../../src/audit/sealed.ts'
import { createSignalTable, type SignalTable } from '../../src/audit/signals.ts'
import { newId } from '../../src/kernel/ids.ts'
import { DAY, NOON } from '../signals/factory.ts'

const [SIGNAL, POND, LAKE] = [newId(NOON), newId(NOON), newId(NOON)]
const CHANGE = {
  ...{ index: 0, signal: SIGNAL, revision: 1, state: 'live', audience: POND, type: 'url', category: 'grooming' },
  ...{ expires_at: new Date(NOON.getTime() + DAY).toISOString(), leaf: 'A'.repeat(43) },
}
const entry = (kind: string, fields: Record<string, unknown>, more: Partial<Entry> = {}): Entry => ({
  ...{ kind, index: 7n, time: NOON.getTime(), event: newId(NOON), fields: new Map(Object.entries(fields)) },
  ...{ changes: [], expired: [], erased: [], sources: [], links: [], decoys: [], unopened: [], faults: [] },
  ...{ c: new Uint8Array(32), bytes: new Uint8Array(32), committed: true },
  ...more,
})
const SEALED = { actor: 'apple', signal: SIGNAL, revision: 1, audience: POND, digest: 'fig' }
const REVEALED = { actor: 'banana', subject: 'apple', reader: 'banana', signal: SIGNAL, revision: 1 }

let programme: Programme
let signals: SignalTable
let sealed: SealedTable
beforeEach(() => {
  programme = emptyProgramme()
  signals = createSignalTable(createNames())
  sealed = createSealedTable(createNames())
  for (const [slug, kind] of [
    ['apple', 'platform'],
    ['banana', 'platform'],
    ['cherry', 'platform'],
  ] as const)
    programme.participants.set(slug, { kind, status: 'active' })
  for (const slug of ['apple', 'banana']) join(programme, POND, slug, { index: 1n, time: 0 })
  signals.put('apple', CHANGE as never, 2)
})

/** What check 17 says of entries, one after the other. */
function told(...entries: Entry[]): { result: string; says: string } {
  const check = checkValues({ programme, signals, sealed })
  for (const one of entries) {
    check.entry(one)
    sealed.fold(one)
  }
  return check.end()
}
const withdrawn = (time = NOON.getTime()): Entry =>
  entry(
    'signal.withdrawn',
    { actor: 'apple' },
    { time, changes: [{ ...CHANGE, revision: 2, state: 'withdrawn' }] as never },
  )

test('a value that its source sealed and somebody of the audience revealed passes', () => {
  expect(told(entry('value.sealed', SEALED), entry('value.revealed', REVEALED))).toMatchObject({ result: 'PASS' })
})

describe('check 17 fails', () => {
  test.for([
    ['of a signal that is not there', { ...SEALED, actor: 'banana' }, 'its source does not have'],
    ['in another revision', { ...SEALED, revision: 2 }, 'another revision or audience'],
    ['for another audience', { ...SEALED, audience: LAKE }, 'another revision or audience'],
  ] as const)('where a value is sealed %s', ([, fields, says]) => {
    expect(told(entry('value.sealed', fields))).toMatchObject({ result: 'FAIL', says: expect.stringContaining(says) })
  })
  test.for([
    ['by whom it does not name', { ...REVEALED, reader: 'cherry' }, 'another than who acted'],
    ['by whom is not in its audience', { ...REVEALED, actor: 'cherry', reader: 'cherry' }, 'not in the audience'],
    ['that was never sealed', { ...REVEALED, signal: POND }, 'never sealed'],
    ['of another source', { ...REVEALED, subject: 'cherry' }, 'never sealed'],
    ['in a revision that never was', { ...REVEALED, revision: 2 }, 'never live'],
    ['in no revision', { ...REVEALED, revision: undefined }, 'never live'],
  ] as const)('where a value is revealed %s', ([, fields, says]) => {
    const finding = told(entry('value.sealed', SEALED), entry('value.revealed', fields))
    expect(finding).toMatchObject({ result: 'FAIL', says: expect.stringContaining(says) })
  })
  test('where a value is revealed a minute after its signal ended, and not before', () => {
    const at = (ms: number) => entry('value.revealed', REVEALED, { time: NOON.getTime() + ms })
    expect(told(entry('value.sealed', SEALED), withdrawn(), at(60_000)).result).toBe('PASS')
    sealed = createSealedTable(createNames())
    const late = told(entry('value.sealed', SEALED), withdrawn(), at(60_001))
    expect(late).toMatchObject({ result: 'FAIL', says: expect.stringContaining('destroyed before') })
  })
  test('where a value is revealed a minute after its reader left, and not before, nor once it is back', () => {
    const at = (ms: number) => entry('value.revealed', REVEALED, { time: NOON.getTime() + ms, index: 9n })
    leave(programme, POND, 'banana', { index: 5n, time: NOON.getTime() })
    expect(told(entry('value.sealed', SEALED), at(60_000)).result).toBe('PASS')
    const late = told(at(60_001))
    expect(late).toMatchObject({ result: 'FAIL', says: expect.stringContaining('not in the audience') })
    join(programme, POND, 'banana', { index: 6n, time: NOON.getTime() })
    expect(told(at(60_001)).result).toBe('PASS')
  })
  test('where a value is revealed to its audience a minute after it was sealed anew for another, and not before', () => {
    const moved = entry('signal.revised', { actor: 'apple' }, { changes: [{ ...CHANGE, audience: LAKE }] as never })
    const again = () => {
      signals.put('apple', { ...CHANGE, audience: LAKE } as never, 2)
      return entry('value.sealed', { ...SEALED, audience: LAKE })
    }
    const at = (ms: number) => entry('value.revealed', REVEALED, { time: NOON.getTime() + ms })
    expect(told(entry('value.sealed', SEALED)).result).toBe('PASS')
    expect(told(moved, again(), again(), at(60_000)).result).toBe('PASS')
    const late = told(at(60_001))
    expect(late).toMatchObject({ result: 'FAIL', says: expect.stringContaining(`not in the audience ${LAKE}`) })
  })
  test('where what is not there is taken back', () => {
    const removed = entry('value.removed', { actor: 'apple', signal: SIGNAL, revision: 1 })
    expect(told(removed)).toMatchObject({ result: 'FAIL' })
    expect(told(entry('value.sealed', SEALED), removed)).toMatchObject({ result: 'PASS' })
  })
})

test.for([
  ['its withdrawal', withdrawn()],
  [
    'a revision into another audience',
    entry('signal.revised', { actor: 'apple' }, { changes: [{ ...CHANGE, audience: LAKE }] as never }),
  ],
  [
    'its expiry',
    entry('signal.expired', { subject: 'apple' }, { expired: [{ signal: SIGNAL, revision: 1 }] as never }),
  ],
  ['its erasure', entry('erasure', { subject: 'apple' }, { erased: [{ signal: SIGNAL, revision: 1 }] as never })],
  ['being taken back', entry('value.removed', { actor: 'apple', signal: SIGNAL })],
  ['the departure of its source', entry('participant.left', { subject: 'apple', participant: 'apple' })],
] as const)('the row of a value goes with %s, once', ([, end]) => {
  const of = `sealed-value apple ${SIGNAL}`
  expect(sealed.fold(entry('value.sealed', SEALED))).toEqual([
    { of, state: { revision: 1, audience: POND, digest: 'fig' } },
  ])
  const within = entry('signal.revised', { actor: 'apple' }, { changes: [{ ...CHANGE, revision: 2 }] as never })
  expect(sealed.fold(within)).toEqual([])
  expect(sealed.fold(end)).toEqual([{ of, state: {}, gone: true }])
  expect(sealed.fold(end)).toEqual([])
})
