import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient, type Received } from '../../src/client/client.ts'
import { matchFileOf, updateMatchFile } from '../../src/client/match-mirror.ts'
import { openMatchFile } from '../../src/client/match-reader.ts'
import { type SyncOptions, syncFeeds } from '../../src/client/mirror.ts'
import { createSegmentThreads, type SegmentThreadsOptions } from '../../src/client/segment-threads.ts'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { createVerifier } from '../../src/client/verify.ts'
import { toHex } from '../../src/kernel/bytes.ts'
import { newId } from '../../src/kernel/ids.ts'
import { anItem, idOf, NOON, PROGRAMME, textOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { aFeed, asked, serveFeeds, type TestFeed } from './feed-node.ts'
import { closeServers, identityOf, type TestServer } from './server.ts'
import { aNode, aSource, FEED, received } from './source.ts'

const SOURCES = join(import.meta.dirname, '../../src/client')

const apple = aSource('apple')
const banana = aSource('banana')
const node = aNode()
const verifier = createVerifier([apple.info, banana.info], node.home)

let pki: TestPki
let aspen: TlsIdentity
let dir: string

beforeAll(async () => {
  pki = await testPki()
  aspen = identityOf(await pki.participant('aspen'))
})
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-threads-'))
})
afterEach(async () => {
  await closeServers()
  rmSync(dir, { recursive: true })
})

/** Events of two sources, two and two under one signature. */
async function events(n: number): Promise<Received[]> {
  const made: Received[] = []
  for (let i = 0; i < n; i += 2) {
    const items = Array.from({ length: Math.min(2, n - i) }, () =>
      textOf(i % 8 === 4 ? anItem({}, 'keyword_pattern') : anItem({}, i % 8 === 0 ? 'email' : 'url')),
    )
    made.push(...(await received(node, i % 6 === 0 ? banana : apple, items, { seq: i + 1 })))
  }
  return made
}

/** The node's own word on the signal of an event. */
function said(seq: number, type: string, of: Received | undefined): Received {
  const { source = 'apple', signal = newId(NOON), revision = 1 } = of?.event ?? {}
  const about = { seq: String(seq), type, at: NOON.toISOString(), feed: FEED, source, signal, revision }
  return { event: { ...about, event: newId(NOON), reason: 'expired' }, proof: undefined }
}

/** Segments of so many events each. */
function cut(sizes: readonly number[]): TestFeed['sealed'] {
  let last = 0
  return sizes.map((size) => {
    last += size
    return [last - size + 1, last]
  })
}

interface Kept {
  n: number
  failed: unknown
  lines: string
  place: unknown
  /** Records and words of the match file. */
  match: unknown
}

/** Mirror and match file as they are after a synchronisation into this folder. */
async function synced(
  server: TestServer,
  name: string,
  { threads, ...options }: Partial<Omit<SyncOptions, 'threads'>> & { threads?: SegmentThreadsOptions } = {},
): Promise<Kept> {
  const home = join(dir, name)
  mkdirSync(home, { recursive: true })
  const client = createClient({ origin: server.origin, ...aspen })
  const work = threads === undefined ? undefined : createSegmentThreads(verifier.by, { least: 1, ...threads })
  const matches = updateMatchFile({ home, programme: PROGRAMME, now: NOON })
  const kept = { n: 0, failed: undefined as unknown }
  try {
    const by = work === undefined ? {} : { threads: work }
    const rest = { client, verifier, dir: join(home, 'feeds'), onMirrored: matches.take }
    kept.n = await syncFeeds({ ...rest, ...by, ...options })
  } catch (error) {
    const { name: called, message, code, step } = error as Error & { code?: string; step?: string }
    kept.failed = { called, message, code, step }
  } finally {
    client.close()
    await work?.close()
  }
  await matches.finish()
  const read = (ending: string): string => readFileSync(join(home, 'feeds', `${FEED}.${ending}`), 'utf8')
  const place = kept.failed === undefined || read('ndjson') !== '' ? JSON.parse(read('json')) : undefined
  return { ...kept, lines: read('ndjson'), place, match: matchOf(home) }
}

