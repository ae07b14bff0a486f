import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { itemFaults, type LookedUp } from '../../src/audit/looked-up.ts'
import { createNames } from '../../src/audit/names.ts'
import { emptyProgramme } from '../../src/audit/programme.ts'
import { createSignalTable, type SignalTable } from '../../src/audit/signals.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const SIGNAL = newId(NOON)
const [ALL, PAIR] = [newId(NOON), newId(NOON)]

/** What an entry makes of the signal of apple. */
interface Step {
  at: number
  revision: number
  state: string
  audience?: Uuid
}

const put = (signals: SignalTable, { at, revision, state, audience = ALL }: Step, source = 'apple'): void => {
  const leaf = toBase64Url(randomBytes(32))
  const kinds = { type: 'url', category: 'grooming', expires_at: NOON.toISOString() }
  signals.put(source, { index: 0, signal: SIGNAL, revision, state, audience, leaf, ...kinds }, at)
}

/** What is wrong with a look-up of banana, by the time its batch is entry 90. */
function faultsOf(steps: readonly Step[], revision: number, change: Partial<LookedUp> = {}): string[] {
  const [signals, programme] = [createSignalTable(createNames()), emptyProgramme()]
  programme.stays.set(`${ALL} banana`, [{ joined: 1n }])
  programme.stays.set(`${PAIR} banana`, [{ joined: 1n, left: 20n }])
  for (const step of steps) put(signals, step)
  const items = new Map([['apple', [{ signal: SIGNAL, revision }]]])
  const looked = { items, log: 10, reader: 'banana', route: '/v1/lookups', index: 90n, ...change }
  return [...itemFaults({ signals, programme }, looked)]
}

const made: Step = { at: 3, revision: 1, state: 'live' }

describe('what a look-up gave out while it was live is no fault', () => {
  test.for<[what: string, later: Step[]]>([
    ['stays', []],
    ['expires', [{ at: 12, revision: 1, state: 'expired' }]],
    ['is withdrawn', [{ at: 12, revision: 2, state: 'withdrawn' }]],
    ['is erased', [{ at: 12, revision: 1, state: 'erased' }]],
    ['is revised', [{ at: 12, revision: 2, state: 'live' }]],
    ['is held', [{ at: 12, revision: 1, state: 'held' }]],
    [
      'is held and released',
      [
        { at: 12, revision: 1, state: 'held' },
        { at: 14, revision: 1, state: 'live' },
      ],
    ],
    ['goes to an audience without the reader', [{ at: 30, revision: 2, state: 'live', audience: newId(NOON) }]],
  ])('and %s before the batch is written', ([, later]) => {
    expect(faultsOf([made, ...later], 1)).toEqual([])
  })
})

describe('a look-up is at fault that gave out', () => {
  test.for<[what: string, steps: Step[], revision: number, says: string]>([
    ['what expired before it looked', [made, { at: 9, revision: 1, state: 'expired' }], 1, 'was expired by then'],
    ['what was withdrawn before', [made, { at: 9, revision: 2, state: 'withdrawn' }], 1, 'not there in revision 1'],
    ['what was erased before', [made, { at: 9, revision: 1, state: 'erased' }], 1, 'was erased by then'],
    ['what was held', [made, { at: 9, revision: 1, state: 'held' }], 1, 'was held by then'],
    [
      'what was held, and released after it',
      [made, { at: 9, revision: 1, state: 'held' }, { at: 10, revision: 1, state: 'live' }],
      1,
      'was held by then',
    ],
    ['what another revision had replaced', [made, { at: 9, revision: 2, state: 'live' }], 1, 'not there in revision 1'],
    ['a revision that came after', [made, { at: 10, revision: 2, state: 'live' }], 2, 'not there in revision 2'],
    ['a signal that came after', [{ ...made, at: 10 }], 1, 'not there in revision 1'],
    ['what never was', [], 1, 'not there in revision 1'],
    ['what was for others', [{ ...made, audience: newId(NOON) }], 1, 'and the reader is not in it'],
    [
      'what was for others, and is for the reader since',
      [
        { ...made, audience: newId(NOON) },
        { at: 12, revision: 2, state: 'live' },
      ],
      1,
      'and the reader is not in it',
    ],
  ])('%s', ([, steps, revision, says]) => {
    const faults = faultsOf(steps, revision)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(says)
  })
  test('what a reader could have until it left the audience, and not after', () => {
    const paired = [{ ...made, audience: PAIR }]
    expect(faultsOf(paired, 1, { log: 20 })).toEqual([])
    expect(faultsOf(paired, 1, { log: 21 })).toEqual([expect.stringContaining(`for the audience ${PAIR}`)])
    expect(faultsOf(paired, 1, { log: 21, reader: 'apple' })).toEqual([])
  })
})

