import { setTimeout as delay } from 'node:timers/promises'
import { submissionOf } from '../items.ts'
import { type Measured, quantile, type Row, type Run, rowOf, type Spec } from '../measure.ts'
import { requestOf, served, type Wire } from '../wire.ts'
import type { Reach, World } from '../world.ts'
import { wiresOf } from './lookup.ts'
import { carriedBy, UNLOGGED, until } from './single.ts'

/** 32 connections of each participant, as in `lookup.single`. */
const CLIENTS = 256
/** A little more than the target, which a load that is steady can only come near to. */
const PER_SECOND = 1_600
const TARGET = 1_500
const PUBLISHED_TARGET_MS = 2_000
const LOOK_MS = 20
/** Of so many submissions, one is followed to its checkpoint. */
const FOLLOWED = 10
/** Of the time, for what is measured beside it: warm-up and reference. */
const BESIDE = 0.1
const AT_ONCE = 5_000

export interface Sustained {
  world: World
  seconds: number
  from: number
  /** Each round adds the milliseconds within which 99 of 100 stood under a published checkpoint. */
  published: number[]
}

interface Accepted {
  event: string
  at: number
}

/** A steady load of submissions of one signal each, signed as they are sent. */
export function submitSustained({ world, seconds, from, published }: Sustained): Spec {
  const wires = wiresOf(world, CLIENTS)
  const beside = Math.max(1, BESIDE * seconds)
  let next = from
  let warm = false
  const load = (path: string, { audience }: Reach, forSeconds: number): Promise<Accepted[]> =>
    steady(wires, forSeconds, async (wire, client) => {
      next += 1
      const member = world.members[client % world.members.length]
      if (member === undefined) throw new Error('no member')
      const submission = await submissionOf(member, { from: next, n: 1, audience })
      const { body } = await served(wire, requestOf('POST', path, JSON.stringify(submission)), 201)
      return eventOf(body)
    })
  const measured: Run = async (timed) => {
    const [carried, checkpoints] = [await carriedBy(world, world.feed), watch(world)]
    const { result, seconds: took } = await timed(() => load('/v1/submissions', world, warm ? seconds : beside))
    warm = true
    await until(world, 'select count(*) = 0 as done from prov_outbox')
    await until(world, 'select (select size from log_head) <= (select size from log_published) as done')
    published.push(quantile(await waits(world, result, await checkpoints.stop()), 0.99))
    await carried(result.length)
    return result.length / took
  }
  return {
    name: 'submit.sustained',
    what: `durable submissions of one signal with the log, ${PER_SECOND.toLocaleString('en')} a second asked for during ${Math.round(seconds)} s; ${CLIENTS} clients of 8 participants`,
    unit: 'submissions/s',
    target: TARGET,
    absolute: true,
    rounds: 1,
    warmups: 1,
    measured,
    reference: {
      what: `the same without the log, as in submit.single, during ${Math.round(beside)} s`,
      run: async (timed) => {
        const carried = await carriedBy(world, world.beside.feed)
        const { result, seconds: took } = await timed(() => load(UNLOGGED, world.beside, beside))
        await carried(result.length)
        return result.length / took
      },
    },
  }
}

/** Of the very submissions that were measured; the warm-up is not among them. */
export function publishedOf(row: Row, published: readonly number[]): Row {
  const { measured } = row.cpu
  const all: Measured = { values: published.slice(-row.runs), references: [], measured, reference: measured }
  const what = 'p99 from the answer to one of these submissions until a published checkpoint is over it'
  return rowOf({ name: 'submit.sustained.published', what, unit: 'ms', target: PUBLISHED_TARGET_MS, less: true }, all)
}

/** Each client sends when its turn is due, or at once where it is late; nobody sends more to catch up than was asked for. */
async function steady(
  wires: readonly Wire[],
  seconds: number,
  once: (wire: Wire, client: number) => Promise<string>,
): Promise<Accepted[]> {
  const accepted: Accepted[] = []
  const began = performance.now()
  const every = (1_000 * wires.length) / PER_SECOND
  const client = async (wire: Wire, i: number): Promise<void> => {
    for (let due = began + (every * i) / wires.length; due < began + 1_000 * seconds; due += every) {
      const early = due - performance.now()
      if (early > 1) await delay(early)
      if (performance.now() > began + 1_000 * seconds) return
      const event = await once(wire, i)
      accepted.push({ event, at: performance.now() })
    }
  }
  await Promise.all(wires.map(client))
  return accepted
}

const eventOf = (body: Buffer): string => (JSON.parse(body.toString()) as { submission: string }).submission

interface Seen {
  size: number
  at: number
}

/** Looks at the newest published checkpoint all the time. */
function watch({ db }: World): { stop(): Promise<readonly Seen[]> } {
  const seen: Seen[] = []
  let stopped = false
  const look = async (): Promise<void> => {
    const { rows } = await db.query<{ size: string }>('select size from log_published')
    const size = Number(rows[0]?.size ?? 0)
    if (size > (seen.at(-1)?.size ?? -1)) seen.push({ size, at: performance.now() })
  }
  const run = async (): Promise<void> => {
    for (; !stopped; await delay(LOOK_MS)) await look()
    await look()
  }
  const running = run()
  return {
    stop: async () => {
      stopped = true
      await running
      return seen
    },
  }
}

/** Milliseconds from each answer until a checkpoint over it was seen. */
async function waits(
  { db }: World,
  accepted: readonly Accepted[],
  checkpoints: readonly Seen[],
): Promise<readonly number[]> {
  const followed = accepted.filter((_, i) => i % FOLLOWED === 0)
  const indices = new Map<string, number>()
  for (let i = 0; i < followed.length; i += AT_ONCE) {
    const events = followed.slice(i, i + AT_ONCE).map(({ event }) => event)
    const { rows } = await db.query<{ event_id: string; idx: string }>(
      'select event_id, idx from log_event where event_id = any($1::uuid[])',
      [events],
    )
    for (const { event_id, idx } of rows) indices.set(event_id, Number(idx))
  }
  return followed.map(({ event, at }) => {
    const index = indices.get(event)
    const over = index === undefined ? undefined : firstOver(checkpoints, index)
    if (over === undefined) throw new Error('a submission is under no checkpoint')
    return Math.max(0, over.at - at)
  })
}

/** By halves: there are many of both. */
function firstOver(checkpoints: readonly Seen[], index: number): Seen | undefined {
  let [low, high] = [0, checkpoints.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((checkpoints[middle]?.size ?? 0) > index) high = middle
    else low = middle + 1
  }
  return checkpoints[low]
}
