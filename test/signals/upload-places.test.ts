import { once } from 'node:events'
import { connect } from 'node:net'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import type { Peer } from '../../src/http/peer.ts'
import { newId } from '../../src/kernel/ids.ts'
import { signalRoutes } from '../../src/signals/routes.ts'
import type { SignalService } from '../../src/signals/service.ts'
import { createUploadStreams } from '../../src/signals/upload-streams.ts'

test('whoever has gone before its stream is counted keeps no place', async () => {
  const uploading = createUploadStreams()
  const credential = newId(new Date())
  const app = fastify()
  app.decorateRequest('peer')
  // As who asks is looked up in the database, and leaves meanwhile.
  const left = Promise.withResolvers<void>()
  app.addHook('onRequest', async (request, reply) => {
    request.peer = { credential } as Peer
    request.raw.socket.destroy()
    if (!reply.raw.closed) await once(reply.raw, 'close')
    setImmediate(left.resolve)
  })
  // Nothing is submitted.
  await app.register(signalRoutes, { uploading, signals: {} as SignalService })
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect({ host: url.hostname, port: Number(url.port) })
  const head = ['host: x', `upload-id: ${newId(new Date())}`, 'content-type: application/x-ndjson']
  socket.write(`POST /v1/submissions/stream HTTP/1.1\r\n${head.join('\r\n')}\r\ntransfer-encoding: chunked\r\n\r\n`)
  await left.promise
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(uploading.openBy(credential)).toBe(0)
  socket.destroy()
  await app.close()
})
