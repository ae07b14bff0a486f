import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Framed, LINE_MAX, type Line, linesOf, submissionsOf } from '../../src/signals/stream.ts'
import { ITEM_BYTES_MAX, ITEMS_MAX, payloadText, SUBMISSION_BYTES_MAX } from '../../src/signals/submission.ts'
import { encoded } from './factory.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

async function* inChunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (const cut of cuts) {
    const size = Math.min(cut, bytes.length - at)
    const chunk = new Uint8Array(bytes.subarray(at, at + size))
    yield chunk
    // Its memory is the transport's again, as in a server.
    chunk.fill(0x58)
    at += size
  }
  yield bytes.subarray(at)
}

const lines = (text: string | Uint8Array, cuts: readonly number[] = [], from?: bigint): Promise<Line[]> =>
  Array.fromAsync(linesOf(inChunks(typeof text === 'string' ? Buffer.from(text) : text, cuts), from))

describe('lines', () => {
  test('are the same however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 12 }),
        fc.array(fc.nat(9), { maxLength: 200 }),
        fc.boolean(),
        async (drawn, cuts, ended) => {
          const texts = drawn.map((text) => text.toWellFormed().replaceAll('\n', ' '))
          const whole = texts.join('\n') + (ended ? '\n' : '')
          const expected = whole.split('\n').map((text, i) => ({ line: BigInt(i + 1), text }))
          if (expected.at(-1)?.text === '') expected.pop()
          expect(await lines(whole, cuts)).toEqual(expected)
        },
      ),
      { numRuns: 150 },
    )
  })
  test('that are empty are counted, and the last one needs no end', async () => {
    expect(await lines('a\n\n\nb')).toEqual([
      { line: 1n, text: 'a' },
      { line: 2n, text: '' },
      { line: 3n, text: '' },
      { line: 4n, text: 'b' },
    ])
    expect(await lines('')).toEqual([])
    expect(await lines('a\n')).toEqual([{ line: 1n, text: 'a' }])
  })
  test('of 64 KiB are taken at the very end too', async () => {
    const most = 'x'.repeat(LINE_MAX)
    for (const cuts of [[], [1]]) expect(await lines(most, cuts)).toEqual([{ line: 1n, text: most }])
  })
  test('count from where the upload goes on', async () => {
    expect(await lines('a\nb\n', [], 900_000_000_000_000n)).toEqual([
      { line: 900_000_000_000_000n, text: 'a' },
      { line: 900_000_000_000_001n, text: 'b' },
    ])
  })
  test.for([[[]], [[1]], [[LINE_MAX]], [[LINE_MAX + 1]], [Array(40).fill(7_000)]] as [number[]][])(
    'of 64 KiB are taken and one byte more is passed over, cut into %j',
    async ([cuts]) => {
      const most = 'x'.repeat(LINE_MAX)
      const found = await lines(`${most}\n${most}y\nafter\n${most}yy`, cuts)
      expect(found).toEqual([
        { line: 1n, text: most },
        { line: 2n, tooLong: true },
        { line: 3n, text: 'after' },
        { line: 4n, tooLong: true },
      ])
    },
  )
  test('without end cost no more memory than one', async () => {
    const chunk = new Uint8Array(1 << 20).fill(0x78)
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 256; i++) yield chunk
    }
    const before = process.memoryUsage().arrayBuffers
    expect(await Array.fromAsync(linesOf(endless()))).toEqual([{ line: 1n, tooLong: true }])
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 << 20)
  })
})

const jws = (count: number, change: object = {}) => ({
  ...{ protected: 'cA', payload: encoded(payloadText(count, new Uint8Array(32))), signature: 'cw' },
  ...change,
})
const head = (count: number, change: object = {}): string => JSON.stringify({ jws: jws(count, change) })
const item = (n: number) => ({ salt: 'c2FsdA', item: `{"fruit":${n}}` })
const itemLine = (n: number): string => JSON.stringify(item(n))

/** `\xff` stands for a byte that is no UTF-8. */
const frames = (...texts: string[]): Promise<Framed[]> => {
  const encoding = texts.some((text) => text.includes('\xff')) ? 'latin1' : 'utf8'
  return Array.fromAsync(submissionsOf(linesOf(inChunks(Buffer.from(texts.join('\n'), encoding), []))))
}

const bytesOf = (...texts: string[]): number => Buffer.byteLength(texts.map((text) => `${text}\n`).join(''))

/** Each frame in short: its lines, and what it is. */
async function brief(...texts: string[]): Promise<string[]> {
  return (await frames(...texts)).map((one) => {
    const what = one.outcome === 'refused' ? one.refusal.code : `${one.items.length} items`
    return `${one.first}-${one.last} ${what}`
  })
}

