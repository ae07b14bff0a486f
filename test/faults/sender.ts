import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '../../src/client/client.ts'
import { derive } from '../../src/client/derive.ts'
import { AldisError } from '../../src/client/errors.ts'
import type { Home } from '../../src/client/home.ts'
import { fromBase64Url, toBase64Url } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { itemLeaf, type SaltedItem, type SubmissionType, signSubmission } from '../../src/signals/submission.ts'
import type { History } from './history.ts'
import type { Random } from './random.ts'

/** A signed stream as its source keeps it until everything is durable. */
export interface Prepared {
  upload: Uuid
  /** JSON texts without their newlines. */
  lines: readonly string[]
}

export interface Preparing {
  home: Home
  audience: Uuid
  random: Random
  items: number
  /** Items of a submission at most. */
  largest?: number
  /** Whatever is prepared is expected to be stored in the end. */
  history: History
}

let made = 0

/** Submissions of many sizes: new signals, later revisions of some, and withdrawals. */
export async function prepare({ home, audience, random, items, largest = 60, history }: Preparing): Promise<Prepared> {
  const { uri: iss, node_origin: aud, programme: prg } = home.membership()
  const key = home.signingKey()
  const lines: string[] = []
  const live: { item: SignalItem; leaf: string }[] = []
  const add = async (typ: SubmissionType, some: readonly (SignalItem | Ending)[]): Promise<SaltedItem[]> => {
    const texts = some.map((item) => JSON.stringify(item))
    const signed = await signSubmission({ typ, iss, aud, prg, key, now: new Date(), items: texts })
    lines.push(JSON.stringify({ jws: signed.jws }), ...signed.items.map((item) => JSON.stringify(item)))
    history.sent.push(...some.map(({ signal, revision }, i) => ({ signal, revision, item: texts[i] ?? '' })))
    return signed.items
  }
  for (let left = items; left > 0; ) {
    const n = Math.min(left, 1 + random.below(largest))
    left -= n
    const fresh = Array.from({ length: n }, () => anItem(audience))
    const salted = await add('aldis-signal+jws', fresh)
    fresh.forEach((item, i) => {
      live.push({ item, leaf: leafOf(salted[i]) })
    })
    // Right behind what it follows: the two may become durable in one commit.
    const followed = live.splice(-1 - random.below(8), random.below(4))
    if (followed.length === 0) continue
    const next = followed.map(({ item, leaf }) => ({
      ...item,
      revision: item.revision + 1,
      prev: leaf,
      confidence: 60,
    }))
    const revised = await add('aldis-signal+jws', next)
    if (random.chance(0.5)) continue
    const endings = next.map(({ signal, revision }, i): Ending => {
      return { v: 1, signal, revision: revision + 1, prev: leafOf(revised[i]), reason: 'mistaken' }
    })
    await add('aldis-withdrawal+jws', endings)
  }
  return { upload: newId(new Date()), lines }
}

interface Ending {
  v: 1
  signal: Uuid
  revision: number
  prev: string
  reason: 'mistaken'
}

const leafOf = (salted: SaltedItem | undefined): string =>
  toBase64Url(itemLeaf(fromBase64Url(salted?.salt ?? '') ?? new Uint8Array(0), salted?.item ?? ''))

/** A made-up link of an example domain, derived as the SDK derives it. */
export function anItem(audience: Uuid): SignalItem {
  made += 1
  const raw = `https://bad-${process.pid}-${made}.example/join`
  const derived = derive(
    { type: 'url', raw },
    {
      ...{ audience, taxonomy: 1, now: new Date(), days: () => 30, epoch: { kid: 'none', key: new Uint8Array(32) } },
      defaults: {
        ...{ category: 'grooming', severity: 'high', confidence: 80, basis: 'human_reviewed' },
        ...{ handling: 'review', tlp: 'amber' },
        context: { region: 'IE', legal_basis: 'terms_of_service', surface: 'public' },
      },
    },
  )
  if (derived.outcome === 'refused') throw new Error(derived.reason)
  return derived.item
}

export interface Sending {
  client: Client
  prepared: Prepared
  /** Number of the first line. */
  from: bigint
  history: History
  /** Told how many lines of this request have left, and how many lines of the answer have come. */
  onLine?(n: number): void
  onTold?(n: number): void
  /** Milliseconds of rest after every 16 lines. */
  pace?: number
}

/**
 * One request of a streamed upload, at a pace that lets a fault fall on any step of it; what the node says goes into the
 * history. Answers the fault that it ended with, if it is one after which `aldis submit` goes on; throws any other.
 */
export async function send({
  client,
  prepared,
  from,
  history,
  onLine,
  onTold,
  pace = 1,
}: Sending): Promise<Error | undefined> {
  let stopped = false
  const lines = async function* (): AsyncGenerator<string> {
    for (let line = from; line <= prepared.lines.length && !stopped; line++) {
      if (line % 16n === 0n) await delay(pace)
      onLine?.(Number(line - from))
      yield `${prepared.lines[Number(line) - 1]}\n`
    }
  }
  let told = 0
  try {
    for await (const line of client.upload({ id: prepared.upload, line: from }, lines())) {
      const { code, status, signal, revision, submission } = line
      if (code !== undefined) throw new AldisError({ code, title: code, status })
      if (signal !== undefined && revision !== undefined) history.acknowledged.push({ signal, revision })
      if (typeof submission === 'string') history.submissions.push(submission)
      told += 1
      onTold?.(told)
    }
    return undefined
  } catch (error) {
    return brokenOf(error)
  } finally {
    stopped = true
  }
}

/** What may be tried again, as `aldis submit` judges it; throws anything else. */
export function brokenOf(error: unknown): Error {
  const broken = error instanceof AldisError ? error.status >= 500 : error instanceof Error && 'code' in error
  if (broken) return error as Error
  throw error
}