function matchOf(home: string): unknown {
  const reader = openMatchFile(matchFileOf(home))
  try {
    const { words, counts, feeds } = reader.header
    return { words, counts, feeds, records: toHex(reader.allRecords()), patterns: reader.patterns() }
  } finally {
    reader.close()
  }
}

/** A thread's program that does `before` with each segment, and then what the real one does. */
function program(name: string, before: string, atFirst = ''): URL {
  const path = join(dir, `${name}.mts`)
  writeFileSync(
    path,
    `import { parentPort, workerData } from 'node:worker_threads'
     import { existsSync, writeFileSync } from 'node:fs'
     import { workOn } from ${JSON.stringify(join(SOURCES, 'segment-work.ts'))}
     import { createVerifier } from ${JSON.stringify(join(SOURCES, 'verify.ts'))}
     ${atFirst}
     const verifier = createVerifier(workerData.sources, workerData.home)
     const rest = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
     parentPort.on('message', (segment) => { ${before}; parentPort.postMessage(workOn(segment, verifier)) })`,
  )
  return pathToFileURL(path)
}

describe('segments that threads verify', () => {
  test('leave the same mirror and match file as those that are verified without, however they are cut', async () => {
    const all = await events(24)
    all.push(said(25, 'signal.expired', all[3]), said(26, 'signal.held', all[5]), said(27, 'signal.erased', all[8]))
    all.push(said(28, 'signal.expired', undefined))
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 })
    let run = 0
    const property = fc.asyncProperty(sizes, async (lengths) => {
      const sealed = cut(lengths).filter(([, last]) => last <= all.length)
      const server = await serveFeeds(pki, [aFeed({ events: all, sealed, page: 5 })])
      run += 1
      const here = await synced(server, `here-${run}`)
      expect(await synced(server, `threads-${run}`, { threads: {} })).toEqual(here)
      expect(here).toMatchObject({ n: 28, failed: undefined })
    })
    await fc.assert(property, { numRuns: 5 })
  }, 60_000)

  test('are written in their order, though a later one is verified first', async () => {
    const server = await serveFeeds(pki, [aFeed({ events: await events(12), sealed: cut([2, 2, 2, 2, 2, 2]) })])
    const slow = program('slow', 'if (segment.after % 4n === 0n) rest(200)')
    const kept = await synced(server, 'slow', { threads: { program: slow } })
    expect(kept).toEqual(await synced(server, 'here'))
  })

  test('are told event by event as without threads', async () => {
    const feed = aFeed({ events: [...(await events(4)), said(5, 'signal.expired', undefined)], sealed: cut([3, 2]) })
    const server = await serveFeeds(pki, [feed])
    const told: Record<string, unknown[]> = { here: [], threads: [] }
    await synced(server, 'here', { onEvents: (_, some) => told['here']?.push(...some) })
    await synced(server, 'threads', { threads: {}, onEvents: (_, some) => told['threads']?.push(...some) })
    expect(told['threads']).toEqual(told['here'])
    expect(told['here']).toHaveLength(5)
  })

  test('are asked for no further ahead than memory is meant for', async () => {
    const server = await serveFeeds(pki, [aFeed({ events: await events(20), sealed: cut(Array(10).fill(2)) })])
    const ahead: number[] = []
    const onProgress = ({ seq }: { seq: bigint }): void => {
      ahead.push(asked(server.requests).length - Number(seq) / 2)
    }
    await synced(server, 'ahead', { threads: { threads: 2 }, onProgress })
    expect(Math.max(...ahead)).toBeLessThanOrEqual(3)
  })
})

