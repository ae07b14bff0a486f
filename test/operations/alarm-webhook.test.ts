import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { LIMITS } from '../../src/http/limits.ts'
import { createLog } from '../../src/kernel/log.ts'
import { createWebhook, type Webhook } from '../../src/operations/alarm-webhook.ts'
import { BROKEN, brokenServer } from '../support/broken-answers.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const CHANGE = { name: 'disk-full', state: 'raised', at: new Date('2026-11-26T12:00:00.000Z') } as const

interface Heard {
  headers: IncomingMessage['headers']
  body: string
}

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0)) await end()
})

/** A receiver that answers each request as told, the last way for ever; and a webhook to it. */
async function receiver(
  answers: readonly ((response: ServerResponse) => void)[],
  options: { secret?: string; timeoutMs?: number } = {},
): Promise<{ heard: Heard[]; webhook: Webhook; lines: string[]; url: string; server: Server }> {
  const heard: Heard[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    heard.push({ headers: request.headers, body })
    answers[Math.min(heard.length, answers.length) - 1]?.(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alarms`
  const hook = hookTo(url, options)
  ending.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  )
  return { heard, ...hook, url, server }
}

function hookTo(
  url: string,
  options: { secret?: string; timeoutMs?: number } = {},
): { webhook: Webhook; lines: string[] } {
  const lines: string[] = []
  const log = createLog({ level: 'debug', destination: { write: (line) => void lines.push(line) } })
  let ids = 0
  const webhook = createWebhook({
    ...{ url, secret: options.secret, node: 'https://node.example.org', log, firstDelayMs: 1 },
    timeoutMs: options.timeoutMs ?? 5_000,
    clock: () => new Date('2026-11-26T12:00:01.500Z'),
    newId: () => `id-${++ids}`,
  })
  ending.push(() => webhook.stop())
  return { webhook, lines }
}

const ok = (response: ServerResponse): void => void response.writeHead(204).end()
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end()

test('a change is posted with its name, state, time and node, and nothing else', async () => {
  const { heard, webhook } = await receiver([ok])
  webhook.send(CHANGE)
  await webhook.idle()
  expect(heard.length).toBe(1)
  expect(JSON.parse(heard[0]?.body ?? '')).toEqual({
    ...{ name: 'disk-full', state: 'raised', at: '2026-11-26T12:00:00.000Z', node: 'https://node.example.org' },
  })
  expect(heard[0]?.headers).toMatchObject({ 'webhook-id': 'msg_id-1', 'webhook-timestamp': '1795694401' })
  expect(heard[0]?.headers['webhook-signature']).toBeUndefined()
})

test('with a secret it is signed by Standard Webhooks', async () => {
  const { heard, webhook } = await receiver([ok], { secret: SECRET })
  webhook.send(CHANGE)
  await webhook.idle()
  const [{ body, headers } = { body: '', headers: {} }] = heard
  const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(`msg_id-1.1795694401.${body}`).digest('base64')
  expect(headers['webhook-signature']).toBe(`v1,${mac}`)
})

test('what fails is tried again under the same id, and then the next one is told', async () => {
  const { heard, webhook } = await receiver([status(500), status(429), ok])
  webhook.send(CHANGE)
  webhook.send({ ...CHANGE, state: 'cleared' })
  await webhook.idle()
  expect(heard.map(({ headers }) => headers['webhook-id'])).toEqual(['msg_id-1', 'msg_id-1', 'msg_id-1', 'msg_id-2'])
  expect(heard.map(({ body }) => (JSON.parse(body) as { state: string }).state).slice(2)).toEqual(['raised', 'cleared'])
})

test('a redirect is a failure: it is not followed', async () => {
  const other = await receiver([ok])
  const { heard, webhook, lines } = await receiver([status(307, { location: other.url })])
  webhook.send(CHANGE)
  await webhook.idle()
  expect(heard.length).toBe(LIMITS.alarm_attempts)
  expect(other.heard).toEqual([])
  expect(lines.at(-1)).toContain('an alarm was not delivered')
})

test('attempts have an end, which the log of the process says', async () => {
  const { heard, webhook, lines } = await receiver([status(503)])
  webhook.send(CHANGE)
  await webhook.idle()
  expect(heard.length).toBe(LIMITS.alarm_attempts)
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ level: 'error', name: 'disk-full' })
})

test('a receiver that does not answer is given up in time', async () => {
  const { heard, webhook } = await receiver([() => {}, ok], { timeoutMs: 1_000 })
  webhook.send(CHANGE)
  await webhook.idle()
  expect(heard.length).toBe(2)
})

test('of an answer without an end nothing is taken', async () => {
  const closed = Promise.withResolvers<void>()
  const flood = (response: ServerResponse): void => {
    response.on('close', () => closed.resolve())
    response.writeHead(200)
    const more = (): void => {
      while (!response.destroyed && response.write('plum'.repeat(16_384)));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  }
  const { heard, webhook } = await receiver([flood])
  webhook.send(CHANGE)
  await webhook.idle()
  await closed.promise
  expect(heard.length).toBe(1)
})

test('an answer whose head is too long is a failure', async () => {
  const { heard, webhook } = await receiver([status(200, { fig: 'x'.repeat(20_000) }), ok])
  webhook.send(CHANGE)
  await webhook.idle()
  expect(heard.length).toBe(2)
})

test.each(Object.entries(BROKEN))('a receiver that %s has failed, and the next change is told', async (_what, act) => {
  const broken = await brokenServer(act)
  ending.push(broken.close)
  const { webhook, lines } = hookTo(`http://127.0.0.1:${broken.port}/alarms`)
  webhook.send(CHANGE)
  webhook.send({ ...CHANGE, state: 'cleared' })
  await webhook.idle()
  expect(broken.asked()).toBe(2 * LIMITS.alarm_attempts)
  expect(lines.filter((line) => line.includes('an alarm was not delivered'))).toHaveLength(2)
})

test('nobody there is a failure, and no error of ours', async () => {
  const { webhook, lines, server } = await receiver([ok])
  await new Promise((resolve) => server.close(resolve))
  webhook.send(CHANGE)
  await webhook.idle()
  expect(lines.filter((line) => line.includes('ECONNREFUSED')).length).toBe(LIMITS.alarm_attempts)
})

test('what waits has a limit', async () => {
  const { heard, webhook, lines } = await receiver([ok])
  for (let i = 0; i < LIMITS.alarm_queue + 3; i++) webhook.send(CHANGE)
  expect(lines.length).toBe(3)
  await webhook.idle()
  expect(heard.length).toBe(LIMITS.alarm_queue)
})

test('to stop is not to wait for a receiver', async () => {
  const asked = Promise.withResolvers<void>()
  const { webhook, heard } = await receiver([() => asked.resolve()])
  webhook.send(CHANGE)
  webhook.send(CHANGE)
  await asked.promise
  await webhook.stop()
  expect(heard.length).toBe(1)
})
