import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { type Answered, createBuffer } from '../../src/usage/buffer.ts'

const NOON = new Date('2026-11-27T12:00:00Z')
const HOUR = 3_600_000
const [apple, banana] = [newId(NOON), newId(NOON)]
let made = 0

const answered = (change: Partial<Answered> = {}): Answered => ({
  ...{ participant: apple, credential: apple, request_id: `r${++made}`, at: NOON, method: 'GET', route: '/v1/whoami' },
  ...{ status: 200, code: undefined, duration_ms: 1, response_bytes: 2, ...change },
})
const aBuffer = (change: object = {}) => createBuffer({ waiting: 100, perHour: 100, batch: 100, ...change })

describe('what waits', () => {
  test('stays until it is written, and is in one batch of its organisation, the oldest first', () => {
    const buffer = aBuffer({ batch: 2 })
    const rows = [answered(), answered(), answered({ participant: banana }), answered()]
    for (const row of rows) buffer.add(row)
    const before = buffer.batches()
    expect(before.map(({ rows: some }) => some)).toEqual([[rows[0], rows[1]], [rows[2]]])
    expect(buffer.batches()).toEqual(before)
    for (const batch of before) buffer.written(batch)
    expect(buffer.batches().map(({ rows: some }) => some)).toEqual([[rows[3]]])
  })
  test('is bounded over all organisations, and makes room once it is written', () => {
    const buffer = aBuffer({ waiting: 2 })
    for (const participant of [apple, apple, banana]) buffer.add(answered({ participant }))
    expect([buffer.dropped(apple), buffer.dropped(banana)]).toEqual([0, 1])
    for (const batch of buffer.batches()) buffer.written(batch)
    buffer.add(answered({ participant: banana }))
    expect(buffer.batches()).toMatchObject([{ participant: banana, dropped: 1 }])
  })
})

describe('an organisation', () => {
  test('has so many an hour, of those that went well and of those that were refused', () => {
    const buffer = aBuffer({ perHour: 2 })
    for (let i = 0; i < 3; i++) buffer.add(answered())
    for (const status of [404, 503, 422]) buffer.add(answered({ status }))
    buffer.add(answered({ participant: banana }))
    const [own] = buffer.batches()
    expect(own?.rows.map(({ status }) => status)).toEqual([200, 200, 404, 503])
    expect([own?.dropped, buffer.dropped(banana)]).toEqual([2, 0])
    buffer.add(answered({ at: new Date(NOON.getTime() + HOUR) }))
    expect(buffer.batches()[0]?.rows).toHaveLength(5)
  })
})

test('each request is written down once or counted once, whatever comes when', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ add: fc.constantFrom(apple, banana), status: fc.constantFrom(200, 404), hour: fc.nat(2) }),
      fc.constantFrom('write' as const),
    ),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const buffer = aBuffer({ waiting: 5, perHour: 4, batch: 3 })
      const [written, asked] = [[] as string[], [] as string[]]
      let told = 0
      const write = () => {
        for (const batch of buffer.batches()) {
          written.push(...batch.rows.map(({ request_id }) => request_id))
          told += batch.dropped
          buffer.written(batch)
        }
      }
      for (const step of all) {
        if (step === 'write') write()
        else {
          const at = new Date(NOON.getTime() + step.hour * HOUR)
          const row = answered({ participant: step.add, status: step.status, at })
          asked.push(row.request_id)
          buffer.add(row)
        }
      }
      while (buffer.batches().length > 0) write()
      const left = buffer.dropped(apple) + buffer.dropped(banana)
      expect(new Set(written).size).toBe(written.length)
      expect(written.length + told + left).toBe(asked.length)
    }),
  )
})
