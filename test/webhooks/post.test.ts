import type { lookup as lookUpName } from 'node:dns'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createPoster, type PosterOptions } from '../../src/webhooks/post.ts'
import { BROKEN, brokenServer, headAlone } from '../support/broken-answers.ts'
import { type TestPki, testPki } from '../support/pki.ts'

let pki: TestPki
let server: Server
let port: number
let answer: (request: IncomingMessage, response: ServerResponse) => void
let heard: { url: string | undefined; body: string; headers: IncomingMessage['headers'] }[] = []

beforeAll(async () => {
  pki = await testPki()
  const { key, chain } = pki.material
  server = createServer({ key, cert: chain }, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    heard.push({ url: request.url, body, headers: request.headers })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
})
afterEach(() => {
  heard = []
})

const post = (options: Partial<PosterOptions> = {}, url = `https://localhost:${port}/aldis`) =>
  createPoster({ allowInside: true, ca: pki.ca.root, timeoutMs: 20_000, ...options }).post({
    ...{ url, headers: { 'webhook-id': 'msg_1' }, body: '{"type":"queue.at_risk"}' },
  })

const leadsTo = (...addresses: string[]) =>
  ((_host: string, _options: object, done: (error: null, found: object[]) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as typeof lookUpName

describe('a message', () => {
  test('is posted as JSON with its headers, and taken by 2xx', async () => {
    answer = (_, response) => void response.writeHead(204).end()
    expect(await post()).toBeUndefined()
    expect(heard[0]).toMatchObject({
      ...{ url: '/aldis', body: '{"type":"queue.at_risk"}' },
      headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1' },
    })
  })
  test('is not carried to where a redirect leads', async () => {
    answer = (_, response) => void response.writeHead(307, { location: `https://127.0.0.1:${port}/else` }).end()
    expect(await post()).toBe('redirected')
    expect(heard).toHaveLength(1)
  })
  test('has failed once the time of an attempt is over, whatever was answered by then', async () => {
    answer = () => {}
    expect(await post({ timeoutMs: 50 })).toBe('timeout')
  })
  test('is taken by the status alone: an answer without end is not read', async () => {
    answer = (_, response) => {
      response.writeHead(200)
      const more = (): void =>
        void (response.destroyed || response.write(Buffer.alloc(65_536), () => setImmediate(more)))
      more()
    }
    expect(await post()).toBeUndefined()
  })
  test('has failed where the head of the answer is larger than it may be', async () => {
    answer = (_, response) => void response.writeHead(200, { x: 'a'.repeat(40_000) }).end()
    expect(await post()).toBe('unreachable')
  })
  test('has failed where nobody listens, and where the connection is closed', async () => {
    expect(await post({}, 'https://localhost:1/')).toBe('unreachable')
    answer = (request) => void request.socket.destroy()
    expect(await post()).toBe('unreachable')
  })
  test.each(Object.entries(BROKEN))('has failed where the receiver %s, and not for ever', async (_what, act) => {
    const { key, chain: cert } = pki.material
    const broken = await brokenServer(act, { key, cert })
    try {
      expect(await post({}, `https://localhost:${broken.port}/`)).toBe('unreachable')
      expect(broken.asked()).toBe(1)
    } finally {
      await broken.close()
    }
  })
  test('has failed where 101 is answered without another protocol, and then nothing', async () => {
    const { key, chain: cert } = pki.material
    const broken = await brokenServer((socket) => socket.write('HTTP/1.1 101 Fig\r\n\r\n'), { key, cert })
    expect(await post({}, `https://localhost:${broken.port}/`).finally(broken.close)).toBe('refused')
  })
  test('is taken by a status of 2xx also where the connection closes after the head of the answer', async () => {
    const { key, chain: cert } = pki.material
    const broken = await brokenServer(headAlone, { key, cert })
    expect(await post({}, `https://localhost:${broken.port}/`).finally(broken.close)).toBeUndefined()
  })
  test('goes to nobody whose certificate is not trusted', async () => {
    answer = (_, response) => void response.writeHead(204).end()
    expect(await post({ ca: undefined })).toBe('untrusted')
    expect(heard).toEqual([])
  })
})

describe('in production an address inside is not called', () => {
  test('whatever name leads there, or is the address itself', async () => {
    answer = (_, response) => void response.writeHead(204).end()
    const outside = { allowInside: false }
    expect(await post(outside)).toBe('inside')
    expect(await post(outside, `https://127.0.0.1:${port}/`)).toBe('inside')
    expect(await post(outside, `https://[::1]:${port}/`)).toBe('inside')
    expect(await post({ ...outside, lookup: leadsTo('127.0.0.1') }, `https://hooks.example:${port}/`)).toBe('inside')
    expect(heard).toEqual([])
  })
  test('nor is a name of which one of several addresses is', async () => {
    const lookup = leadsTo('93.184.215.14', '10.0.0.1')
    expect(await post({ allowInside: false, lookup }, `https://hooks.example:${port}/`)).toBe('inside')
  })
  test('a name that leads nowhere is unreachable', async () => {
    expect(await post({ allowInside: false, lookup: leadsTo() }, 'https://hooks.example/')).toBe('unreachable')
  })
})
