import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Act, Planned, PlannedLine, SignalName, Timed } from '../../../../src/cli/demo/past/act.ts'
import { AUDIENCES, CAST } from '../../../../src/cli/demo/past/cast.ts'
import { DAY_S } from '../../../../src/cli/demo/past/draft.ts'
import { DAYS_MIN, type Plan, planPast } from '../../../../src/cli/demo/past/plan.ts'
import { type DeriveContext, derive } from '../../../../src/client/derive.ts'
import { DISPUTE_RESULTS, OUTCOME, VERDICTS } from '../../../../src/feedback/schema.ts'
import { newId } from '../../../../src/kernel/ids.ts'
import { SIGNAL_TYPE, type SignalType, WITHDRAWAL_REASON } from '../../../../src/signals/schema.ts'

const full = planPast({ seed: '1', days: 90, signals: 2_000 })
const seeds = fc.string({ minLength: 1, maxLength: 12 })
const sizes = fc.record({
  seed: seeds,
  days: fc.integer({ min: 20, max: 90 }),
  signals: fc.integer({ min: 300, max: 900 }),
})

const actsOf = ({ timetable }: Plan): Timed[] => timetable.flatMap(({ acts }) => [...acts])
const ofKind = <K extends Act['kind']>(plan: Plan, kind: K) =>
  actsOf(plan).filter((act): act is Timed & Extract<Act, { kind: K }> => act.kind === kind)
const linesOf = (plan: Plan): PlannedLine[] => ofKind(plan, 'share').flatMap(({ lines }) => [...lines])

describe('a seed', () => {
  test('is one plan, whenever it is made', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        expect(planPast(size)).toEqual(planPast(size))
      }),
      { numRuns: 5 },
    )
  })
  test('is another plan than any other', () => {
    const other = planPast({ seed: '2', days: 90, signals: 2_000 })
    expect(linesOf(other)).not.toEqual(linesOf(full))
  })
  test.for([
    [DAYS_MIN - 1, 60],
    [DAYS_MIN, 0],
  ] as const)('has no past of %i days and %i signals', ([days, signals]) => {
    expect(() => planPast({ seed: '1', days, signals })).toThrow(RangeError)
  })
})

describe('whatever the seed', () => {
  test('as many signals are shared as were asked for, and relations on top, each once', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const lines = linesOf(planPast(size))
        const relations = lines.filter(({ relation }) => relation !== undefined)
        expect(lines.length - relations.length).toBe(size.signals)
        expect(relations.length).toBeGreaterThan(0)
        expect(new Set(lines.map(({ signal }) => signal)).size).toBe(lines.length)
      }),
      { numRuns: 8 },
    )
  })

  test('every type, verdict, outcome, answer and reason occurs, and every state of a case', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const plan = planPast(size)
        const set = (all: readonly unknown[]): unknown[] => [...new Set(all)].sort()
        expect(set(linesOf(plan).map(({ line }) => line.type))).toEqual(Object.keys(SIGNAL_TYPE).sort())
        expect(set(ofKind(plan, 'review').map(({ said }) => said.verdict))).toEqual([...VERDICTS].sort())
        expect(set(ofKind(plan, 'say').map(({ outcome }) => outcome))).toEqual(Object.keys(OUTCOME).sort())
        expect(set(ofKind(plan, 'answer').map(({ result }) => result))).toEqual([...DISPUTE_RESULTS].sort())
        expect(set(ofKind(plan, 'withdraw').map(({ reason }) => reason))).toEqual([...WITHDRAWAL_REASON].sort())
        const kinds = ofKind(plan, 'share').map(({ audience }) => AUDIENCES[audience].kind)
        expect(set(kinds)).toEqual(['group', 'named', 'programme'])
        for (const kind of ['claim', 'park', 'propose', 'hand_over', 'correct', 'dispute', 'release'] as const)
          expect(ofKind(plan, kind).length, kind).toBeGreaterThan(0)
        expect(ofKind(plan, 'review').some(({ undone }) => undone !== undefined)).toBe(true)
        expect(ofKind(plan, 'review').some(({ second }) => second !== undefined)).toBe(true)
      }),
      { numRuns: 8 },
    )
  })

  test('time goes on, from the first day to the last', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const plan = planPast(size)
        const acts = actsOf(plan)
        expect(acts.map(({ at }) => at)).toEqual(acts.map(({ at }) => at).sort((a, b) => a - b))
        for (const { day, acts: own } of plan.timetable)
          expect(own.every(({ at }) => Math.floor(at / DAY_S) === day)).toBe(true)
      }),
      { numRuns: 4 },
    )
  })

  test('nobody speaks of a signal that it has not received, nor after its end', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const plan = planPast(size)
        const planned = new Map(plan.planned.map((one) => [one.name, one]))
        for (const { day, acts } of plan.timetable)
          for (const act of acts) for (const [by, name] of named(act)) expectKnown(planned.get(name), { by, day, act })
      }),
      { numRuns: 8 },
    )
  })

  test('a signal is revised before it is withdrawn, never afterwards', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const ended = new Set<SignalName>()
        for (const act of actsOf(planPast(size))) {
          if (act.kind === 'revise') expect(ended.has(act.signal)).toBe(false)
          if (act.kind !== 'withdraw') continue
          expect(ended.has(act.signal)).toBe(false)
          ended.add(act.signal)
        }
      }),
      { numRuns: 8 },
    )
  })
})

