import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HITS_MOST, pdqThread } from '../../src/client/pdq-thread.ts'
import { PDQ_BYTES } from '../../src/matching/pdq.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-pdq-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

/** A thread's program, instead of the real one. */
function program(name: string, source: string): URL {
  const path = join(dir, `${name}.mjs`)
  writeFileSync(path, `import { parentPort } from 'node:worker_threads'\n${source}`)
  return pathToFileURL(path)
}

test('answers every question of one turn, each its own', async () => {
  const hashes = Array.from({ length: 300 }, () => randomBytes(PDQ_BYTES))
  const thread = pdqThread(Buffer.concat(hashes))
  const found = await Promise.all(hashes.map((hash) => thread.search(hash)))
  await thread.close()
  expect(found).toEqual(hashes.map((_, entry) => ({ hits: [{ entry, distance: 0 }], more: false })))
})

test('tells the nearest of more than are told, and that there are more', async () => {
  const [near, far] = [new Uint8Array(PDQ_BYTES), new Uint8Array(PDQ_BYTES).fill(3, 0, 1)]
  const hashes = new Uint8Array((HITS_MOST + 2) * PDQ_BYTES)
  hashes.set(far, 0)
  const thread = pdqThread(hashes)
  const { hits, more } = await thread.search(near)
  await thread.close()
  expect([hits.length, more, hits.at(-1)?.distance]).toEqual([HITS_MOST, true, 0])
})

test.for([
  ['throws', "parentPort.on('message', () => { throw new Error('plum') })"],
  ['ends', "parentPort.on('message', () => process.exit(3))"],
  ['cannot begin', "throw new Error('plum')"],
] as const)('a thread that %s takes its questions with it, and nobody else', async ([name, source]) => {
  const thread = pdqThread(new Uint8Array(PDQ_BYTES), program(name.replaceAll(' ', '-'), source))
  const asked = [thread.search(randomBytes(PDQ_BYTES)), thread.search(randomBytes(PDQ_BYTES))]
  const ends = await Promise.allSettled(asked)
  expect(ends.map((end) => (end.status === 'rejected' ? (end.reason as Error).name : ''))).toEqual([
    'MatcherFailed',
    'MatcherFailed',
  ])
  await expect(thread.search(randomBytes(PDQ_BYTES))).rejects.toMatchObject({ name: 'MatcherFailed' })
  await thread.close()
})

test('the question after a failure begins another thread', async () => {
  const once = `
    import { existsSync, writeFileSync } from 'node:fs'
    const flag = ${JSON.stringify(join(dir, 'flag'))}
    parentPort.on('message', ({ id }) => {
      if (existsSync(flag)) return parentPort.postMessage({ id, words: Uint32Array.of(1, 7, 3) })
      writeFileSync(flag, '')
      process.exit(1)
    })`
  const thread = pdqThread(new Uint8Array(PDQ_BYTES), program('once', once))
  await expect(thread.search(randomBytes(PDQ_BYTES))).rejects.toMatchObject({ name: 'MatcherFailed' })
  expect(await thread.search(randomBytes(PDQ_BYTES))).toEqual({ hits: [{ entry: 7, distance: 3 }], more: false })
  await thread.close()
})

test('closing refuses what is still asked', async () => {
  const thread = pdqThread(new Uint8Array(PDQ_BYTES), program('silent', "parentPort.on('message', () => {})"))
  const asked = thread.search(randomBytes(PDQ_BYTES))
  const refused = expect(asked).rejects.toMatchObject({ name: 'MatcherFailed' })
  await Promise.resolve()
  await thread.close()
  await refused
})

test('a question of another length is refused', async () => {
  await expect(pdqThread(new Uint8Array(0)).search(new Uint8Array(31))).rejects.toThrow(RangeError)
})
