import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type NewEntry, type Outbox, openOutbox } from '../../src/bridge/outbox.ts'
import { idOf } from '../signals/factory.ts'

const LIMITS = { outbox_entries: 4, outbox_bytes: 100, outbox_delivered: 2 }
let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-outbox-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const open = (limits = LIMITS): Outbox => openOutbox(dir, limits)
const anEntry = (n: number, body = `{"n":${n}}`): NewEntry => ({
  ...{ id: idOf(n), kind: 'hits', at: '2026-03-01T12:00:00Z', digest: `digest ${n}`, items: [{ line: 0 }], body },
})
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('what was taken is sent in its order, after a new start too, and readable by its owner alone', () => {
  const first = open()
  first.add(anEntry(2))
  first.add(anEntry(1))
  const again = open()
  expect(again.next()).toMatchObject({ entry: { id: idOf(2), state: 'waiting' }, body: '{"n":2}' })
  again.settle(again.next()?.entry ?? never(), { state: 'delivered', results: [] })
  expect(open().next()).toMatchObject({ entry: { id: idOf(1) } })
  for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o077).toBe(0)
})

const never = (): never => {
  throw new Error('nothing waits')
}

test('a repeated request finds its entry; another one under the same key is refused', () => {
  const outbox = open()
  const added = outbox.add(anEntry(1))
  expect(outbox.find(idOf(1), 'digest 1')).toEqual(added)
  expect(codeOf(() => outbox.find(idOf(1), 'another'))).toBe('state-conflict')
  expect(codeOf(() => outbox.add(anEntry(1)))).toBe('state-conflict')
  expect(outbox.find(idOf(2), 'digest 2')).toBeUndefined()
})

describe('the outbox is full', () => {
  test('with so many entries, refused ones counted, until one is removed', () => {
    const outbox = open()
    for (const n of [1, 2, 3, 4]) outbox.add(anEntry(n))
    outbox.settle(outbox.next()?.entry ?? never(), {
      ...{ state: 'refused', problem: { code: 'validation-failed', status: 422, errors: [] } },
    })
    expect(codeOf(() => outbox.add(anEntry(5)))).toBe('outbox-full')
    outbox.remove(idOf(1))
    expect(outbox.add(anEntry(5)).seq).toBe(5)
  })

  test('with so many bytes', () => {
    const outbox = open()
    outbox.add(anEntry(1, 'x'.repeat(60)))
    expect(codeOf(() => outbox.add(anEntry(2, 'x'.repeat(41))))).toBe('outbox-full')
    expect(outbox.add(anEntry(3, 'x'.repeat(40))).seq).toBe(2)
  })
})

test('what waits cannot be removed: it was acknowledged', () => {
  const outbox = open()
  outbox.add(anEntry(1))
  expect(codeOf(() => outbox.remove(idOf(1)))).toBe('state-conflict')
  expect(codeOf(() => outbox.remove(idOf(2)))).toBe('not-found')
})

test('what was delivered keeps its answer and not its content; the oldest answers go', () => {
  const outbox = open()
  for (const n of [1, 2, 3]) {
    outbox.add(anEntry(n))
    outbox.settle(outbox.next()?.entry ?? never(), { state: 'delivered', event: idOf(9) })
  }
  expect(outbox.list(0, 10).map(({ id }) => id)).toEqual([idOf(2), idOf(3)])
  expect(readdirSync(dir).sort()).toEqual(['000000000002.json', '000000000003.json'])
  expect(readFileSync(join(dir, '000000000002.json'), 'utf8')).not.toContain('{"n":2}')
})

test('a sequence is given once, also where its entry was removed before a new start: who lists goes on behind it', () => {
  const outbox = open()
  for (const n of [1, 2]) outbox.add(anEntry(n))
  for (const _ of [1, 2]) outbox.settle(outbox.next()?.entry ?? never(), { state: 'refused' })
  for (const n of [1, 2]) outbox.remove(idOf(n))
  expect(open().add(anEntry(3)).seq).toBe(3)
  expect(
    open()
      .list(2, 10)
      .map(({ id }) => id),
  ).toEqual([idOf(3)])
})

test('what a crash left half written was never acknowledged, and goes', () => {
  open().add(anEntry(1))
  for (const name of ['000000000002.body', '000000000003.json.77.new']) writeFileSync(join(dir, name), 'half')
  expect(open().counts().waiting).toBe(1)
  expect(readdirSync(dir).sort()).toEqual(['000000000001.body', '000000000001.json'])
})

test('whatever is done to it, and whenever it is opened anew: nothing acknowledged is lost, doubled or turned round', () => {
  const act = fc.constantFrom('add', 'deliver', 'refuse', 'reopen')
  fc.assert(
    fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
      rmSync(dir, { recursive: true })
      let outbox = open({ outbox_entries: 100, outbox_bytes: 10_000, outbox_delivered: 100 })
      const waiting: string[] = []
      const settled: string[] = []
      let n = 0
      for (const what of acts) {
        if (what === 'reopen') outbox = open({ outbox_entries: 100, outbox_bytes: 10_000, outbox_delivered: 100 })
        else if (what === 'add') {
          n += 1
          waiting.push(outbox.add(anEntry(n)).id)
        } else {
          const next = outbox.next()
          expect(next?.entry.id).toBe(waiting[0])
          if (next === undefined) continue
          settled.push(waiting.shift() ?? '')
          outbox.settle(next.entry, { state: what === 'deliver' ? 'delivered' : 'refused' })
        }
        expect(outbox.list(0, 100).map(({ id }) => id)).toEqual([...settled, ...waiting])
      }
    }),
    { numRuns: 12 },
  )
})
