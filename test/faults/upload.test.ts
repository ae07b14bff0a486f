import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client, Received } from '../../src/client/client.ts'
import type { Home } from '../../src/client/home.ts'
import { syncFeeds } from '../../src/client/mirror.ts'
import { checkReceipt, createVerifier, openVkey } from '../../src/client/verify.ts'
import type { Db } from '../../src/db/connect.ts'
import type { LookupResult } from '../../src/feeds/schema.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { signSubmission } from '../../src/signals/submission.ts'
import { aProcessNode, type ProcessNode } from '../support/process-node.ts'
import { aHistory, type Found, faultsOf, movingIn, readFound } from './history.ts'
import { rounds, seededRandom } from './random.ts'
import { anItem, brokenOf, type Prepared, prepare, send } from './sender.ts'

const ITEMS = 4_500
const ROUNDS = 10
/** So that one round in about two strikes before everything is durable. */
const STEP = Math.ceil((2 * ITEMS) / ROUNDS)
const LONGEST_MS = 40_000

const random = seededRandom('upload.test.ts')
/** Of all tests of this file, in the order in which they happen to run. */
const history = aHistory()
let n: ProcessNode
let source: Home
let reader: Home
let sending: Client
let reading: Client
let audience: Uuid

beforeAll(async () => {
  n = await aProcessNode({ SHUTDOWN_SECONDS: '10' })
  await n.start()
  source = await n.member('apple')
  reader = await n.member('banana')
  sending = source.connect()
  reading = reader.connect()
  audience = (await sending.audiences()).audiences[0]?.audience as Uuid
}, 120_000)

afterAll(async () => {
  sending?.close()
  reading?.close()
  await n?.destroy()
  expect(n?.postmaster()).toBeUndefined()
}, 120_000)

/** Brings the recipient's mirror up to date and moves its head of the log on; each signature and proof is verified. */
async function follow(): Promise<void> {
  const { node_origin, programme } = reader.membership()
  const { participants } = await reading.participants()
  const verifier = createVerifier(participants, { node_origin, programme, receipt_keys: reader.receiptKeys() })
  await syncFeeds({ client: reading, verifier, dir: join(reader.dir, 'feeds') })
  const { size, root } = await reader.advance(reading)
  history.heads.push({ size, root })
}

/** Follows on and on, whatever happens to the node; `stop` fails if anything did not verify. */
function following(): { stop(): Promise<void> } {
  let stopped = false
  const run = async (): Promise<void> => {
    while (!stopped) {
      await follow().catch(brokenOf)
      await delay(100)
    }
  }
  const running = run()
  running.catch(() => {})
  return {
    stop: () => {
      stopped = true
      return running
    },
  }
}

/** What the recipient has on its own disk. */
function mirrored(): Found['feed'] {
  const dir = join(reader.dir, 'feeds')
  const files = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.ndjson')) : []
  return files.flatMap((name) => {
    const lines = readFileSync(join(dir, name), 'utf8').split('\n')
    return lines
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as Received).event)
      .map(({ seq, signal, revision, event }) => ({ seq: BigInt(seq), signal, revision, event }))
  })
}

/** Everything that is there once log, feeds and signatures have caught up and the recipient has read it all. */
async function settled(): Promise<Found> {
  const still = (db: Db) => expect.poll(() => movingIn(db), { timeout: 30_000, message: n.said() }).toEqual([])
  const looking = async <T>(work: (db: Db) => Promise<T>): Promise<T> => {
    const db = await n.look()
    return work(db).finally(() => db.destroy())
  }
  await looking(still)
  await follow()
  // What was just read is entries of the log too.
  return looking(async (db) => {
    await still(db)
    return { ...(await readFound(db, 'apple')), feed: mirrored() }
  })
}

async function expectNoFault(): Promise<Found> {
  const found = await settled()
  expect(faultsOf(history, found), `ALDIS_FAULT_SEED=${random.seed}`).toEqual([])
  expect(found.feed.length).toBe(history.sent.length)
  return found
}

