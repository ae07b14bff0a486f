import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type RoundOutcome, syncRound } from '../../src/bridge/round.ts'
import { createRounds } from '../../src/bridge/rounds.ts'
import type { Received } from '../../src/client/client.ts'
import type { Home } from '../../src/client/home.ts'
import { matchFileOf } from '../../src/client/match-mirror.ts'
import { closeServers, json, serve, type TestServer } from '../client/server.ts'
import { aLog, aNode, aRead, aSource, FEED, received, type TestLog } from '../client/source.ts'
import { AUDIENCE, anItem, NOON, textOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { aHome, aKnown } from './home.ts'

const NAME = 'node.example.org/provenance/1'
const apple = aSource('apple')
const node = aNode()

let pki: TestPki
let home: Home
let server: TestServer
let events: Received[]
let log: TestLog
/** What the node shows in the place of `log`. */
let shown: TestLog
let refuses: { status: number; code: string } | undefined

beforeAll(async () => {
  pki = await testPki()
})
beforeEach(async () => {
  log = aLog(3, NAME)
  shown = log
  refuses = undefined
  events = await received(node, apple, [textOf(anItem())])
  server = await serve(pki, ({ path }, response) => {
    if (refuses !== undefined) return json(response, { title: 'x', ...refuses }, refuses.status)
    const url = new URL(path, 'https://node')
    if (url.pathname.endsWith('/checkpoint')) return response.end(shown.checkpoint())
    const rest = events.filter(({ event }) => Number(event.seq) > Number(url.searchParams.get('cursor')))
    const proofs = rest.flatMap(({ proof }) => proof ?? [])
    const { feeds, audiences, hash_profiles } = aKnown(['split'])
    const answers: Record<string, object> = {
      '/v1/participants': { participants: [apple.info] },
      '/v1/feeds': { feeds },
      [`/v1/feeds/${FEED}/events`]: {
        ...{ events: rest.map(({ event }) => event), submissions: proofs },
        ...{ next_cursor: events.at(-1)?.event.seq ?? '0', more: false },
      },
      '/v1/audiences': { audiences },
      '/v1/hash-profiles': { hash_profiles },
    }
    const found = answers[url.pathname]
    return found === undefined
      ? json(response, { code: 'not-found', title: 'x', status: 404 }, 404)
      : json(response, found, 200, { 'provenance-read': aRead(1) })
  })
  home = await aHome(server.origin, pki)
  writeFileSync(join(home.dir, 'log.vkey'), `${log.vkey}\n`)
  writeFileSync(join(home.dir, 'node-receipt-keys.json'), JSON.stringify(node.home.receipt_keys))
})
afterEach(async () => {
  await closeServers()
  rmSync(home.dir, { recursive: true })
})

const round = (): Promise<RoundOutcome> =>
  syncRound({ home: home.dir, now: NOON.getTime(), events: new Int32Array(new SharedArrayBuffer(4)) })

test('a round verifies, mirrors and merges, and says when it began', async () => {
  const first = await round()
  expect(first).toMatchObject({
    ...{ outcome: 'synced', events: 1, signals: 1, changed: { full: true } },
    known: { synced_at: NOON.toISOString(), audiences: [{ audience: AUDIENCE }, {}, {}] },
  })
  expect(await round()).toMatchObject({ outcome: 'synced', events: 0, changed: { full: false, sealed: false } })
})

describe('a round fails, and leaves the mirror where it was, where', () => {
  test('the node refuses us: with its code', async () => {
    refuses = { status: 403, code: 'participant-suspended' }
    expect(await round()).toEqual({ outcome: 'failed', why: 'refused', code: 'participant-suspended' })
  })

  test('a signal was signed by another than is said', async () => {
    await round()
    const forged = await received(node, { ...aSource('apple'), info: apple.info }, [textOf(anItem())], { seq: 2 })
    events = [...events, ...forged]
    expect(await round()).toMatchObject({ outcome: 'failed', why: 'unverified' })
    events = events.slice(0, 1)
    expect(await round()).toMatchObject({ outcome: 'synced', events: 0, signals: 1 })
  })

  test('the log contradicts the one that was known: the evidence is kept', async () => {
    await round()
    shown = { ...log, checkpoint: () => aForgedHead() }
    expect(await round()).toMatchObject({ outcome: 'failed', why: 'contradicted' })
    expect(readdirSync(join(home.dir, 'evidence'))).not.toEqual([])
  })

  test('the folder has no membership', async () => {
    rmSync(join(home.dir, 'membership.json'))
    expect(await round()).toMatchObject({ outcome: 'failed', why: 'fault' })
    expect(existsSync(matchFileOf(home.dir))).toBe(false)
  })
})

/** Of the same size and under the same key, over other leaves. */
function aForgedHead(): string {
  const leaves = log.leaves.splice(0)
  log.leaves.push(...leaves.map((leaf) => leaf.map((byte) => byte ^ 1)))
  return log.checkpoint()
}

test('rounds in a thread have the same outcome, and one that is closed ends', async () => {
  const rounds = createRounds(home.dir)
  expect(await rounds.run(NOON)).toMatchObject({ outcome: 'synced', events: 1 })
  expect(rounds.events()).toBe(1)
  await rounds.close()
  expect(await rounds.run(NOON)).toEqual({ outcome: 'failed', why: 'fault', code: 'thread-ended' })
})
