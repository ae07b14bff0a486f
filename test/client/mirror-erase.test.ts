import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Received } from '../../src/client/client.ts'
import { eraseInMirror } from '../../src/client/mirror-erase.ts'
import { FEED } from './source.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-mirror-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const event = (change: object): Received =>
  ({
    event: {
      ...{ seq: '1', type: 'signal.created', at: '2026-03-01T12:00:00.000Z', feed: FEED, source: 'apple' },
      ...{ signal: 'one', revision: 1, event: 'e', index: 0, salt: 'c2FsdA', item: '{"a":"ä"}', path: '' },
      ...change,
    },
  }) as Received
const written = (events: readonly Received[]): string => {
  const path = join(dir, 'feed.ndjson')
  writeFileSync(path, events.map((one) => `${JSON.stringify(one)}\n`).join(''))
  return path
}
const linesIn = (path: string): Received[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Received)

describe('an erased signal in a mirror', () => {
  test('leaves its event in its place, without the bytes, and every other byte where it was', () => {
    const others = [event({ signal: 'two' }), event({ source: 'banana' }), event({ signal: 'one', item: undefined })]
    const path = written([event({}), ...others, event({ revision: 2 })])
    const before = readFileSync(path)
    expect(eraseInMirror(path, [{ source: 'apple', signal: 'one' }])).toBe(2)
    const after = readFileSync(path)
    expect(after.length).toBe(before.length)
    const [first, ...rest] = linesIn(path)
    expect(first).toEqual({ event: expect.not.objectContaining({ item: expect.anything() }) })
    expect(first?.event).toMatchObject({ signal: 'one', revision: 1, reason: 'erased' })
    expect(first?.event).not.toHaveProperty('salt')
    expect(JSON.stringify(rest.slice(0, 3))).toBe(JSON.stringify(others))
  })
  test('leaves what proves its submission, whatever that says', () => {
    const proof = `{"proof":{"event":"e","note":"one"}}`
    const path = written([event({})])
    writeFileSync(path, `${proof}\n${readFileSync(path, 'utf8')}`)
    expect(eraseInMirror(path, [{ source: 'apple', signal: 'one' }])).toBe(1)
    expect(readFileSync(path, 'utf8').split('\n')[0]).toBe(proof)
  })
  test('is not left in what a killed erasure had begun to write', () => {
    const path = written([event({})])
    writeFileSync(`${path}.new`, readFileSync(path))
    eraseInMirror(path, [{ source: 'apple', signal: 'one' }])
    expect(readdirSync(dir)).toEqual(['feed.ndjson'])
  })
  test('leaves a mirror that has nothing of it as it is, and removes what a killed erasure had begun', () => {
    const path = written([event({ source: 'banana' }), event({ signal: 'two' }), event({ item: undefined })])
    const { ino, mtimeMs } = statSync(path)
    writeFileSync(`${path}.new`, JSON.stringify(event({})))
    expect(eraseInMirror(path, [{ source: 'apple', signal: 'one' }])).toBe(0)
    expect(statSync(path)).toMatchObject({ ino, mtimeMs })
    expect(readdirSync(dir)).toEqual(['feed.ndjson'])
  })
  test('is looked for once, however many lines there are', () => {
    const ids = Array.from({ length: 500 }, (_, i) => `signal-${i}`)
    const path = written(ids.map((signal) => event({ signal })))
    let looks = 0
    const names = ids.map((id) => ({
      source: 'apple',
      get signal() {
        looks += 1
        return id
      },
    }))
    expect(eraseInMirror(path, names)).toBe(500)
    expect(looks).toBe(500)
  })
  test('is found wherever it stands, in a file of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ mine: fc.boolean(), length: fc.nat(300_000) }), { maxLength: 12 }), (lines) => {
        const path = written(
          lines.map(({ mine, length }) => event({ signal: mine ? 'mine' : 'other', item: 'ä'.repeat(length) })),
        )
        const size = readFileSync(path).length
        expect(eraseInMirror(path, [{ source: 'apple', signal: 'mine' }])).toBe(lines.filter(({ mine }) => mine).length)
        expect(readFileSync(path).length).toBe(size)
      }),
      { numRuns: 30 },
    )
  })
})
