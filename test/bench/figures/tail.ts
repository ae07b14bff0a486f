import type { SignedSubmission } from '../../../src/signals/submission.ts'
import { submissionOf } from '../items.ts'
import { quantile, type Spec } from '../measure.ts'
import { openWire, requestOf, served, type Wire } from '../wire.ts'
import type { World } from '../world.ts'
import { endOf } from './sync.ts'

const READERS = 8
const EVERY_MS = 50

/** From the moment a submission is sent, which is before its commit, until a long poll has delivered it. */
export function feedTail({ world, count, from }: { world: World; count: number; from: number }): Spec {
  const origin = world.node().addresses.partner
  const [source] = world.members
  if (source === undefined) throw new Error('no source')
  const readers = world.members.slice(0, READERS).map(({ tls }) => openWire(origin, tls))
  const writer = openWire(origin, source.tls)
  let next = from
  return {
    name: 'feed.tail',
    what: `p95 from sending one signal (${1_000 / EVERY_MS} a second) to its delivery by long poll, ${READERS} readers; commit included`,
    unit: 'ms',
    target: 500,
    less: true,
    rounds: 5,
    warmups: 1,
    measured: async (timed) => {
      const submissions = await Array.fromAsync({ length: count }, async (_, i) =>
        submissionOf(source, { from: next + i, n: 1, audience: world.audience }),
      )
      next += count
      const cursors = await Promise.all(readers.map((reader) => endOf(reader, world.feed)))
      const sentAt = new Map<string, number>()
      const { result } = await timed(async () => {
        const [took] = await Promise.all([
          Promise.all(readers.map((reader, i) => follow(reader, { world, count, cursor: cursors[i] ?? '', sentAt }))),
          sendSlowly(writer, submissions, sentAt),
        ])
        return took.flat()
      })
      return quantile(result, 0.95)
    },
  }
}

async function sendSlowly(
  wire: Wire,
  submissions: readonly SignedSubmission[],
  sentAt: Map<string, number>,
): Promise<void> {
  for (const submission of submissions) {
    const { signal } = JSON.parse(submission.items[0]?.item ?? '{}') as { signal: string }
    sentAt.set(signal, performance.now())
    await served(wire, requestOf('POST', '/v1/submissions', JSON.stringify(submission)), 201)
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
}

interface Following {
  world: World
  count: number
  cursor: string
  sentAt: ReadonlyMap<string, number>
}

/** Milliseconds that each signal took to come. */
async function follow(wire: Wire, { world, count, cursor, sentAt }: Following): Promise<number[]> {
  const took: number[] = []
  let at = cursor
  while (took.length < count) {
    const path = `/v1/feeds/${world.feed}/events?wait=10&cursor=${encodeURIComponent(at)}`
    const { body } = await served(wire, requestOf('GET', path), 200)
    const now = performance.now()
    const page = JSON.parse(body.toString()) as { events: { signal: string }[]; next_cursor: string }
    for (const { signal } of page.events) {
      const sent = sentAt.get(signal)
      if (sent !== undefined) took.push(now - sent)
    }
    at = page.next_cursor
  }
  return took
}
