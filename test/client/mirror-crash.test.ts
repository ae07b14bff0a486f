import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createClient, type Received } from '../../src/client/client.ts'
import { updateMatchFile } from '../../src/client/match-mirror.ts'
import { type SyncOptions, syncFeeds } from '../../src/client/mirror.ts'
import type { MirrorLine } from '../../src/client/mirror-lines.ts'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { createVerifier } from '../../src/client/verify.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { anItem, idOf, NOON, PROGRAMME, textOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { aFeed, asked, serveFeeds } from './feed-node.ts'
import { closeServers, identityOf, type TestServer } from './server.ts'
import { aNode, aSource, FEED, received } from './source.ts'

const SOURCES = join(import.meta.dirname, '../../src/client')
const OTHER = idOf(901)

const apple = aSource('apple')
const node = aNode()
const verifier = createVerifier([apple.info], node.home)

let pki: TestPki
let aspen: TlsIdentity
let home: string

beforeAll(async () => {
  pki = await testPki()
  aspen = identityOf(await pki.participant('aspen'))
})
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aldis-crash-'))
})
afterEach(async () => {
  await closeServers()
  rmSync(home, { recursive: true })
})

/** Events in sequence from 1 on, two and two under one signature. */
async function events(n: number, { feed = FEED, change = (_: number): object => ({}) } = {}): Promise<Received[]> {
  const made: Received[] = []
  for (let i = 0; i < n; i += 2) {
    const items = [i, i + 1].filter((at) => at < n).map((at) => textOf({ ...anItem(), ...change(at) }))
    made.push(...(await received(node, apple, items, { seq: i + 1, feed })))
  }
  return made
}

const file = (ending: string, { of = home, feed = FEED as Uuid } = {}): string => join(of, 'feeds', `${feed}.${ending}`)
const placeOf = (of = home) => JSON.parse(readFileSync(file('json', { of }), 'utf8')) as { seq: string; bytes: number }

/** A synchronisation as a bridge does it: mirror, then match file. */
async function synced(server: TestServer, options: Partial<SyncOptions> & { of?: string } = {}) {
  const { of = home, ...rest } = options
  const client = createClient({ origin: server.origin, ...aspen })
  const matches = updateMatchFile({ home: of, programme: PROGRAMME, now: NOON })
  try {
    const dir = join(of, 'feeds')
    const n = await syncFeeds({ client, verifier, dir, onMirrored: matches.take, ...rest })
    return { n, signals: (await matches.finish()).signals }
  } finally {
    client.close()
  }
}

/** A synchronisation for a process of its own, that rests so many milliseconds at each page. */
const programOf = (server: TestServer, { rest = 0, threads = false } = {}): string => `
  import { createClient } from ${JSON.stringify(join(SOURCES, 'client.ts'))}
  import { syncFeeds } from ${JSON.stringify(join(SOURCES, 'mirror.ts'))}
  import { createSegmentThreads } from ${JSON.stringify(join(SOURCES, 'segment-threads.ts'))}
  import { createVerifier } from ${JSON.stringify(join(SOURCES, 'verify.ts'))}
  const client = createClient(${JSON.stringify({ origin: server.origin, ...aspen })})
  const verifier = createVerifier(${JSON.stringify([apple.info])}, ${JSON.stringify(node.home)})
  const onEvents = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${rest})
  const threads = ${threads} ? { threads: createSegmentThreads(verifier.by, { least: 1 }) } : {}
  await syncFeeds({ client, verifier, ...threads, dir: ${JSON.stringify(join(home, 'feeds'))}, onEvents })
`

/** What a mirror holds, each event verified anew with the proof that stands before it. */
function heldBy(of = home, feed: Uuid = FEED): Received['event'][] {
  let last: Received['proof']
  return readFileSync(file('ndjson', { of, feed }), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const { event, proof } = JSON.parse(line) as MirrorLine
      last = proof ?? last
      return event === undefined ? [] : [verifier.event({ event, proof: last }).event]
    })
}
const saidIn = (all: readonly Received[]) => all.map(({ event }) => event)

