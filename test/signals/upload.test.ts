import { Check } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../src/kernel/errors.ts'
import { type SubmissionResult, UploadLine } from '../../src/signals/schema.ts'
import { payloadText } from '../../src/signals/submission.ts'
import { takeUpload, type Upload, type UploadPosition } from '../../src/signals/upload.ts'
import { encoded, idOf } from './factory.ts'

const UPLOAD = idOf(1)
const countersignature = { protected: 'p', signature: 's' }

const head = (count: number): string =>
  JSON.stringify({
    jws: { protected: 'cA', payload: encoded(payloadText(count, new Uint8Array(32))), signature: 'cw' },
  })
const itemLine = (n: number): string => JSON.stringify({ salt: 'c2FsdA', item: String(n) })
const submission = (...items: number[]): string[] => [head(items.length), ...items.map(itemLine)]

/** Odd items are accepted, even ones refused. */
function answer(items: readonly { item: string }[]): SubmissionResult {
  const results = items.map(({ item }, index) =>
    Number(item) % 2 === 1
      ? { index, signal: idOf(Number(item)), revision: 1, status: 201 }
      : { index, status: 422, code: 'tlp-refused' as const, pointer: '/tlp' },
  )
  const accepted = results.filter(({ status }) => status === 201).length
  const refused = results.length - accepted
  if (accepted === 0) return { submission: null, accepted, refused, results }
  return { submission: idOf(50), accepted, refused, countersignature, receipt: '/receipt', results }
}

async function take(
  texts: readonly string[],
  change: Partial<Upload> = {},
): Promise<{ told: UploadLine[]; places: (UploadPosition & { items: number[] })[] }> {
  const places: (UploadPosition & { items: number[] })[] = []
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const text of texts) yield Buffer.from(`${text}\n`)
  }
  const lines = takeUpload({
    ...{ upload_id: UPLOAD, line: 1n, chunks: chunks(), bytes: 1_000_000, lines: 1_000 },
    submit: async ({ items }, position) => {
      places.push({ ...position, items: items.map(({ item }) => Number(item)) })
      return answer(items)
    },
    ...change,
  })
  const told = (await Array.fromAsync(lines)).join('').split('\n').filter(Boolean)
  return { told: told.map((line) => JSON.parse(line) as UploadLine), places }
}

