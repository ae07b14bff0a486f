import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createKeeper, type Happening, type Keeper } from '../../src/bridge/keeper.ts'
import { readKnown } from '../../src/bridge/known.ts'
import { createMirrors, type Mirrors } from '../../src/bridge/mirror.ts'
import { openLink } from '../../src/bridge/node-link.ts'
import { createRounds } from '../../src/bridge/rounds.ts'
import type { Received } from '../../src/client/client.ts'
import type { Home } from '../../src/client/home.ts'
import { matchFileOf } from '../../src/client/match-mirror.ts'
import { closeServers, json, serve } from '../client/server.ts'
import { aLog, aNode, aRead, aSource, FEED, received } from '../client/source.ts'
import { anItem, NOON, PROGRAMME, textOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { aHome, aKnown } from './home.ts'

const apple = aSource('apple')
const node = aNode()
const item = anItem({}, 'email')

let pki: TestPki
let home: Home
let mirrors: Mirrors
let keeper: Keeper
let close: () => Promise<void>
let now: Date
let events: Received[]
let refused: boolean
/** Called when a round has written what it got, and asks for the last that it needs. */
let whenWritten: () => void
/** Ends that the node was told are removed here. */
let removed: string[]
const told: Happening[] = []

beforeAll(async () => {
  pki = await testPki()
})
beforeEach(async () => {
  const log = aLog(3, 'node.example.org/provenance/1')
  now = NOON
  refused = false
  whenWritten = () => {}
  removed = []
  told.length = 0
  events = await received(node, apple, [textOf(item)])
  const { origin } = await serve(pki, ({ path, body }, response) => {
    const url = new URL(path, 'https://node')
    if (url.pathname.endsWith('/checkpoint')) return response.end(log.checkpoint())
    if (url.pathname.endsWith('/acknowledgements')) {
      removed.push((JSON.parse(body) as { upto: string }).upto)
      return json(response, { feed: FEED, upto: removed.at(-1) })
    }
    if (url.pathname === '/v1/hash-profiles') {
      whenWritten()
      if (refused) return json(response, { title: 'x', status: 403, code: 'participant-suspended' }, 403)
    }
    const rest = events.filter(({ event }) => Number(event.seq) > Number(url.searchParams.get('cursor')))
    const { feeds, audiences, hash_profiles } = aKnown(['split'])
    const answers: Record<string, object> = {
      '/v1/participants': { participants: [apple.info] },
      '/v1/feeds': { feeds },
      [`/v1/feeds/${FEED}/events`]: {
        ...{ events: rest.map(({ event }) => event), submissions: rest.flatMap(({ proof }) => proof ?? []) },
        ...{ next_cursor: events.at(-1)?.event.seq ?? '0', more: false },
      },
      '/v1/audiences': { audiences },
      '/v1/hash-profiles': { hash_profiles },
    }
    const answer = answers[url.pathname] ?? { code: 'not-found', title: 'x', status: 404 }
    return json(response, answer, 200, { 'provenance-read': aRead(1) })
  })
  home = await aHome(origin, pki)
  writeFileSync(join(home.dir, 'log.vkey'), `${log.vkey}\n`)
  writeFileSync(join(home.dir, 'node-receipt-keys.json'), JSON.stringify(node.home.receipt_keys))
  const link = openLink(home)
  mirrors = createMirrors(home.dir, { programme: PROGRAMME, clock: () => NOON })
  keeper = createKeeper({
    ...{ link, mirrors, rounds: createRounds(home.dir), clock: () => now, intervalMs: 3_600_000, acknowledges: true },
    ...{ random: () => 0.5, tell: (one) => told.push(one) },
  })
  close = async () => {
    await keeper.stop()
    link.close()
    await mirrors.close()
  }
  keeper.start()
  await ended('synced', 1)
  expect(await matches()).toBe(1)
})
afterEach(async () => {
  await close()
  await closeServers()
  rmSync(home.dir, { recursive: true })
})

const count = (what: Happening['what']): number => told.filter((one) => one.what === what).length
const ended = (what: Happening['what'], times: number) =>
  expect.poll(() => count(what), { timeout: 20_000 }).toBe(times)
/** Another round, of a minute later; one that is not over yet is not woken. */
async function round(what: Happening['what'], times: number): Promise<void> {
  now = new Date(now.getTime() + 60_000)
  const woken = (): number => {
    if (count(what) < times) keeper.wake()
    return count(what)
  }
  await expect.poll(woken, { timeout: 20_000 }).toBe(times)
}
const matches = () =>
  mirrors.use(async ({ matcher }) => (await matcher.match({ type: 'email', ...item.value })).matches.length)

async function withdrawn(): Promise<void> {
  const end = textOf({ v: 1, signal: item.signal, revision: 2, prev: 'A'.repeat(43), reason: 'mistaken' })
  events = [...events, ...(await received(node, apple, [end], { typ: 'aldis-withdrawal+jws', seq: 2 }))]
}

test('what a round wrote before it failed is matched before the mirror is called fresh and its source is told', async () => {
  await withdrawn()
  refused = true
  await round('sync-failed', 1)
  expect(keeper.syncedAt()).toEqual(NOON)
  expect(removed).toEqual([])
  refused = false
  await round('synced', 2)
  expect(await matches()).toBe(0)
  await expect.poll(() => removed).toEqual(['2'])
})

test('a mirror that could not be opened is not called fresh, and is opened by the next round', async () => {
  await withdrawn()
  const kept = `${matchFileOf(home.dir)}.kept`
  // Damaged between the round that wrote it and its opening.
  whenWritten = () => {
    copyFileSync(matchFileOf(home.dir), kept)
    writeFileSync(matchFileOf(home.dir), readFileSync(kept).subarray(0, 64))
    whenWritten = () => {}
  }
  await round('mirror-unread', 1)
  await ended('sync-failed', 1)
  expect([keeper.syncedAt(), readKnown(home.dir)?.synced_at]).toEqual([NOON, NOON.toISOString()])
  expect(removed).toEqual([])
  renameSync(kept, matchFileOf(home.dir))
  await round('synced', 2)
  expect(await matches()).toBe(0)
  await expect.poll(() => removed).toEqual(['2'])
})
