import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { createInstance, type Finished } from '../../src/http/instance.ts'
import { type TestPki, testPki } from '../support/pki.ts'

export interface TestInstance {
  app: FastifyInstance
  finished: Finished[]
  /** What left as `internal`, with the id that the caller was told. */
  faults: [error: unknown, id: string][]
}

export interface Instances {
  /** A listener's Fastify without client certificates, closed by `closeAll`. */
  make(): TestInstance
  /** Listens, and opens a connection whose handshake is done. */
  dial(app: FastifyInstance): Promise<TLSSocket>
  closeAll(): Promise<void>
}

/** For the tests of one file. */
export async function instances(pki?: TestPki): Promise<Instances> {
  const { material, ca } = pki ?? (await testPki())
  const open: FastifyInstance[] = []
  return {
    make() {
      const finished: Finished[] = []
      const faults: [unknown, string][] = []
      const app = createInstance({
        https: { key: material.key, cert: material.chain },
        onFinished: (one) => finished.push(one),
        onFault: (error, id) => faults.push([error, id]),
      })
      open.push(app)
      return { app, finished, faults }
    },
    async dial(app) {
      if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
      const { port } = app.server.address() as AddressInfo
      const socket = connect({ host: '127.0.0.1', port, ca: ca.root, servername: 'localhost' })
      socket.on('error', () => {})
      await once(socket, 'secureConnect')
      return socket
    },
    closeAll: async () => void (await Promise.all(open.splice(0).map((app) => app.close()))),
  }
}

/** Everything that comes over a connection until it closes. */
export async function untilClosed(socket: TLSSocket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  if (!socket.closed) await once(socket, 'close')
  return text
}

/** The problem document after the head of an answer. */
export const problemIn = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
