import type { ServerResponse } from 'node:http'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { closeServers, identityOf, serve } from './server.ts'
import { aRead, FEED } from './source.ts'

let pki: TestPki
let aspen: TlsIdentity
const clients: Client[] = []
beforeAll(async () => {
  pki = await testPki()
  aspen = identityOf(await pki.participant('aspen'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await closeServers()
})

const begun = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' })
const page = (cursor: string, signature?: string): string =>
  [
    `event: read\ndata: ${JSON.stringify({ read: aRead(Number(cursor.slice(1))), signature })}\n\n`,
    `event: events\nid: ${cursor}\ndata: ${JSON.stringify({ events: [], submissions: [], next_cursor: cursor, more: false })}\n\n`,
  ].join('')
const problem = (code: string, status: number): string =>
  `event: problem\ndata: ${JSON.stringify({ code, title: code, status })}\n\n`

/** The answers of a node, one a connection; the last one stays. */
async function streaming(...answers: readonly ((response: ServerResponse) => void)[]) {
  const seen: (string | undefined)[] = []
  const server = await serve(pki, ({ headers }, response) => {
    const answer = answers[seen.length] ?? answers.at(-1)
    seen.push(headers['last-event-id'] as string | undefined)
    answer?.(begun(response))
  })
  const client = createClient({ origin: server.origin, ...aspen })
  clients.push(client)
  return { seen, stream: client.stream(FEED, { cursor: 'c0' }) }
}

describe('a stream that a client follows', () => {
  test('goes on behind the last page when it ends, or when the node cannot for a while', async () => {
    const { seen, stream } = await streaming(
      (response) => response.end(page('c1')),
      (response) => response.end(page('c2') + problem('log-behind', 503)),
      (response) => response.write(page('c3')),
    )
    const cursors: string[] = []
    for await (const { next_cursor, read } of stream) {
      expect(read).toBe(aRead(Number(next_cursor.slice(1))))
      if (cursors.push(next_cursor) === 3) break
    }
    expect(cursors).toEqual(['c1', 'c2', 'c3'])
    expect(seen).toEqual(['c0', 'c1', 'c2'])
  })

  test('throws a problem that waiting does not mend', async () => {
    const { stream } = await streaming((response) => response.end(problem('cursor-expired', 410)))
    await expect(stream.next()).rejects.toMatchObject({ name: 'AldisError', code: 'cursor-expired' })
  })

  test('names a read for each page that gave something out', async () => {
    const full = (cursor: string): string => page(cursor).replace('"events":[]', '"events":[{}]')
    const { stream } = await streaming((response) => {
      response.write(full('c1'))
      // Under the name of the read before.
      response.write(full('c2').replace(/event: read\ndata: .*\n\n/, ''))
    })
    expect((await stream.next()).value).toMatchObject({ next_cursor: 'c1', read: aRead(1) })
    await expect(stream.next()).rejects.toMatchObject({ name: 'VerificationFailed', step: 'read' })
  })

  test('of a sealed feed is refused: its pages would go unverified', async () => {
    const { stream } = await streaming((response) => response.write(page('c1', 'kid signature')))
    await expect(stream.next()).rejects.toMatchObject({ name: 'VerificationFailed', step: 'feed' })
  })

  test('ends with a message that is longer than any page', async () => {
    const { stream } = await streaming((response) => {
      response.write('event: events\ndata: ')
      for (let i = 0; i < 65; i++) response.write('x'.repeat(1_048_576))
    })
    await expect(stream.next()).rejects.toMatchObject({ name: 'AnswerTooLong' })
  })
})