describe('submissions', () => {
  test('are a line that says how many items follow, and those', async () => {
    expect(await frames(head(2), itemLine(1), itemLine(2), head(1), itemLine(3))).toEqual([
      {
        ...{ outcome: 'submission', first: 1n, last: 3n, bytes: bytesOf(head(2), itemLine(1), itemLine(2)) },
        ...{ jws: jws(2), items: [item(1), item(2)], at: [2n, 3n] },
      },
      {
        ...{ outcome: 'submission', first: 4n, last: 5n, bytes: bytesOf(head(1), itemLine(3)) },
        ...{ jws: jws(1), items: [item(3)], at: [5n] },
      },
    ])
  })
  test('know the line of each item, though empty ones stand between', async () => {
    expect(await frames('', head(2), '', itemLine(1), '', '', itemLine(2), '')).toEqual([
      {
        ...{ outcome: 'submission', first: 2n, last: 7n, bytes: bytesOf(head(2), itemLine(1), itemLine(2)) },
        ...{ jws: jws(2), items: [item(1), item(2)], at: [4n, 7n] },
      },
    ])
  })
  test('of a thousand items are whole', async () => {
    const texts = Array.from({ length: ITEMS_MAX }, (_, i) => itemLine(i))
    expect(await brief(head(ITEMS_MAX), ...texts)).toEqual([`1-${ITEMS_MAX + 1} ${ITEMS_MAX} items`])
  })
  test('cut short by the next, or by the end, are refused by their lines', async () => {
    expect(await brief(head(3), itemLine(1), head(1), itemLine(2), head(2), itemLine(3))).toEqual([
      ...['1-2 validation-failed', '3-4 1 items', '5-6 validation-failed'],
    ])
    expect(await brief(head(3), head(1), itemLine(1), head(2))).toEqual([
      ...['1-1 validation-failed', '2-3 1 items', '4-4 validation-failed'],
    ])
  })
  test('with a line that is none of theirs are refused with all that is left of them', async () => {
    const broken = [head(3), itemLine(1), 'no json', itemLine(2), itemLine(3)]
    expect(await brief(...broken, head(1), itemLine(4))).toEqual(['1-5 invalid-json', '6-7 1 items'])
  })
  test('that begin with items are refused up to the first that says what it is', async () => {
    expect(await brief(itemLine(1), itemLine(2), head(1), itemLine(3), itemLine(4))).toEqual([
      ...['1-2 validation-failed', '3-4 1 items', '5-5 validation-failed'],
    ])
  })
  test('name the first fault of lines that belong to nothing', async () => {
    expect(await brief('no json', itemLine(1), '7', 'no json')).toEqual(['1-4 invalid-json'])
    expect(await brief(itemLine(1), 'no json')).toEqual(['1-2 validation-failed'])
  })
  test('with a line beyond 64 KiB are refused, and reading goes on behind it', async () => {
    const long = JSON.stringify({ salt: 's', item: 'x'.repeat(LINE_MAX) })
    expect(await brief(head(1), long, head(1), itemLine(1))).toEqual(['1-2 item-limit', '3-4 1 items'])
  })
  test('take an item of 16 KiB under a salt, and refuse a larger one before it is held', async () => {
    const of = (item: number, salt: number): string =>
      JSON.stringify({ salt: 's'.repeat(salt), item: 'x'.repeat(item) })
    expect(await brief(head(1), of(ITEM_BYTES_MAX, 64))).toEqual(['1-2 1 items'])
    expect(await brief(head(1), of(ITEM_BYTES_MAX + 1, 22))).toEqual(['1-2 item-limit'])
    expect(await brief(head(1), of(2, 65))).toEqual(['1-2 item-limit'])
  })
  test('with a part as long as any are begun', async () => {
    expect(await brief(head(1, { signature: 'A'.repeat(1_024) }), itemLine(1))).toEqual(['1-2 1 items'])
  })
  test.for([
    ['a number', '7', 'validation-failed'],
    ['null', 'null', 'validation-failed'],
    ['a list', '[]', 'validation-failed'],
    ['an empty object', '{}', 'validation-failed'],
    ['half a line', '{"salt":"c2FsdA"', 'invalid-json'],
    ['an item with a byte that is no UTF-8', '{"salt":"c2FsdA","item":"\xff"}', 'json-strict'],
    ['a JWS with a byte that is no UTF-8', `${head(1)}\xff`, 'json-strict'],
    ['an item with more to it', JSON.stringify({ ...item(1), path: '' }), 'validation-failed'],
    ['an item without salt', '{"item":"{}"}', 'validation-failed'],
    ['an item that is no text', '{"salt":"c2FsdA","item":{}}', 'validation-failed'],
    ['a JWS beside another member', JSON.stringify({ jws: jws(1), items: [] }), 'validation-failed'],
    ['an unprotected header', JSON.stringify({ jws: { ...jws(1), header: {} } }), 'validation-failed'],
    ['a general JWS', JSON.stringify({ jws: { payload: 'cA', signatures: [] } }), 'validation-failed'],
    ['a part that is no text', head(1, { signature: 7 }), 'validation-failed'],
    ['a part beyond any signature', head(1, { signature: 'A'.repeat(1_025) }), 'validation-failed'],
    ['a JWS that is null', '{"jws":null}', 'validation-failed'],
    ['no item', head(0), 'validation-failed'],
    ['1,001 items', head(1_001), 'validation-failed'],
    ['a payload that is none', head(1, { payload: encoded('{"count":1}') }), 'validation-failed'],
    ['a count in another writing', head(1, { payload: encoded('{"v":1,"count":01,"root":""}') }), 'validation-failed'],
  ] as const)('are not begun by %s', async ([, text, code]) => {
    expect(await brief(text, itemLine(1), head(1), itemLine(2))).toEqual([`1-2 ${code}`, '3-4 1 items'])
  })
  test('and refusals together cover every line that is not empty, in order and once', async () => {
    const kind = fc.constantFrom('head', 'item', 'junk', 'empty')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(kind, fc.integer({ min: 1, max: 3 })), { maxLength: 30 }), async (drawn) => {
        const texts = drawn.map(([one, n]) => ({ head: head(n), item: itemLine(n), junk: '!', empty: '' })[one] ?? '')
        let next = 1n
        for (const frame of await frames(...texts)) {
          for (; next < frame.first; next += 1n) expect(texts[Number(next) - 1]).toBe('')
          expect(frame.last).toBeGreaterThanOrEqual(frame.first)
          next = frame.last + 1n
          if (frame.outcome !== 'submission') continue
          expect(texts[Number(frame.first) - 1]).toBe(head(frame.items.length))
          expect(frame.at.map((line) => texts[Number(line) - 1])).toEqual(frame.items.map((one) => JSON.stringify(one)))
        }
        for (; next <= BigInt(texts.length); next += 1n) expect(texts[Number(next) - 1]).toBe('')
      }),
      { numRuns: 300 },
    )
  })
})