const recovered = (): Promise<void> => expect.poll(() => n.ready(), { timeout: 30_000, interval: 50 }).toBe(true)

/** Sends what is not durable yet, with nothing in its way. */
async function finish(prepared: Prepared): Promise<void> {
  const from = await sending.nextLine(prepared.upload)
  if (from > prepared.lines.length) return
  const broken = await send({ client: sending, prepared, from, history })
  if (broken !== undefined) throw broken
  expect(await sending.nextLine(prepared.upload)).toBe(BigInt(prepared.lines.length + 1))
}

type Victim = 'node' | 'database' | 'backend' | 'both'

/** Each ends what it names with SIGKILL. A backend is one process of the server, which then ends all and recovers. */
const strikes: Record<Victim, () => Promise<void>> = {
  node: async () => {
    await n.end('SIGKILL')
  },
  database: async () => kill(n.postmaster()),
  backend: async () => {
    const [first, ...rest] = n.backends()
    kill(first === undefined ? n.postmaster() : random.pick([first, ...rest]))
  },
  both: async () => {
    kill(n.postmaster())
    await n.end('SIGKILL')
  },
}

function kill(pid: number | undefined): void {
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
}

/** A fault at a random moment of a request: after so many lines have left, or were told to be durable. */
function aFault(victim: Victim): { onLine(n: number): void; onTold(n: number): void; overcome(): Promise<void> } {
  const [sent, told] = random.chance(0.2) ? [random.below(STEP), -1] : [-1, random.below(STEP)]
  const pause = random.below(40)
  let struck: Promise<void> | undefined
  const strike = (): Promise<void> => {
    struck ??= delay(pause).then(() => strikes[victim]())
    return struck
  }
  const at = (moment: number) => (count: number) => {
    if (count === moment) strike().catch(() => {})
  }
  return {
    ...{ onLine: at(sent), onTold: at(told) },
    // If the request was over before it came, it comes now.
    overcome: async () => {
      await strike()
      if (victim === 'node' || victim === 'both') await n.start()
      await recovered()
    },
  }
}

describe('a streamed upload', () => {
  const fresh = (items: number): Promise<Prepared> => prepare({ home: source, audience, random, items, history })

  test('loses no acknowledged line and stores none twice, whenever node or database are killed with -9', {
    timeout: 1_200_000,
  }, async () => {
    const recipient = following()
    const victims: [Victim, ...Victim[]] = ['node', 'both', 'database', 'backend']
    let prepared = await fresh(ITEMS)
    for (const round of rounds(ROUNDS, LONGEST_MS)) {
      const from = await sending.nextLine(prepared.upload)
      const fault = aFault(victims[round] ?? random.pick(victims))
      if (from > prepared.lines.length) prepared = await fresh(ITEMS)
      else await send({ client: sending, prepared, from, history, ...fault })
      await fault.overcome()
    }
    expect(history.acknowledged.length).toBeGreaterThan(0)
    await finish(prepared)
    await recipient.stop()
    const found = await expectNoFault()

    // Negative control: the checker sees what it would have to see.
    const [lost] = history.acknowledged
    const rest = found.revisions.filter(({ signal, revision }) => signal !== lost?.signal || revision !== lost.revision)
    const codes = faultsOf(history, { ...found, revisions: rest }).map(({ code, at }) => `${code} ${at}`)
    expect(codes).toContain(`acknowledged-lost ${lost?.signal} ${lost?.revision}`)

    const key = openVkey(await sending.logKey())
    for (const submission of [history.submissions[0], history.submissions.at(-1)]) {
      expect(checkReceipt((await sending.receipt(submission ?? '')) ?? '', key)).toMatchObject({ passed: true })
    }
  })

  test('that is cut off by SIGTERM is durable as far as it was acknowledged, and node and database end in order', {
    timeout: 120_000,
  }, async () => {
    // Longer than the node waits for requests.
    const prepared = await fresh(1_000)
    const before = history.acknowledged.length
    let ended: Promise<number | null> | undefined
    const onTold = (count: number): void => {
      if (count === 50) ended = n.end('SIGTERM')
    }
    await send({ client: sending, prepared, from: 1n, history, onTold, pace: 150 })
    expect(await ended).toBe(0)
    expect(n.postmaster()).toBeUndefined()
    expect(history.acknowledged.length - before).toBeGreaterThanOrEqual(50)
    await n.start()
    expect(await sending.nextLine(prepared.upload)).toBeLessThanOrEqual(BigInt(prepared.lines.length))
    await finish(prepared)
    await expectNoFault()
  })
})

