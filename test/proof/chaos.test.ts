import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { AldisError } from '../../src/client/errors.ts'
import { resumeLog } from '../../src/core.ts'
import type { Db } from '../../src/db/connect.ts'
import { anExchange, type Exchange } from '../faults/exchange.ts'
import { type Found, faultsOf, type Head, type History } from '../faults/history.ts'
import { rounds, seededRandom } from '../faults/random.ts'
import { type Prepared, send } from '../faults/sender.ts'
import { aSaboteur } from './saboteur.ts'
import { faultsAcross, forks, readTree, secondRoots } from './signed.ts'
import { crash, keepCopy, prepared, putBack, type Rivals, rivals, started, strike, upload, VICTIMS } from './stage.ts'

/** Before the database is set back, and after. */
const ROUNDS = 6
const LONGEST_MS = 40_000
const ITEMS = 80

const random = seededRandom('chaos.test.ts')
const seed = `ALDIS_FAULT_SEED=${random.seed}`
/** Of the first log, whatever became of the database. */
const signed: Head[] = []
let x: Exchange
let others: Rivals
beforeAll(async () => {
  x = await anExchange()
  others = rivals(await x.n.url('aldis_integrator'), 1)
}, 120_000)
afterAll(async () => {
  others?.end()
  await x?.end()
}, 120_000)

async function looking<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const db = await x.n.look()
  return work(db).finally(() => db.destroy())
}

async function remember(): Promise<void> {
  signed.push(...(await looking((db) => readTree(db, 1))).heads)
}

/** A dump as an operator takes it, of a node that rests. */
async function dump(folders: readonly string[], name: string): Promise<void> {
  await x.n.end('SIGTERM')
  keepCopy(folders, name)
  await started(x.n)
}

async function read(): Promise<string> {
  const all = async (): Promise<void> => {
    for (const { feed } of (await x.reading.feeds()).feeds) await x.reading.events(feed, {})
  }
  return all().then(
    () => 'answered',
    (error: unknown) => (error instanceof AldisError ? error.code : String(error)),
  )
}

/** The older database runs and knows that it is older: nothing is given or taken, and nothing more is signed. */
async function isRefused(): Promise<Prepared> {
  const { n, sending: client, history } = x
  n.begin()
  await expect.poll(read, { timeout: 60_000, message: seed }).toBe('log-halted')
  const late = await prepared(x, { random, items: 1 })
  expect(await send({ client, prepared: late, from: 1n, history }), seed).toMatchObject({ code: 'log-halted' })
  const before = await looking((db) => readTree(db, 1))
  await delay(2_500)
  const after = await looking((db) => readTree(db, 1))
  expect(after.heads, seed).toEqual(before.heads)
  return late
}

/** The newest database is put back, and what is kept of the halt is lifted. */
async function reconcile(): Promise<void> {
  const { n } = x
  await crash(n)
  putBack([n.folders.database], 'newest', 'refused')
  await n.beside(async (parts) => {
    if (parts.halts.kept() !== undefined) await resumeLog(parts)
  })
  await started(n)
}

async function rotate(): Promise<void> {
  const { n } = x
  await n.beside(async ({ participants, nextLog }, [ada, ben]) => {
    if (ada === undefined || ben === undefined) throw new Error('too few administrators')
    const { origin, next } = await nextLog()
    const payload = { log: origin, next, reason: 'database_rollback' }
    const { request_id } = await participants.propose('log.rotate', payload, ada)
    await participants.approve(request_id, ben, new Date())
    await participants.execute(request_id, ada)
  })
  await n.end('SIGKILL')
  others.end()
  await started(n)
  others = rivals(await n.url('aldis_integrator'), 2)
}

/** What was to be stored, without what came between two moments. */
function without(history: History, [from, to]: readonly [History, History]): History {
  const cut = <T>(of: (one: History) => readonly T[]): T[] => [
    ...of(history).slice(0, of(from).length),
    ...of(history).slice(of(to).length),
  ]
  return {
    sent: cut((one) => one.sent),
    acknowledged: cut((one) => one.acknowledged),
    submissions: cut((one) => one.submissions),
    heads: [],
  }
}
const moment = ({ sent, acknowledged, submissions, heads }: History): History => ({
  ...{ sent: [...sent], acknowledged: [...acknowledged], submissions: [...submissions], heads: [...heads] },
})

