import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { AldisError } from '../../src/client/errors.ts'
import { checkReceipt, openVkey } from '../../src/client/verify.ts'
import { kill } from '../support/process-node.ts'
import { anExchange, type Exchange } from './exchange.ts'
import { type Found, faultsOf } from './history.ts'
import { rounds, seededRandom } from './random.ts'
import { type Prepared, prepare, send } from './sender.ts'

const ITEMS = 3_000
const ROUNDS = 6
/** Of the lines of one request, so that most rounds strike before everything is durable. */
const STEP = Math.ceil((2 * ITEMS) / ROUNDS)
const LONGEST_MS = 12_000

const random = seededRandom('upload.test.ts')
let x: Exchange
beforeAll(async () => {
  x = await anExchange({ SHUTDOWN_SECONDS: '10' })
}, 120_000)
afterAll(() => x?.end(), 120_000)

const fresh = (items: number): Promise<Prepared> => {
  const { source: home, audience, history } = x
  return prepare({ home, audience, random, items, history })
}

/** How often a node that has just begun may say that it is busy. */
const TRIES = 10

/** Sends what is not durable yet, with nothing in its way; goes on where it was when the node is busy, as `aldis submit` does. */
async function finish(prepared: Prepared): Promise<void> {
  const { sending: client, history } = x
  for (let tries = 1; ; tries++) {
    const from = await client.nextLine(prepared.upload)
    if (from > prepared.lines.length) return
    const broken = await send({ client, prepared, from, history })
    if (broken === undefined) break
    if (tries === TRIES || !(broken instanceof AldisError && broken.code === 'busy')) throw broken
    await delay(1_000)
  }
  expect(await client.nextLine(prepared.upload)).toBe(BigInt(prepared.lines.length + 1))
}

async function faultless(): Promise<Found> {
  const found = await x.settled()
  expect(faultsOf(x.history, found), `ALDIS_FAULT_SEED=${random.seed}`).toEqual([])
  expect(found.feed.length).toBe(x.history.sent.length)
  return found
}

type Victim = 'node' | 'both' | 'database' | 'backend'
const VICTIMS: readonly [Victim, ...Victim[]] = ['node', 'both', 'database', 'backend']

/** Each ends what it names with SIGKILL. A backend is one process of the server, which then ends all and recovers. */
const strikes: Record<Victim, () => Promise<unknown>> = {
  node: () => x.n.end('SIGKILL'),
  both: () => {
    kill(x.n.postmaster())
    return x.n.end('SIGKILL')
  },
  database: async () => kill(x.n.postmaster()),
  backend: async () => {
    const [first = x.n.postmaster(), ...rest] = x.n.backends()
    kill(random.pick([first, ...rest]))
  },
}

interface Strike {
  onLine(n: number): void
  onTold(n: number): void
  /** Until it is over; if the request ended before its moment came, it comes now. */
  overcome(): Promise<void>
}

/** A fault at a random moment of a request: after so many lines have left, or were told to be durable. */
function aStrike(victim: Victim): Strike {
  const [sent, told] = random.chance(0.2) ? [random.below(STEP), -1] : [-1, random.below(STEP)]
  const pause = random.below(40)
  let struck: Promise<unknown> | undefined
  const strike = (): Promise<unknown> => {
    struck ??= delay(pause).then(() => strikes[victim]())
    return struck
  }
  const at = (moment: number) => (count: number) => {
    if (count === moment) strike().catch(() => {})
  }
  return {
    ...{ onLine: at(sent), onTold: at(told) },
    overcome: async () => {
      await strike()
      if (victim === 'node' || victim === 'both') await x.n.start()
      await x.recovered()
    },
  }
}

describe('a streamed upload', { shuffle: false }, () => {
  test('loses no acknowledged line and stores none twice, whenever node or database are killed with -9', {
    timeout: 1_200_000,
  }, async () => {
    const { sending: client, history } = x
    const recipient = x.following()
    onTestFinished(() => recipient.stop())
    let prepared = await fresh(ITEMS)
    for (const round of rounds(ROUNDS, LONGEST_MS, VICTIMS.length)) {
      const from = await client.nextLine(prepared.upload)
      const strike = aStrike(VICTIMS[round] ?? random.pick(VICTIMS))
      if (from > prepared.lines.length) prepared = await fresh(ITEMS)
      else await send({ client, prepared, from, history, ...strike })
      await strike.overcome()
    }
    expect(history.acknowledged.length).toBeGreaterThan(0)
    await finish(prepared)
    await recipient.stop()
    const found = await faultless()

    // Negative control: it is seen if one of all these lines is not there.
    const [lost] = history.acknowledged
    const revisions = found.revisions.filter((one) => one.signal !== lost?.signal || one.revision !== lost.revision)
    const at = `${lost?.signal} ${lost?.revision}`
    expect(faultsOf(history, { ...found, revisions })).toContainEqual({ code: 'acknowledged-lost', at })

    const key = openVkey(await client.logKey())
    for (const submission of [history.submissions[0], history.submissions.at(-1)]) {
      expect(checkReceipt((await client.receipt(submission ?? '')) ?? '', key)).toMatchObject({ passed: true })
    }
  })

  test('that is cut off by SIGTERM is durable as far as it was acknowledged, and node and database end in order', {
    timeout: 120_000,
  }, async () => {
    const { n, sending: client, history } = x
    const prepared = await fresh(1_000)
    const before = history.acknowledged.length
    let ended: Promise<number | null> | undefined
    const onTold = (count: number): void => {
      if (count === 50) ended = n.end('SIGTERM')
    }
    // At this pace it takes longer than the node waits for its requests.
    await send({ client, prepared, from: 1n, history, onTold, pace: 150 })
    expect(await ended).toBe(0)
    expect(n.postmaster()).toBeUndefined()
    expect(history.acknowledged.length - before).toBeGreaterThanOrEqual(50)
    await n.start()
    await x.recovered()
    expect(await client.nextLine(prepared.upload)).toBeLessThanOrEqual(BigInt(prepared.lines.length))
    await finish(prepared)
    await faultless()
  })
})
