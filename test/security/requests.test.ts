import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { describedCodes } from './contract.ts'
import { CASES, type Known } from './request-cases.ts'
import { CANARY, type Caller, callerOf, changesNothing, expectRefusal, NEVER, quiet } from './world.ts'

let n: TestNode
let apple: Member
let client: Caller
let known: Known
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  client = callerOf(n, apple)
  const { feeds } = await apple.client.feeds()
  const [own, inbox] = ['audience', 'inbox'].map((kind) => feeds.find((one) => one.kind === kind))
  if (own === undefined || inbox === undefined) throw new Error('two feeds')
  const { jwk } = apple.home.signingKey()
  known = { feed: own.feed, cursor: own.start, otherCursor: inbox.start, jwk }
})
afterAll(async () => {
  client.close()
  await n.end()
})

describe('a request', () => {
  test.for(CASES)('with %s is refused, as its description says', async ([, call, code, pointer]) => {
    const asked = call(known)
    const problem = expectRefusal(await changesNothing(n.t, () => client.ask(asked)), code, ['fig@mail'])
    if (pointer !== undefined) expect(problem['errors']).toMatchObject([{ pointer }])
    const described = describedCodes(asked)
    if (described !== undefined) expect(described).toContain(code)
  })

  test.for(['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'POST'])(
    'by %s where there is only GET is none',
    async (method) => {
      for (const path of [
        '/v1/feeds',
        `/v1/feeds/${known.feed}/events`,
        '/provenance/1/checkpoint',
        `/v1/signals/${NEVER}`,
      ]) {
        const answer = await changesNothing(n.t, () => client.ask({ method, path }))
        expect([answer.status, answer.headers['allow']], path).toEqual([405, 'GET'])
        if (method !== 'HEAD') expectRefusal(answer, 'method-not-allowed')
        expect(answer.headers['provenance-read']).toBeUndefined()
      }
    },
  )

  test.for([
    ['without a host', 'GET /v1/whoami HTTP/1.1\r\n\r\n'],
    ['with two lengths', 'POST /v1/lookups HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}'],
    [
      'with length and chunks',
      'POST /v1/lookups HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['with a length that is none', 'POST /v1/lookups HTTP/1.1\r\nhost: x\r\ncontent-length: 0x2\r\n\r\n{}'],
    ['with a folded header', `GET /v1/whoami HTTP/1.1\r\nhost: x\r\nx-plover: 1\r\n ${CANARY}\r\n\r\n`],
    ['with a bare line feed', `GET /v1/whoami HTTP/1.1\nhost: x\nx-plover: ${CANARY}\n\n`],
    ['that is none', `${CANARY} ${CANARY}\r\n\r\n`],
  ] as const)('%s is refused and its connection ends or goes on in step', async ([, bytes]) => {
    const text = await changesNothing(n.t, () => client.raw(bytes, (told) => told.includes('"request_id"')))
    const [head = '', body = ''] = text.split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 400 /)
    expect(head.toLowerCase()).toContain('content-type: application/problem+json')
    expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'invalid-header' })
    expect(text).not.toContain(CANARY)
  })

  test('with an expectation that nobody knows is answered as if it had none', async () => {
    const answer = await client.ask({ path: '/v1/whoami', headers: { expect: CANARY } })
    expect([answer.status, answer.text.includes('apple')]).toEqual([200, true])
  })

  test('that asks for another protocol is answered in this one', async () => {
    const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x'
    const text = await client.raw(`GET /v1/whoami HTTP/1.1\r\nhost: x\r\n${upgrade}\r\n\r\n`, (told) =>
      told.includes('"apple"'),
    )
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    const tunnel = 'CONNECT x.example:443 HTTP/1.1\r\nhost: x.example\r\n\r\n'
    expect(await client.raw(tunnel)).toBe('')
  })
})

test('a key that is asked for a thousand times is given out once', async () => {
  const item = await apple.item({ type: 'email', raw: 'fig@mail.example' }, await apple.everybody())
  if (item.type !== 'email') throw new Error('an address')
  await apple.client.submit(await apple.sign([item]))
  await quiet(n.t)
  const query = (count: number) => ({
    ...{ type: 'email' as const, profile: `email/1@${item.value.kid}` },
    keys: Array<string>(count).fill(item.value.token),
  })
  const { asked, matches } = await apple.client.lookUp({ queries: [query(500), query(500)], purpose: 'appeal' })
  expect([asked, matches.length]).toEqual([1_000, 1])
})