describe('while the database is gone', () => {
  const CODES = new Set(['busy', 'outcome-unknown', 'read-only', 'log-behind', 'authority-stale'])
  interface Answer {
    code: string
    body: unknown
  }

  /** One try, as a client without retries makes it. */
  const ask = (client: Client, path: string, body: object): Promise<Answer> =>
    client.transport.call({ method: 'POST', path, body: JSON.stringify(body), idempotent: false }).then(
      (answer) => ({ code: 'ok', body: JSON.parse(answer.body.toString()) as unknown }),
      (error: { code: string }) => ({ code: error.code, body: undefined }),
    )

  test('look-ups and submissions are answered truly or with 503 by name, and the node heals by itself', {
    timeout: 120_000,
  }, async () => {
    const { uri: iss, node_origin: aud, programme: prg } = source.membership()
    const sign = async () => {
      const item = anItem(audience)
      const text = JSON.stringify(item)
      const head = { typ: 'aldis-signal+jws' as const, iss, aud, prg, key: source.signingKey(), now: new Date() }
      history.sent.push({ signal: item.signal, revision: item.revision, item: text })
      return { item, signed: await signSubmission({ ...head, items: [text] }) }
    }
    const known = await sign()
    await sending.submit(known.signed)
    const { sha256 } = known.item.value as { sha256: string }
    const lookup = { queries: [{ type: 'url', profile: 'url/1', keys: [sha256] }], purpose: 'investigation' }
    const found = ({ body }: Answer) => (body as LookupResult).matches.map(({ event }) => event.signal)
    await expect.poll(async () => found(await ask(reading, '/v1/lookups', lookup)), { timeout: 10_000 }).not.toEqual([])

    const codes = new Set<string>()
    let over = false
    const lookingUp = (async () => {
      while (!over) {
        const answer = await ask(reading, '/v1/lookups', lookup)
        codes.add(answer.code)
        if (answer.code === 'ok') expect(found(answer)).toEqual([known.item.signal])
        await delay(20)
      }
    })()
    const submitting = (async () => {
      while (!over) {
        const { item, signed } = await sign()
        // The same bytes until they are durable: an unknown outcome stays no secret.
        for (let done = false; !done; await delay(20)) {
          const { code } = await ask(sending, '/v1/submissions', signed)
          codes.add(code)
          done = code === 'ok'
        }
        history.acknowledged.push({ signal: item.signal, revision: item.revision })
      }
    })()
    await delay(300)
    n.freeze()
    await delay(3_000)
    n.thaw()
    await delay(300)
    kill(n.postmaster())
    await expect.poll(() => codes.has('busy'), { timeout: 20_000 }).toBe(true)
    await recovered()
    await delay(300)
    over = true
    await Promise.all([lookingUp, submitting])
    codes.delete('ok')
    expect([...codes].filter((code) => !CODES.has(code))).toEqual([])
    await expectNoFault()
  })

  test('one that an earlier node left behind is adopted, and started again when it dies', {
    timeout: 60_000,
  }, async () => {
    const left = n.postmaster()
    await n.end('SIGKILL')
    await n.start()
    expect(n.postmaster()).toBe(left)
    kill(left)
    await expect.poll(() => n.postmaster(), { timeout: 20_000 }).not.toBe(left)
    await recovered()
    await expectNoFault()
  })
})