test.for<[string, boolean]>([
  ['', false],
  [' while threads verify', true],
])(
  'a synchronisation that is killed%s behind what it noted goes on there: nothing is lost, nothing there twice',
  { timeout: 40_000 },
  async ([, threads]) => {
    const sealed = Array.from({ length: 300 }, (_, i): [number, number] => [2 * i + 1, 2 * i + 2])
    const feed = aFeed({ events: await events(600), page: 2, ...(threads ? { sealed } : {}) })
    const server = await serveFeeds(pki, [feed])
    // A thread takes the options of its process, and cannot begin with those of a program that is no file.
    const program = join(home, 'program.mts')
    writeFileSync(program, programOf(server, { rest: 20, threads }))
    const child = spawn(process.execPath, [program], { stdio: 'inherit' })
    const ended = once(child, 'exit')
    await vi.waitFor(() => expect(statSync(file('ndjson')).size).toBeGreaterThan(placeOf().bytes), {
      ...{ timeout: 20_000, interval: 5 },
    })
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
    const noted = placeOf()
    expect(statSync(file('ndjson')).size).toBeGreaterThan(noted.bytes)
    const before = server.requests.length
    expect(await synced(server)).toEqual({ n: 600 - Number(noted.seq), signals: 600 })
    expect(asked(server.requests.slice(before))[0]).toBe(
      threads ? `segments ${Number(noted.seq) + 1}` : `events ${noted.seq}`,
    )
    expect(heldBy()).toEqual(saidIn(feed.events))
  },
)

test('a mirror that was lost and is killed while it is filled anew is whole after the next time', async () => {
  const feed = aFeed({ events: await events(21) })
  const server = await serveFeeds(pki, [feed])
  await synced(server)
  rmSync(file('ndjson'))
  // Of other pages: the same events in other bytes.
  feed.page = 3
  const images: string[] = []
  const onEvents = (): void => {
    const image = join(home, `image-${images.length}`)
    cpSync(join(home, 'feeds'), join(image, 'feeds'), { recursive: true })
    images.push(image)
  }
  await synced(server, { onEvents })
  expect(images).toHaveLength(7)
  for (const of of [home, ...images]) {
    expect((await synced(server, { of })).signals).toBe(21)
    expect(heldBy(of)).toEqual(saidIn(feed.events))
  }
})

describe('what is wrong with one part of a home stops no other:', () => {
  test('a feed whose file was lost is filled anew, though a feed before it is asked first', async () => {
    const feeds = [aFeed({ events: await events(2) }), aFeed({ feed: OTHER, events: await events(4, { feed: OTHER }) })]
    const server = await serveFeeds(pki, feeds)
    expect(await synced(server)).toEqual({ n: 6, signals: 6 })
    rmSync(file('ndjson', { feed: OTHER }))
    expect(await synced(server)).toEqual({ n: 4, signals: 6 })
    expect(heldBy(home, OTHER)).toEqual(saidIn(feeds[1]?.events ?? []))
  })

  test('a mirror of more words than a match file holds is whole all the same', async () => {
    const all = await events(300, { change: (i) => ({ severity: `plum-${i}` }) })
    const server = await serveFeeds(pki, [aFeed({ events: all, page: 100 })])
    await expect(synced(server)).rejects.toMatchObject({ reason: 'too-many-words' })
    expect(heldBy()).toEqual(saidIn(all))
  })
})

test('an erasure for which the disk has no room says so, and comes again', async () => {
  const feed = aFeed({ events: await events(20) })
  const server = await serveFeeds(pki, [feed])
  await synced(server)
  const { signal, revision } = feed.events[0]?.event ?? {}
  if (signal === undefined || revision === undefined) throw new Error('an event')
  const said = { seq: '21', type: 'signal.erased', at: NOON.toISOString(), feed: FEED, source: 'apple' }
  feed.events.push({ event: { ...said, signal, revision, event: idOf(7), reason: 'erased' }, proof: undefined })
  // No file of the child may grow beyond 4 or 8 KiB, and the mirror has more.
  const limited = 'ulimit -f 8 && exec "$0" --input-type=module-typescript --eval "$1"'
  const run = promisify(execFile)('/bin/sh', ['-c', limited, process.execPath, programOf(server)])
  await expect(run).rejects.toThrow('EFBIG')
  expect(readdirSync(join(home, 'feeds')).filter((name) => name.includes('.new'))).toEqual([])
  expect(await synced(server)).toEqual({ n: 1, signals: 19 })
  expect(readFileSync(file('ndjson'), 'utf8').match(/"item"/g)).toHaveLength(19)
})
