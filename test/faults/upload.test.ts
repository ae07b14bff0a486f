import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client, Received } from '../../src/client/client.ts'
import type { Home } from '../../src/client/home.ts'
import { syncFeeds } from '../../src/client/mirror.ts'
import { createVerifier } from '../../src/client/verify.ts'
import type { Db } from '../../src/db/connect.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { aProcessNode, type ProcessNode } from '../support/process-node.ts'
import { aHistory, type Found, faultsOf, movingIn, readFound } from './history.ts'
import { roundsOf, seededRandom } from './random.ts'
import { brokenOf, type Prepared, prepare, send } from './sender.ts'

const ITEMS = 4_500
const ROUNDS = 10
/** No further round begins after this, unless the number of rounds was given. */
const LONGEST_MS = 50_000

const random = seededRandom('upload.test.ts')
const history = aHistory()
let n: ProcessNode
let source: Home
let reader: Home
let sending: Client
let reading: Client
let audience: Uuid

beforeAll(async () => {
  n = await aProcessNode({ SHUTDOWN_SECONDS: '8' })
  await n.start()
  source = await n.member('apple')
  reader = await n.member('banana')
  sending = source.connect()
  reading = reader.connect()
  const { audiences } = await sending.audiences()
  audience = audiences[0]?.audience as Uuid
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

/** What the recipient has on its own disk. */
function mirrored(): Found['feed'] {
  const dir = join(reader.dir, 'feeds')
  const files = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.ndjson')) : []
  return files.flatMap((name) =>
    readFileSync(join(dir, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as Received).event)
      .map(({ seq, signal, revision, event }) => ({ seq: BigInt(seq), signal, revision, event })),
  )
}

async function looking<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const db = await n.look()
  return work(db).finally(() => db.destroy())
}

async function still(db: Db): Promise<void> {
  await expect.poll(() => movingIn(db), { timeout: 30_000, message: n.said() }).toEqual([])
}

/** Everything that is there once log, feeds and signatures have caught up and the recipient has read it all. */
async function settled(): Promise<Found> {
  await looking(still)
  await follow()
  // What was just read is one more entry.
  return looking(async (db) => {
    await still(db)
    return { ...(await readFound(db, source.membership().participant)), feed: mirrored() }
  })
}

const recovered = (): Promise<void> => expect.poll(() => n.ready(), { timeout: 30_000, interval: 50 }).toBe(true)

/** Sends what is not durable yet, in as many requests as it takes; nothing is done to the node. */
async function finish(prepared: Prepared): Promise<void> {
  for (let from = await sending.nextLine(prepared.upload); from <= prepared.lines.length; ) {
    const broken = await send({ client: sending, prepared, from, history })
    if (broken !== undefined) throw broken
    from = await sending.nextLine(prepared.upload)
  }
}

/** Reads on and on, as a recipient does, whatever happens to the node; stops when told, fails on what does not verify. */
function reads(): { stop(): Promise<void> } {
  let stopped = false
  const loop = async (): Promise<void> => {
    while (!stopped) {
      await follow().catch(brokenOf)
      await delay(100)
    }
  }
  const running = loop()
  running.catch(() => {})
  return {
    stop: () => {
      stopped = true
      return running
    },
  }
}

type Victim = 'node' | 'database' | 'both'

describe('a streamed upload', () => {
  const strikes: Record<Victim, () => Promise<void>> = {
    node: async () => {
      await n.end('SIGKILL')
    },
    database: async () => {
      const pid = n.postmaster()
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      await expect.poll(() => n.postmaster() !== undefined && n.postmaster() !== pid, { timeout: 30_000 }).toBe(true)
    },
    both: async () => {
      const pid = n.postmaster()
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      await n.end('SIGKILL')
    },
  }

  test('loses no acknowledged line and stores none twice, whenever node or database are killed with -9', {
    timeout: 600_000,
  }, async () => {
    const reader = reads()
    const begun = performance.now()
    const rounds = roundsOf(ROUNDS)
    const given = process.env['ALDIS_FAULT_ROUNDS'] !== undefined
    let prepared = await prepare({ home: source, audience, random, items: ITEMS, history })
    const step = Math.ceil((2 * prepared.lines.length) / rounds)
    for (let round = 0; round < rounds && (given || performance.now() - begun < LONGEST_MS); round++) {
      const from = await sending.nextLine(prepared.upload)
      if (from > prepared.lines.length) {
        prepared = await prepare({ home: source, audience, random, items: ITEMS, history })
        continue
      }
      const victim = random.pick<Victim>(['node', 'node', 'database', 'both'])
      const [sent, told] = random.chance(0.2) ? [random.below(step), -1] : [-1, random.below(step)]
      const pause = random.below(40)
      let struck: Promise<void> | undefined
      const strike = (): void => {
        struck ??= delay(pause).then(() => strikes[victim]())
      }
      const t = performance.now()
      const outcome = await send({
        ...{ client: sending, prepared, from, history },
        onLine: (n) => {
          if (n === sent) strike()
        },
        onTold: (n) => {
          if (n === told) strike()
        },
      })
      strike()
      await struck
      if (victim !== 'database') await n.start()
      await recovered()
      process.stderr.write(
        `${victim} from ${from} sent ${sent} told ${told} ${outcome} ${history.acknowledged.length}: ${Math.round(performance.now() - t)} ms\n`,
      )
    }
    await finish(prepared)
    await reader.stop()
    const found = await settled()
    expect(faultsOf(history, found)).toEqual([])
    expect(history.acknowledged.length).toBeGreaterThan(0)
    expect(found.feed.length).toBe(history.sent.length)
  })
})
