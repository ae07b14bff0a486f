import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import { describe, expect, test } from 'vitest'
import { createEventStreams, type EventStreams, type Listener } from '../../src/feeds/event-stream.ts'
import { STREAMS_MAX } from '../../src/feeds/schema.ts'
import type { DisclosedPage, FeedService } from '../../src/feeds/service.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { FEED } from '../client/source.ts'
import { idOf } from '../signals/factory.ts'

const problemOf = (error: unknown): string => JSON.stringify({ code: (error as Refusal).code })
const aListener = (change: Partial<Listener> = {}): Listener => ({
  ...{ participant: idOf(1), slug: 'banana', route: 'stream', credential: idOf(2) },
  ...{ gone: new AbortController().signal, problemOf },
  ...change,
})

const aPage = (n: number): DisclosedPage => ({ body: `{"n":${n}}`, cursor: `c${n}`, read: `r${n}` })
const nothing = (cursor = ''): DisclosedPage => ({ body: '{}', cursor, read: '' })

/** Pages one after the other, then silence for as long as was asked. */
function pages(...given: readonly (DisclosedPage | Error)[]): { events: FeedService['events']; asked: string[] } {
  const [rest, asked]: [(DisclosedPage | Error)[], string[]] = [[...given], []]
  return {
    asked,
    events: async (_by, _feed, { cursor = '', wait = 0 }, signal) => {
      asked.push(cursor)
      const page = rest.shift()
      if (page instanceof Error) throw page
      if (page !== undefined) return page
      await delay(wait * 1_000, undefined, signal === undefined ? {} : { signal })
      return nothing(cursor)
    },
  }
}

async function textOf(streams: EventStreams, by = aListener()): Promise<string> {
  let text = ''
  for await (const part of await streams.open(by, FEED, undefined)) text += String(part)
  return text
}

function messagesIn(text: string) {
  const found: { event: string | undefined; id: string | undefined; data: string }[] = []
  const comments: string[] = []
  const parser = createParser({
    onEvent: ({ event, id, data }) => found.push({ event, id, data }),
    onComment: (comment) => comments.push(comment),
  })
  parser.feed(text)
  return { found, comments }
}

describe('a stream of events', () => {
  test('ends when its time is over, after whole messages, each named by the cursor behind it', async () => {
    const { events, asked } = pages(aPage(1), aPage(2))
    const streams = createEventStreams({ events, heartbeatSeconds: 5, streamSeconds: 0.2 })
    const { found } = messagesIn(await textOf(streams))
    expect(found).toEqual([
      { event: 'read', id: undefined, data: '{"read":"r1"}' },
      { event: 'events', id: 'c1', data: '{"n":1}' },
      { event: 'read', id: undefined, data: '{"read":"r2"}' },
      { event: 'events', id: 'c2', data: '{"n":2}' },
    ])
    expect(asked).toEqual(['', 'c1', 'c2'])
  })

  test('shows by a comment that it lives while nothing comes', async () => {
    const { events } = pages(nothing(), nothing(), nothing())
    const text = await textOf(createEventStreams({ events, heartbeatSeconds: 5, streamSeconds: 0.1 }))
    expect(messagesIn(text)).toMatchObject({ found: [], comments: ['', '', ''] })
  })

  test('tells what is refused on the way, and ends', async () => {
    const { events } = pages(aPage(1), new Refusal('log-behind'))
    const { found } = messagesIn(await textOf(createEventStreams({ events })))
    expect(found.at(-1)).toMatchObject({ event: 'problem', data: '{"code":"log-behind"}' })
  })

  test('keeps lines of a body together', async () => {
    const { events } = pages({ ...aPage(1), body: '{\n"id": 3\n}' })
    const { found } = messagesIn(await textOf(createEventStreams({ events, streamSeconds: 0.05 })))
    expect(found[1]?.data).toBe('{\n"id": 3\n}')
  })

  test('that is refused at once takes no place', async () => {
    const refusals = Array.from({ length: STREAMS_MAX }, () => new Refusal('not-found'))
    const { events } = pages(...refusals, aPage(1))
    const streams = createEventStreams({ events, streamSeconds: 0.05 })
    for (const _ of refusals) await expect(textOf(streams)).rejects.toMatchObject({ code: 'not-found' })
    expect(await textOf(streams)).toContain('id: c1')
  })

  test('ends at once when the node does, or its listener has gone, and is counted until then', async () => {
    const { events } = pages(aPage(1), aPage(2))
    const streams = createEventStreams({ events, heartbeatSeconds: 3_600 })
    const gone = new AbortController()
    const one = await streams.open(aListener({ gone: gone.signal }), FEED, undefined)
    const two = await streams.open(aListener({ credential: idOf(3) }), FEED, undefined)
    for (const stream of [one, two]) stream.resume()
    const open = () => [aListener().credential, idOf(3)].map((credential) => streams.openBy(credential))
    expect(open()).toEqual([1, 1])
    gone.abort()
    await once(one, 'close')
    expect(open()).toEqual([0, 1])
    streams.close()
    await once(two, 'close')
  })

  test('asks for no page while its listener takes none', async () => {
    const { events, asked } = pages(
      ...Array.from({ length: 50 }, (_, i) => ({ ...aPage(i), body: 'x'.repeat(65_536) })),
    )
    const stream = await createEventStreams({ events }).open(aListener(), FEED, undefined)
    stream.read(1)
    await delay(50)
    expect(asked.length).toBeLessThan(5)
    stream.destroy()
  })
})