describe('a submission in a stream', () => {
  const COUNT = 280
  /** The line of an item that takes so many bytes with its newline. */
  const lineOf = (bytes: number, character = 'x'): string => {
    const frame = bytesOf(JSON.stringify({ salt: 'c2FsdA', item: '' }))
    return JSON.stringify({ salt: 'c2FsdA', item: character.repeat((bytes - frame) / Buffer.byteLength(character)) })
  }
  /** The lines of a submission that take so many bytes. */
  const submissionOf = (bytes: number): string[] => {
    const left = bytes - bytesOf(head(COUNT))
    const each = Math.floor(left / COUNT)
    const items = Array.from({ length: COUNT - 1 }, () => lineOf(each))
    return [head(COUNT), ...items, lineOf(left - each * (COUNT - 1))]
  }

  test('has 4 MiB of lines, as the body of a single one', async () => {
    const most = submissionOf(SUBMISSION_BYTES_MAX)
    expect(bytesOf(...most)).toBe(SUBMISSION_BYTES_MAX)
    expect(await brief(...most, head(1), itemLine(1))).toEqual([`1-281 ${COUNT} items`, '282-283 1 items'])
  })
  test('with one byte more is refused by its lines, and the stream goes on behind it', async () => {
    const more = submissionOf(SUBMISSION_BYTES_MAX + 1)
    expect(await brief(...more, head(1), itemLine(1))).toEqual(['1-281 too-large', '282-283 1 items'])
  })
  test('is measured in bytes, whatever the characters', async () => {
    const items = Array.from({ length: 300 }, () => lineOf(15_001, 'ü'))
    expect(await brief(head(300), ...items, head(1), itemLine(1))).toEqual(['1-301 too-large', '302-303 1 items'])
  })
  test('that is too large and goes on is not kept, nor what still comes of it', async () => {
    const gate = Promise.withResolvers<void>()
    let arrived = 0
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${head(ITEMS_MAX)}\n`)
      for (let i = 0; i < 300; i++) yield Buffer.from(`${lineOf(16_000)}\n`)
      arrived += 1
      await gate.promise
      yield Buffer.from(`${itemLine(1)}\n${head(1)}\n${itemLine(2)}\n`)
    }
    collect()
    const before = process.memoryUsage().heapUsed
    const taking = Array.from({ length: 8 }, () => Array.fromAsync(submissionsOf(linesOf(source()))))
    await expect.poll(() => arrived, { timeout: 10_000 }).toBe(8)
    collect()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(SUBMISSION_BYTES_MAX)
    gate.resolve()
    for (const [refused, next, ...rest] of await Promise.all(taking)) {
      expect(refused).toMatchObject({ outcome: 'refused', first: 1n, last: 302n, refusal: { code: 'too-large' } })
      expect(next).toMatchObject({ outcome: 'submission', first: 303n, items: [item(2)] })
      expect(rest).toEqual([])
    }
  })
})