describe('what does not hold is named as without threads, and nothing of its segment is kept:', () => {
  const place = { one: 2, many: 6 }
  const forged = (of: Received[], at: number, change: object): void => {
    const one = of[at]
    if (one !== undefined) one.event = { ...one.event, ...change }
  }

  async function alike(all: Received[], expected: object): Promise<void> {
    const server = await serveFeeds(pki, [aFeed({ events: all, sealed: cut([place.one, place.many, 2]) })])
    const here = await synced(server, `here-${newId(NOON)}`)
    const threads = await synced(server, `threads-${newId(NOON)}`, { threads: { threads: 1 } })
    expect(threads).toEqual(here)
    expect(here).toMatchObject({ failed: expected, place: { seq: '2' } })
  }

  test.for([2, 3, 4, 5, 6, 7])('an item that its source did not sign, at place %i', async (at) => {
    const all = await events(10)
    forged(all, at, { item: `${all[at]?.event.item} ` })
    await alike(all, { step: 'source', called: 'VerificationFailed' })
  })

  test.for<[string, object, string]>([
    ['an event that says another signal than was signed', { signal: idOf(77) }, 'event'],
    ['an event of another feed', { feed: idOf(78) }, 'feed'],
    ['an event that is not the next', { seq: '9' }, 'feed'],
    ['an event of a source that is not listed', { source: 'cherry' }, 'source'],
    ['a path that leads elsewhere', { path: 'A'.repeat(43) }, 'source'],
  ])('%s', async ([, change, step]) => {
    const all = await events(10)
    forged(all, 4, change)
    await alike(all, { step })
  })

  test('a signature by another key', async () => {
    const all = await events(10)
    const proof = all[4]?.proof
    const signature = 'A'.repeat(86)
    if (proof !== undefined) Object.assign(proof, { jws: { ...proof.jws, signature } })
    await alike(all, { step: 'source' })
  })

  test('a line that is an event no more', async () => {
    const all = await events(10)
    forged(all, 4, { jws: undefined, salt: 7 })
    await alike(all, { called: 'TypeError' })
  })
})

describe('a thread that ends', () => {
  const ENDED = { called: 'VerifierEnded', code: 'verifier-ended' }

  test.for<[string, string]>([
    ['throws', "throw new Error('plum')"],
    ['leaves', 'process.exit(3)'],
  ])(
    'and %s fails the synchronisation by name; what was written stays, and the next goes on there',
    async ([name, source]) => {
      const feed = aFeed({ events: await events(10), sealed: cut([2, 2, 2, 2, 2]) })
      const server = await serveFeeds(pki, [feed])
      const bad = program(name, `if (segment.after === 4n) { ${source} }`)
      const kept = await synced(server, 'home', { threads: { program: bad } })
      expect(kept).toMatchObject({ failed: ENDED, place: { seq: '4' } })
      expect(await synced(server, 'home', { threads: {} })).toMatchObject({ n: 6, failed: undefined })
      expect((await synced(server, 'home')).lines).toBe((await synced(server, 'here')).lines)
    },
  )

  test('before its first segment leaves the mirror empty', async () => {
    const server = await serveFeeds(pki, [aFeed({ events: await events(4), sealed: cut([2, 2]) })])
    const bad = program('none', '', "throw new Error('plum')")
    expect(await synced(server, 'home', { threads: { program: bad } })).toMatchObject({ failed: ENDED, lines: '' })
  })
})

test('fewer events than are worth a thread begin none, nor do pages', async () => {
  const bad = program('none', '', "throw new Error('plum')")
  const all = await events(9)
  const sealed = await serveFeeds(pki, [aFeed({ events: all, sealed: cut([4, 4]) })])
  expect(await synced(sealed, 'few', { threads: { least: 9, program: bad } })).toMatchObject({
    n: 9,
    failed: undefined,
  })
  expect(await synced(sealed, 'many', { threads: { least: 8, program: bad } })).toMatchObject({ n: 0 })
  const paged = await serveFeeds(pki, [aFeed({ events: all, page: 3 })])
  expect(await synced(paged, 'pages', { threads: { program: bad } })).toMatchObject({ n: 9, failed: undefined })
})
