import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import type { Home } from '../../src/client/home.ts'
import { syncFeeds } from '../../src/client/mirror.ts'
import type { MirrorLine } from '../../src/client/mirror-lines.ts'
import { createVerifier } from '../../src/client/verify.ts'
import type { Db } from '../../src/db/connect.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { aProcessNode, type ProcessNode } from '../support/process-node.ts'
import { aHistory, type Found, type History, movingIn, readFound } from './history.ts'
import { brokenOf } from './sender.ts'

/** A real node, a source that shares with everybody, and a recipient with a mirror on its own disk. */
export interface Exchange {
  n: ProcessNode
  source: Home
  sending: Client
  reading: Client
  audience: Uuid
  history: History
  /** The recipient follows on and on, whatever happens to the node; `stop` fails if anything did not verify. */
  following(): { stop(): Promise<void> }
  /** Until the node can work. */
  recovered(): Promise<void>
  /** All that is there, once log, feeds and signatures have caught up and the recipient has read everything. */
  settled(): Promise<Found>
  /** Ends everything; throws if something of it still ran afterwards. */
  end(): Promise<void>
}

export async function anExchange(settings: Readonly<Record<string, string>> = {}): Promise<Exchange> {
  const n = await aProcessNode(settings)
  await n.start()
  const [source, reader] = [await n.member('apple'), await n.member('banana')]
  const [sending, reading] = [source.connect(), reader.connect()]
  const [everybody] = (await sending.audiences()).audiences
  if (everybody === undefined) throw new Error('no audience of the programme')
  const history = aHistory()

  /** Brings the mirror up to date and moves the kept head of the log on: each signature and proof is verified. */
  const follow = async (): Promise<void> => {
    const { node_origin, programme } = reader.membership()
    const { participants } = await reading.participants()
    const verifier = createVerifier(participants, { node_origin, programme, receipt_keys: reader.receiptKeys() })
    await syncFeeds({ client: reading, verifier, dir: join(reader.dir, 'feeds') })
    const { size, root } = await reader.advance(reading)
    history.heads.push({ size, root })
  }
  const still = (db: Db): Promise<void> =>
    expect.poll(() => movingIn(db), { timeout: 60_000, message: n.said() }).toEqual([])
  const looking = async <T>(work: (db: Db) => Promise<T>): Promise<T> => {
    const db = await n.look()
    return work(db).finally(() => db.destroy())
  }

  return {
    ...{ n, source, sending, reading, history, audience: everybody.audience },
    following: () => repeated(follow),
    recovered: () => expect.poll(() => n.ready(), { timeout: 60_000, interval: 50 }).toBe(true),
    async settled() {
      await looking(still)
      await follow()
      // What was just read is entries of the log too.
      return looking(async (db) => {
        await still(db)
        return { ...(await readFound(db, 'apple')), feed: mirrored(join(reader.dir, 'feeds')) }
      })
    },
    async end() {
      sending.close()
      reading.close()
      await n.destroy()
      if (n.postmaster() !== undefined) throw new Error('the database still runs')
    },
  }
}

function repeated(work: () => Promise<void>): { stop(): Promise<void> } {
  let stopped = false
  const run = async (): Promise<void> => {
    while (!stopped) {
      await work().catch(brokenOf)
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
function mirrored(dir: string): Found['feed'] {
  const files = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.ndjson')) : []
  return files.flatMap((name) => {
    const lines = readFileSync(join(dir, name), 'utf8').split('\n')
    return lines
      .filter((line) => line !== '')
      .flatMap((line) => (JSON.parse(line) as MirrorLine).event ?? [])
      .map(({ seq, signal, revision, event }) => ({ seq: BigInt(seq), signal, revision, event }))
  })
}
