import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { SignedSubmission } from '../../../src/signals/submission.ts'
import type { FeedMessage } from '../../../src/webhooks/schema.ts'
import { submissionOf } from '../items.ts'
import { quantile, type Spec } from '../measure.ts'
import { openWire, requestOf, served, type Wire } from '../wire.ts'
import type { World } from '../world.ts'
import { endOf } from './sync.ts'

const EVERY_MS = 10
const WRITERS = 8
const PAGE = 1_000
const LATEST_MS = 30_000

/** From the moment a submission is sent, which is before its commit and checkpoint, until a receiver has the message that tells of it. */
export function webhookDelivery({ world, count, from }: { world: World; count: number; from: number }): Spec {
  const origin = world.node().addresses.partner
  const [source] = world.members
  if (source === undefined) throw new Error('no source')
  const writers = Array.from({ length: WRITERS }, () => openWire(origin, source.tls))
  const receiver = receiverIn(world)
  let next = from
  return {
    name: 'webhook.delivery',
    what: `p95 from sending one signal (${1_000 / EVERY_MS} a second) to the arrival of the webhook that tells of it; commit, TLS handshake and both signatures included`,
    unit: 'ms',
    target: 1_000,
    less: true,
    rounds: 5,
    warmups: 1,
    measured: async (timed) => {
      const submissions = await Array.fromAsync({ length: count }, async (_, i) =>
        submissionOf(source, { from: next + i, n: 1, audience: world.audience }),
      )
      next += count
      const [reader] = writers
      if (reader === undefined) throw new Error('no reader')
      await receiver.subscribe(reader)
      const cursor = await endOf(reader, world.feed)
      const { result } = await timed(async () => {
        const sentAt = await sendAll(writers, submissions)
        const places = await placesOf(reader, world.feed, { cursor, count })
        const last = places.at(-1)?.seq ?? 0n
        await receiver.until(last)
        return places.map(({ seq, signal }) => receiver.toldAt(seq) - (sentAt.get(signal) ?? 0))
      })
      return quantile(result, 0.95)
    },
  }
}

/** At the given pace, whether or not the node keeps it. */
async function sendAll(
  writers: readonly Wire[],
  submissions: readonly SignedSubmission[],
): Promise<Map<string, number>> {
  const sentAt = new Map<string, number>()
  const begun = performance.now()
  await Promise.all(
    writers.map(async (wire, w) => {
      for (let i = w; i < submissions.length; i += writers.length) {
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, begun + i * EVERY_MS - performance.now())))
        const submission = submissions[i]
        const { signal } = JSON.parse(submission?.items[0]?.item ?? '{}') as { signal: string }
        sentAt.set(signal, performance.now())
        await served(wire, requestOf('POST', '/v1/submissions', JSON.stringify(submission)), 201)
      }
    }),
  )
  return sentAt
}

async function placesOf(wire: Wire, feed: string, { cursor, count }: { cursor: string; count: number }) {
  const places: { seq: bigint; signal: string }[] = []
  for (let at = cursor; places.length < count; ) {
    const path = `/v1/feeds/${feed}/events?wait=10&limit=${PAGE}&cursor=${encodeURIComponent(at)}`
    const { body } = await served(wire, requestOf('GET', path), 200)
    const page = JSON.parse(body.toString()) as { events: { seq: string; signal: string }[]; next_cursor: string }
    for (const { seq, signal } of page.events) places.push({ seq: BigInt(seq), signal })
    at = page.next_cursor
  }
  return places
}

/** A host of the source's, on this machine; it remembers when it was told how far the feed is. */
function receiverIn(world: World) {
  const told: { to: bigint; at: number }[] = []
  let heard = (): void => {}
  const server = createServer(
    { key: readFileSync(join(world.dir, 'tls', 'node.key')), cert: readFileSync(join(world.dir, 'tls', 'node.crt')) },
    async (request, response) => {
      let text = ''
      for await (const chunk of request) text += String(chunk)
      const { type, data } = JSON.parse(text) as FeedMessage
      if (type === 'feed.advanced' && data.feed === world.feed)
        told.push({ to: BigInt(data.to_seq), at: performance.now() })
      response.writeHead(204).end()
      heard()
    },
  )
  server.unref()
  let subscribed: Promise<unknown> | undefined
  const toldAt = (seq: bigint): number => told.find(({ to }) => to >= seq)?.at ?? Number.POSITIVE_INFINITY
  return {
    toldAt,
    subscribe: (wire: Wire) => {
      subscribed ??= new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)).then(() => {
        const { port } = server.address() as AddressInfo
        const body = JSON.stringify({ url: `https://localhost:${port}/`, feeds: [world.feed] })
        return served(wire, requestOf('PUT', `/v1/webhooks/${randomUUID()}`, body), 201)
      })
      return subscribed
    },
    until: (seq: bigint) =>
      new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('nothing was told in time')), LATEST_MS)
        heard = () => {
          if (toldAt(seq) === Number.POSITIVE_INFINITY) return
          clearTimeout(late)
          resolve()
        }
        heard()
      }),
  }
}