async function faultless(): Promise<Found> {
  const found = await x.settled()
  expect(faultsOf(x.history, found), seed).toEqual([])
  expect(secondRoots([...signed, ...x.history.heads, ...found.checkpoints]), seed).toEqual([])
  expect(forks(signed, found.leaves), seed).toEqual([])
  return found
}

/** Rounds of uploads, each with something that is killed in the middle of it. */
async function rage(first: number): Promise<void> {
  for (const round of rounds(ROUNDS, LONGEST_MS)) {
    const victim = VICTIMS[first + round] ?? random.pick(VICTIMS)
    const struck = async (): Promise<void> => {
      await delay(random.below(900))
      await strike(x, { victim, others, random })
    }
    await Promise.all([upload(x, await prepared(x, { random, items: ITEMS })), struck()])
  }
}

/** An older database in place of the newest, which comes back. */
async function setBack(): Promise<void> {
  await x.settled()
  await remember()
  await crash(x.n)
  putBack([x.n.folders.database], 'dump', 'newest')
  const late = await isRefused()
  await reconcile()
  await upload(x, late)
}

describe('a node and two integrators that are killed, spoilt and set back at random', { shuffle: false }, () => {
  test('keep what was acknowledged, index each change once, densely, in one history with one root a size', {
    timeout: 400_000,
  }, async () => {
    const recipient = x.following()
    onTestFinished(() => recipient.stop())
    const saboteur = aSaboteur(await x.n.url('postgres'), random)
    onTestFinished(() => saboteur.stop())
    await dump([x.n.folders.database], 'dump')
    await rage(0)
    await setBack()
    await rage(3)
    await saboteur.stop()
    await recipient.stop()
    const { leaves } = await faultless()
    await looking((db) => readTree(db, 1))
    const { rollbacks, deadlocks } = saboteur.spoilt
    process.stderr.write(`chaos.test.ts: ${leaves.length} entries, ${rollbacks} rollbacks, ${deadlocks} deadlocks\n`)
    expect([rollbacks > 0, deadlocks > 0]).toEqual([true, true])
  })

  test('after an old dump was restored for good sign nothing until the log is rotated, and then lose nothing more', {
    timeout: 200_000,
  }, async () => {
    const { n, history } = x
    await dump([n.folders.database], 'last')
    const from = moment(history)
    await upload(x, await prepared(x, { random, items: ITEMS }))
    const { leaves } = await faultless()
    await remember()
    await crash(n)
    putBack([n.folders.database], 'last', 'lost')
    await isRefused()
    const to = moment(history)
    await rotate()
    await upload(x, await prepared(x, { random, items: ITEMS }))
    const kept = () => without(history, [from, to])
    await expect.poll(() => looking((db) => faultsAcross(db, kept())), { timeout: 60_000, message: seed }).toEqual([])
    await remember()
    expect(secondRoots(signed), seed).toEqual([])
    expect(forks(signed, leaves), seed).toEqual([])

    // Negative control: with the anchor set back too, the same detectors find a fork and what is lost.
    const folders = [n.folders.database, join(n.folders.data, 'anchor')]
    await dump(folders, 'control')
    const branch = await branchOf(kept)
    await crash(n)
    putBack(folders, 'control', 'branch')
    await started(n)
    const lost = moment(history)
    await upload(x, await prepared(x, { random, items: 3 * ITEMS }))
    const otherwise = () => looking((db) => faultsAcross(db, kept()))
    const names = async () => new Set((await otherwise()).map((fault) => fault.split(' ')[0]))
    await expect
      .poll(names, { timeout: 60_000, message: seed })
      .toEqual(new Set(['acknowledged-lost', 'not-durable', 'receipt-lost']))
    const { leaves: now } = await looking((db) => readTree(db, 2))
    expect(lost.acknowledged.length).toBeGreaterThan(0)
    expect(forks(branch, now)).not.toEqual([])
  })
})

/** Heads of the second log that are signed over changes which the database then forgets. */
async function branchOf(kept: () => History): Promise<readonly Head[]> {
  await upload(x, await prepared(x, { random, items: ITEMS / 4 }))
  await expect.poll(() => looking((db) => faultsAcross(db, kept())), { timeout: 60_000 }).toEqual([])
  return (await looking((db) => readTree(db, 2))).heads
}
