import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createMetrics } from '../../src/http/metrics.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { createListeners, type Listeners, type Serving } from '../../src/listeners.ts'
import type { Parts } from '../../src/parts.ts'
import { type MemoryDirectory, memoryDirectory } from '../support/peer-directory.ts'
import { type ClientIdentity, type TestPki, TRUST_DOMAIN } from '../support/pki.ts'

/** What no request of a test may reach: it fails the request that does. */
const unreachable = <T>(): T => new Proxy({}, { get: () => undefined }) as T

export interface RealListeners extends Listeners {
  directory: MemoryDirectory
}

/** The listeners of a node exactly as it makes them, over services that are not there; time stands still. */
export async function realListeners({ material, ca }: TestPki, serving: Partial<Serving> = {}): Promise<RealListeners> {
  const directory = memoryDirectory()
  const parts = {
    ...{ authority: directory, programme: { trust_domain: TRUST_DOMAIN }, clock: () => new Date(0) },
    ...{ pools: { app: {} }, keys: unreachable(), provenance: unreachable(), participants: unreachable() },
    config: {},
    sightings: { seen: () => {} },
    ...{ logId: 1, logs: [{ log_id: 1, origin: 'node.example.org/provenance/1' }] },
    certificate: async () => ({ key: material.key, chain: material.chain }),
    rootCertificate: ca.root,
  } as unknown as Parts
  const silent = { log: silentLog, metrics: createMetrics(), head: { line: undefined } }
  const idle: Omit<Serving, 'log' | 'metrics' | 'head'> = {
    ...{ halted: () => undefined, notifying: unreachable(), overseeing: unreachable() },
    ...{ evaluations: unreachable(), feedback: unreachable(), review: unreachable() },
    ...{ feeds: unreachable(), taxii: unreachable(), signals: unreachable(), ledgers: new Map([[1, unreachable()]]) },
    uploads: unreachable(),
    requestLog: { add: () => {}, round: unreachable(), page: unreachable() },
  }
  const listeners = await createListeners(parts, { ...silent, ...idle, ...serving }, { loopDelayMs: 60_000 })
  return { ...listeners, directory }
}

export interface Asked {
  status: number
  headers: IncomingHttpHeaders
  body: { code?: string; detail?: string }
}

export interface Asking {
  method?: string
  headers?: Record<string, string>
  /** What is written of the body; the request is not ended, as if more of it were to come. */
  begun?: string
}

/** Asks the partner listener, which listens from the first time on, over one connection that is kept. */
export function asking({ partner }: RealListeners, { key, cert, ca }: ClientIdentity) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, key, cert, ca })
  return {
    async ask(path: string, { method = 'GET', headers = {}, begun }: Asking = {}): Promise<Asked> {
      if (!partner.server.listening) await partner.listen({ host: '127.0.0.1', port: 0 })
      const { port } = partner.server.address() as AddressInfo
      const out = request({ host: '127.0.0.1', port, path, method, headers, agent })
      if (begun === undefined) out.end()
      else out.write(begun)
      const [message] = (await once(out, 'response')) as [IncomingMessage]
      const chunks: Buffer[] = []
      for await (const chunk of message) chunks.push(chunk)
      if (begun !== undefined) out.destroy()
      return {
        status: message.statusCode ?? 0,
        headers: message.headers,
        body: JSON.parse(Buffer.concat(chunks).toString()),
      }
    },
    end: () => agent.destroy(),
  }
}
