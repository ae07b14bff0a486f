import { afterEach, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { idOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { closeServers, identityOf, serve } from './server.ts'

let pki: TestPki

beforeAll(async () => {
  pki = await testPki()
})
afterEach(closeServers)

test('a segment whose connection breaks is an error, and no reader waits for its rest', async () => {
  const server = await serve(pki, ({ socket }, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('half', () => socket.destroy())
  })
  const client = createClient({ origin: server.origin, ...identityOf(await pki.participant('aspen')) })
  const { pieces } = await client.segment(idOf(1), 1n)
  await expect(Array.fromAsync(pieces)).rejects.toMatchObject({ code: 'ECONNRESET' })
  client.close()
})
