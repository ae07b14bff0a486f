import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Entry } from '../../src/audit/entry.ts'
import { createNames } from '../../src/audit/names.ts'
import { checkOrder } from '../../src/audit/order.ts'
import { createSignalTable } from '../../src/audit/signals.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { newId } from '../../src/kernel/ids.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const [SIGNAL, AUDIENCE] = [newId(NOON), newId(NOON)]

/** What check 10 says of an entry behind one that left the signal so, in revision 2, to expire at noon. */
function found(state: string | undefined, of: Partial<Entry> & { kind: string }): string {
  const signals = createSignalTable(createNames())
  const told = { revision: 2, state: state ?? '', audience: AUDIENCE, type: 'url', category: 'fruit' }
  const leaf = toBase64Url(new Uint8Array(32))
  const change = { index: 0, signal: SIGNAL, ...told, leaf, expires_at: NOON.toISOString() }
  if (state !== undefined) signals.put('apple', change, 3)
  const check = checkOrder(signals, [])
  const fields = new Map(Object.entries({ subject: 'apple', signal: SIGNAL }))
  const none = { changes: [], expired: [], erased: [] }
  check.entry({ ...none, index: 4n, event: newId(NOON), time: NOON.getTime(), fields, ...of } as unknown as Entry)
  const { result, says } = check.end()
  return `${result} ${says}`
}

describe('a hold', () => {
  test('is of a live signal, and ends of a held one', () => {
    expect(found('live', { kind: 'signal.held' })).toMatch(/^PASS/)
    expect(found('held', { kind: 'signal.released' })).toMatch(/^PASS/)
  })
  test.for(['held', 'withdrawn', 'expired', 'erased', undefined])('is not of one that is %s', (state) => {
    expect(found(state, { kind: 'signal.held' })).toMatch(/^FAIL .*signal.held is of the signal/)
  })
  test.for(['live', 'withdrawn', 'expired', 'erased', undefined])('does not end of one that is %s', (state) => {
    expect(found(state, { kind: 'signal.released' })).toMatch(/^FAIL .*signal.released is of the signal/)
  })
})

describe('an expiry', () => {
  const expired = (revision: number, ms = 0) =>
    ({ kind: 'signal.expired', expired: [{ signal: SIGNAL, revision }], time: NOON.getTime() + ms }) as never
  test('is of the revision that stands, at its time or later, held or not', () => {
    for (const state of ['live', 'held']) expect(found(state, expired(2))).toMatch(/^PASS/)
    expect(found('live', expired(2, 1))).toMatch(/^PASS/)
  })
  test('is of no other revision', () => {
    for (const revision of [1, 3]) expect(found('live', expired(revision))).toMatch(/^FAIL .*, which has revision 2/)
  })
  test('is not before its time', () => {
    expect(found('live', expired(2, -1))).toMatch(/^FAIL .*before its time/)
    expect(found('live', expired(2, Number.NaN))).toMatch(/before its time/)
  })
})

describe('the events of a log', () => {
  afterEach(() => void vi.unstubAllGlobals())
  const check = () => checkOrder(createSignalTable(createNames()), [])
  const entry = (event: string, after?: string): Entry =>
    ({
      ...{ kind: 'node.started', index: 4n, event, time: NOON.getTime(), changes: [], expired: [], erased: [] },
      fields: new Map(after === undefined ? [] : [['after', after]]),
    }) as unknown as Entry

  test('may be more than one Set takes', () => {
    const most = 1_000
    class SmallSet<T> extends Set<T> {
      override add(value: T): this {
        if (this.size === most && !this.has(value)) throw new RangeError('Set maximum size exceeded')
        return super.add(value)
      }
    }
    vi.stubGlobal('Set', SmallSet)
    const whole = check()
    for (let n = 0; n < 5 * most; n++) whole.entry(entry(newId(NOON)))
    expect(whole.end().result).toBe('PASS')
  })
  test('stand before what comes after them, and once', () => {
    const events = Array.from({ length: 100 }, () => newId(NOON))
    const resultOf = (...last: [event: string, after?: string]): string => {
      const whole = check()
      for (const event of events) whole.entry(entry(event))
      whole.entry(entry(...last))
      return whole.end().result
    }
    for (const event of events.slice(0, 20)) {
      expect(resultOf(newId(NOON), event)).toBe('PASS')
      expect(resultOf(event)).toBe('FAIL')
    }
    for (const stranger of [newId(NOON), '', 'fig']) expect(resultOf(newId(NOON), stranger)).toBe('FAIL')
  })
})