/** Who names which signal in an act. */
function named(act: Act): [string, SignalName][] {
  if (act.kind === 'hits') return act.hits.map(({ signal }) => [act.by, signal])
  return 'signal' in act ? [[act.by, act.signal]] : []
}

function expectKnown(one: Planned | undefined, { by, day, act }: { by: string; day: number; act: Act }): void {
  const says = `${act.kind} on day ${day} of ${JSON.stringify(one)}`
  if (one === undefined) throw new Error(says)
  const own = one.source === by
  expect(own || one.recipients.some((party) => party === by), says).toBe(true)
  expect(day, says).toBeGreaterThan(one.day)
  if (['hits', 'say', 'dispute', 'revise', 'withdraw'].includes(act.kind))
    expect(day, says).toBeLessThanOrEqual(one.lives)
}

/** Names, networks and numbers that are set aside, so that they are nobody's. */
const RESERVED: Readonly<Partial<Record<SignalType, RegExp>>> = {
  url: /^https:\/\/[a-z0-9-]+\.example\//,
  domain: /^[a-z0-9-]+\.example$/,
  email: /^[a-z0-9.]+@mail\.example$/,
  phone: /^(\+1\d{3}55501\d\d|\+3532091\d{5})$/,
  ip: /^(192\.0\.2\.\d+|198\.51\.100\.\d+|203\.0\.113\.\d+|2001:db8:[0-9a-f]{1,4}::1)$/,
  username: /^@[a-z]+_[a-z]+_\d+$/,
  account_id: /^\d+-[0-9a-f]{8}$/,
  payment_handle: /^\$[a-z]+\d+$/,
}

describe('nothing raw', () => {
  test('is anybody else’s: each value is of a name, network or number that is set aside, and each another one', () => {
    const raws = linesOf(full).flatMap(({ line: { type, raw } }) => (raw === undefined ? [] : [{ type, raw }]))
    for (const { type, raw } of raws) expect(raw).toMatch(RESERVED[type] ?? /^never$/)
    expect(new Set(raws.map(({ type, raw }) => `${type} ${raw}`)).size).toBe(raws.length)
    for (const { line } of linesOf(full)) if (line.service !== undefined) expect([...SERVICES]).toContain(line.service)
  })
  test('is in what is sent of it: each line becomes an item that its linter takes', () => {
    const now = new Date('2026-11-26T12:00:00Z')
    const epoch = { kid: 'epoch-1', key: new Uint8Array(32) }
    for (const { line } of linesOf(full)) {
      if (line.type === 'relation') continue
      const derived = derive(line, { ...CONTEXT, now, epoch, audience: newId(now) })
      const text = JSON.stringify(derived)
      expect(derived.outcome, text).toBe('item')
      if (line.raw !== undefined) expect(text).not.toContain(line.raw)
    }
  })
  test('is among the names of those who take part', () => {
    expect(CAST).toEqual(['apple', 'banana', 'cherry', 'damson', 'elder'])
  })
})

const SERVICES = ['apricot', 'medlar', 'quince', 'sorb', 'cashtag']
const CONTEXT: Omit<DeriveContext, 'audience' | 'now' | 'epoch'> = {
  taxonomy: 1,
  defaults: {
    ...{ category: 'grooming', severity: 'high', confidence: 80, basis: 'automated', handling: 'review', tlp: 'amber' },
    context: { region: 'IE', legal_basis: 'terms_of_service', surface: 'public' },
  },
  days: () => 80,
}