describe.each([
  '/v1/cases/:case',
  'console /cases/:case',
  'console /queue',
  'console /bulk',
  'console /second-reviews',
  '/v1/bulk-jobs/plan',
  '/v1/review/samples',
  'console /samples',
  'console /samples/:sample',
])('a case, given out by %s,', (route) => {
  test('tells how a signal was when it arose, whatever has become of it', () => {
    for (const state of ['expired', 'erased', 'held'])
      expect(faultsOf([made, { at: 9, revision: 1, state }], 1, { route })).toEqual([])
    expect(faultsOf([made, { at: 9, revision: 2, state: 'live' }], 1, { route })).toEqual([])
  })
  test('outlasts a stay in the audience beside the signal, and is of no signal that came after it', () => {
    const paired = { ...made, audience: PAIR }
    expect(faultsOf([paired], 1, { route, log: 40 })).toEqual([])
    expect(faultsOf([paired, { ...paired, at: 30, revision: 2 }], 2, { route, log: 40 })).toEqual([])
    expect(faultsOf([{ ...paired, at: 30 }], 1, { route, log: 40 })).toEqual([
      expect.stringContaining(`for the audience ${PAIR}, and the reader was never in it`),
    ])
    expect(faultsOf([paired], 1, { route, log: 40, reader: 'cherry' })).toHaveLength(1)
  })
  test('tells nothing that was not there yet, or was for others', () => {
    expect(faultsOf([{ ...made, at: 10 }], 1, { route })).toHaveLength(1)
    expect(faultsOf([{ ...made, audience: newId(NOON) }], 1, { route })).toHaveLength(1)
    expect(faultsOf([made], 2, { route })).toHaveLength(1)
    // Another route is no case because its name begins alike.
    const alike = route.replace(/[a-z](?=\/|$)/, '$&x').replace('/:casex', 'x')
    for (const other of [alike, 'console /tactics', '/v1/lookups'])
      expect(faultsOf([made, { at: 9, revision: 1, state: 'held' }], 1, { route: other })).toHaveLength(1)
  })
})

test('what a signal was at any time is what the last entry before made of it', () => {
  const states = fc.constantFrom('live', 'held', 'expired', 'withdrawn')
  const steps = fc.array(fc.record({ state: states, up: fc.nat({ max: 1 }), audience: fc.constantFrom(ALL, PAIR) }), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(steps, fc.nat({ max: 14 }), (chosen, log) => {
      const signals = createSignalTable(createNames())
      let revision = 1
      const told = chosen.map(({ state, up, audience }, at) => {
        revision += up
        return { at, revision, state, audience }
      })
      for (const [i, step] of told.entries()) {
        put(signals, step)
        // Another signal among them changes nothing.
        put(signals, { ...step, at: i }, 'fig')
      }
      expect([...signals.versions('apple', SIGNAL)].reverse()).toEqual(told)
      const audiences = [...new Set(told.map(({ audience }) => audience))]
      const row = signals.rowOf('apple', SIGNAL)
      expect(row === undefined ? [] : signals.audiencesOf(row)).toEqual(audiences)
      const newest = told.filter(({ at }) => at < log).at(-1)
      expect([...signals.versions('apple', SIGNAL)].find(({ at }) => at < log)).toEqual(newest)
    }),
  )
})
