import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { type ShutdownParts, stop } from '../../src/http/shutdown.ts'
import { silentLog } from '../../src/kernel/log.ts'

const OPTIONS = { log: silentLog, noticeMs: 0, requestsMs: 2_000 }

function parts(order: string[], replaced: Partial<ShutdownParts> = {}): ShutdownParts {
  const closing = (name: string) => async () => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    order.push(name)
  }
  const server = { closeAllConnections: () => order.push('cut') }
  return {
    drain: () => order.push('drain'),
    listeners: [{ close: closing('listener'), server }],
    loops: [closing('loop')],
    pools: [closing('pool')],
    last: [closing('operations'), closing('database')],
    ...replaced,
  }
}

test('parts end in order, and no running request is cut', async () => {
  const order: string[] = []
  expect(await stop(parts(order), OPTIONS)).toBe(true)
  expect(order).toEqual(['drain', 'listener', 'loop', 'pool', 'operations', 'database'])
})

test('a part that fails holds up none of the others, but is told', async () => {
  const order: string[] = []
  const loops = [
    () => {
      throw new Error('at once')
    },
    () => Promise.reject(new Error('later')),
  ]
  expect(await stop(parts(order, { loops }), OPTIONS)).toBe(false)
  expect(order).toEqual(['drain', 'listener', 'pool', 'operations', 'database'])
})

test('listeners are closed some time after readiness has failed', async () => {
  const order: string[] = []
  let drained = 0
  let closed = 0
  const close = async () => {
    closed = performance.now()
  }
  const listener = { close, server: { closeAllConnections: () => {} } }
  const drain = () => {
    drained = performance.now()
  }
  await stop(parts(order, { drain, listeners: [listener] }), { ...OPTIONS, noticeMs: 50 })
  expect(closed - drained).toBeGreaterThanOrEqual(45)
})

test('a running request is answered, a new one is not taken', async () => {
  const app = Fastify()
  const running = Promise.withResolvers<void>()
  app.get('/slow', async () => {
    running.resolve()
    await new Promise((resolve) => setTimeout(resolve, 100))
    return 'done'
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const answer = fetch(`${url}/slow`)
  await running.promise
  const stopped = stop(parts([], { listeners: [app] }), OPTIONS)
  expect(await (await answer).text()).toBe('done')
  expect(await stopped).toBe(true)
  await expect(fetch(`${url}/slow`)).rejects.toThrow()
})

test('a request without end is cut when its time is over', async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const request = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  const failed = once(request, 'error')
  await once(server, 'request')
  const listener = { server, close: () => new Promise((resolve) => server.close(resolve)) }
  const order: string[] = []
  expect(await stop(parts(order, { listeners: [listener] }), { ...OPTIONS, requestsMs: 50 })).toBe(true)
  await failed
  expect(order).toContain('pool')
})