describe('an upload', () => {
  test('tells of each item by its line, and then of the submission with the signature of the node', async () => {
    const { told } = await take([...submission(1, 2), ...submission(3)])
    expect(told).toEqual([
      { line: 2, signal: idOf(1), revision: 1, status: 201 },
      { line: 3, status: 422, code: 'tlp-refused', pointer: '/tlp' },
      {
        line: 3,
        first: 1,
        status: 200,
        submission: idOf(50),
        accepted: 1,
        refused: 1,
        countersignature,
        receipt: '/receipt',
      },
      { line: 5, signal: idOf(3), revision: 1, status: 201 },
      {
        line: 5,
        first: 4,
        status: 200,
        submission: idOf(50),
        accepted: 1,
        refused: 0,
        countersignature,
        receipt: '/receipt',
      },
    ])
    for (const line of told) expect(Check(UploadLine, line)).toBe(true)
  })
  test('names the true line of an item behind empty ones', async () => {
    const { told } = await take(['', head(2), '', itemLine(1), '', itemLine(3)], { line: 100n })
    expect(told.map(({ line, first }) => [line, first])).toEqual([
      [103, undefined],
      [105, undefined],
      [105, 101],
    ])
  })
  test('tells of a submission of which nothing was stored', async () => {
    const { told } = await take(submission(2))
    expect(told.at(-1)).toEqual({ line: 2, first: 1, status: 422, submission: null, accepted: 0, refused: 1 })
  })
  test('gives each submission its place: the line after it', async () => {
    const { places } = await take([...submission(1), 'no json', ...submission(3, 5), ''], { line: 11n })
    expect(places).toEqual([
      { upload_id: UPLOAD, next_line: 13n, stream: { broken: false }, items: [1] },
      { upload_id: UPLOAD, next_line: 17n, stream: { broken: false }, items: [3, 5] },
    ])
    expect(places[0]?.stream).toBe(places[1]?.stream)
  })
  test('names lines that are part of no submission, and goes on', async () => {
    const { told } = await take(['no json', itemLine(1), ...submission(1)])
    expect(told.map(({ line, first, status, code }) => ({ line, first, status, code }))).toEqual([
      { line: 2, first: 1, status: 400, code: 'invalid-json' },
      { line: 4, first: undefined, status: 201, code: undefined },
      { line: 4, first: 3, status: 200, code: undefined },
    ])
  })
  test('names a submission that was refused as a whole, and goes on', async () => {
    const { told } = await take([...submission(1), ...submission(3)], {
      submit: async ({ items }) => {
        if (items[0]?.item === '1') {
          throw new Refusal('signature-invalid', {
            detail: 'a hint',
            errors: [{ pointer: '/jws', code: 'signature-invalid' }],
          })
        }
        return answer(items)
      },
    })
    const [first, ...rest] = told
    expect(first).toEqual({
      ...{ line: 2, first: 1, status: 422, code: 'signature-invalid', detail: 'a hint', pointer: '/jws' },
    })
    expect(rest.map(({ line }) => line)).toEqual([4, 4])
  })
  test('says `internal` of a fault, and nothing else of it', async () => {
    const { told } = await take(submission(1), {
      submit: async () => {
        throw new Error('the secret of the node')
      },
    })
    expect(told).toEqual([{ line: 2, first: 1, status: 500, code: 'internal' }])
  })
  test('ends once it is broken: what follows is not submitted', async () => {
    const seen: string[] = []
    const { told } = await take(Array.from({ length: 40 }, (_, i) => submission(2 * i + 1)).flat(), {
      submit: async ({ items }, { stream }) => {
        const [{ item } = { item: '' }] = items
        seen.push(item)
        if (item === '5') {
          stream.broken = true
          throw new Refusal('busy')
        }
        return answer(items)
      },
    })
    expect(told.filter(({ code }) => code === 'busy')).toEqual([{ line: 6, first: 5, status: 503, code: 'busy' }])
    expect(seen.length).toBeLessThan(10)
  })
  test('tells in order, whichever submission is through first', async () => {
    let slow = 6
    const { told } = await take(Array.from({ length: 6 }, (_, i) => submission(2 * i + 1)).flat(), {
      submit: async ({ items }) => {
        const ms = slow
        slow -= 1
        await new Promise((resolve) => setTimeout(resolve, 4 * ms))
        return answer(items)
      },
    })
    expect(told.map(({ line }) => line)).toEqual([2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12])
  })
  test('does not read ahead of what is committed by more than a few submissions', async () => {
    let submitted = 0
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const taking = take(Array.from({ length: 30 }, (_, i) => submission(2 * i + 1)).flat(), {
      submit: async ({ items }) => {
        submitted += 1
        await gate
        return answer(items)
      },
    })
    await expect.poll(() => submitted).toBe(5)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(submitted).toBe(5)
    release()
    expect((await taking).told).toHaveLength(60)
  })
  test('reads no further while more than 8 MiB wait to be committed', async () => {
    const large = JSON.stringify({ salt: 'c2FsdA', item: 'x'.repeat(16_000) })
    const most = [head(260), ...Array.from({ length: 260 }, () => large)]
    const gate = Promise.withResolvers<void>()
    let submitted = 0
    const taking = take(Array.from({ length: 4 }, () => most).flat(), {
      ...{ bytes: 1e9, lines: 10_000 },
      submit: async () => {
        submitted += 1
        await gate.promise
        return answer([{ item: '1' }])
      },
    })
    await expect.poll(() => submitted).toBe(3)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(submitted).toBe(3)
    gate.resolve()
    expect((await taking).told).toHaveLength(8)
    expect(submitted).toBe(4)
  })
})

describe('the limits of one request', () => {
  test.for([
    ['bytes', { bytes: Buffer.byteLength([...submission(1), ...submission(3)].join('\n')) }],
    ['lines', { lines: 3 }],
  ] as const)('in %s end it with a line that says so, after everything before it was told', async ([, change]) => {
    const { told } = await take([...submission(1), ...submission(3), ...submission(5)], change)
    expect(told.map(({ status, code }) => code ?? status)).toEqual([201, 200, 'too-large'])
    expect(told.at(-1)).toMatchObject({ status: 413 })
  })
  test('count empty lines, wherever they stand in a chunk', async () => {
    // Each chunk ends with one more.
    expect((await take(['\n\n'], { lines: 3 })).told).toEqual([])
    expect((await take(['\n\n\n'], { lines: 3 })).told).toMatchObject([{ code: 'too-large' }])
    expect((await take(['x\n\n\n'], { lines: 3 })).told.at(-1)).toMatchObject({ code: 'too-large' })
  })
  test('are not crossed by what just fits', async () => {
    const texts = [...submission(1), ...submission(3)]
    const bytes = Buffer.byteLength(`${texts.join('\n')}\n`)
    const { told } = await take(texts, { bytes, lines: 4 })
    expect(told.map(({ status }) => status)).toEqual([201, 200, 201, 200])
  })
})

test('a transport that breaks ends the upload with its own fault, after what was told', async () => {
  const told: string[] = []
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`${submission(1).join('\n')}\n`)
    throw new Error('the connection is gone')
  }
  const reading = async () => {
    const lines = takeUpload({
      ...{ upload_id: UPLOAD, line: 1n, chunks: chunks(), bytes: 10_000, lines: 10 },
      submit: async ({ items }) => answer(items),
    })
    for await (const text of lines) told.push(text)
  }
  await expect(reading()).rejects.toThrow('the connection is gone')
  expect(told.join('').split('\n').filter(Boolean)).toHaveLength(2)
})
