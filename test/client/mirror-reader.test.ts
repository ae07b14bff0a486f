import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mirroredEvents } from '../../src/client/mirror-reader.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-reader-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const headOf = (programme: string) => Buffer.from(JSON.stringify({ prg: programme })).toString('base64url')
const proofOf = (event: string, more: object = {}) => ({
  event,
  jws: { protected: headOf('orchard'), payload: 'p', signature: event },
  ...more,
})
const eventOf = (seq: number, of: string, more: object = {}) => ({
  ...{ seq: String(seq), event: of, type: 'signal.created', item: JSON.stringify({ note: `,"proof":{"${seq}":1}` }) },
  ...more,
})
async function read(lines: readonly string[]) {
  const file = join(folder, 'feed.ndjson')
  const text = lines.map((line) => `${line}\n`).join('')
  writeFileSync(file, text)
  const feed = { feed: 'f', file, seq: String(lines.length), bytes: Buffer.byteLength(text) }
  return Array.fromAsync(mirroredEvents(feed, { after: undefined, programme: 'orchard' }))
}
/** As mirrors of before have it. */
const lineOf = (event: object, proof?: object): string => JSON.stringify({ event, proof })

test('each line is read as it stands, whichever proof the one before it had', async () => {
  const [a, b] = [proofOf('a'), proofOf('b')]
  const events = [eventOf(1, 'a'), eventOf(2, 'a'), eventOf(3, 'b'), eventOf(4, 'a'), eventOf(5, 'a'), eventOf(6, '')]
  const lines = [a, a, b, a, a, undefined].map((proof, i) => lineOf(events[i] ?? {}, proof))
  // What was erased leaves a line in as many bytes.
  lines[4] = `${lines[4]}    `
  expect((await read(lines)).map(({ event }) => event)).toEqual(events)
})

test('a proof in a line of its own counts to the event behind it, also among lines of before', async () => {
  const [a, b] = [proofOf('a'), proofOf('b')]
  const events = [eventOf(1, 'a'), eventOf(2, 'b'), eventOf(3, 'b'), eventOf(4, '')]
  const [first, second, third, fourth] = events.map((event) => lineOf(event))
  const lines = [lineOf(events[0] ?? {}, a), JSON.stringify({ proof: b }), second ?? '', third ?? '', fourth ?? '']
  expect(first).not.toBe(lines[0])
  const found = await read(lines)
  expect(found.map(({ event }) => event)).toEqual(events)
  const bytes = lines.map((line) => Buffer.byteLength(line) + 1)
  expect(found.map((one) => one.bytes)).toEqual([bytes[0], (bytes[1] ?? 0) + (bytes[2] ?? 0), bytes[3], bytes[4]])
})

test('a proof that holds another is read with what it is the proof of', async () => {
  const proof = proofOf('a', { proof: { event: 'b' } })
  const events = [eventOf(1, 'a'), eventOf(2, 'a')]
  const lines = events.map((event) => lineOf(event, proof))
  expect((await read(lines)).map(({ event }) => event)).toEqual(events)
})

test.each<[string, (line: string) => string]>([
  ['cut off before its proof', (line) => line.slice(0, 40)],
  ['cut off in its event', (line) => line.slice(0, 20) + line.slice(line.lastIndexOf(',"proof"'))],
  ['neither an event nor a proof', () => '{"proof":{}}'],
  ['of another sequence', (line) => line.replace('"seq":"2"', '"seq":"3"')],
])('a line that is %s is named as damaged, also where its proof is good', async (_what, spoil) => {
  const lines = [1, 2].map((seq) => lineOf(eventOf(seq, 'a'), proofOf('a')))
  await expect(read([lines[0] ?? '', spoil(lines[1] ?? '')])).rejects.toMatchObject({ reason: 'mirror-damaged' })
})

test('a proof of another programme is refused, the first as well as a later one', async () => {
  const other = { ...proofOf('b'), jws: { protected: headOf('meadow'), payload: 'p', signature: 'b' } }
  const lines = [lineOf(eventOf(1, 'a'), proofOf('a')), lineOf(eventOf(2, 'b'), other)]
  await expect(read(lines)).rejects.toMatchObject({ reason: 'mirror-other-programme' })
  const alone = [lineOf(eventOf(1, 'a'), proofOf('a')), JSON.stringify({ proof: other }), lineOf(eventOf(2, 'b'))]
  await expect(read(alone)).rejects.toMatchObject({ reason: 'mirror-other-programme' })
})
