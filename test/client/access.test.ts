import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TOKEN_PATH } from '../../src/access/schema.ts'
import { narrowed } from '../../src/client/access.ts'
import { collect, createTransport, type Transport } from '../../src/client/transport.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { closeServers, identityOf, serve } from './server.ts'

let pki: TestPki
const open: Transport[] = []
beforeAll(async () => {
  pki = await testPki()
})
afterEach(async () => {
  for (const one of open.splice(0)) one.close()
  await closeServers()
})

/** A node that takes one token, the newest unless it is told otherwise, and the transport of a program that reads feeds. */
async function aNode() {
  const seen: string[] = []
  const node = { issued: 0, taken: (n: number) => n === node.issued }
  const server = await serve(pki, ({ path, body, headers }, response) => {
    if (path === TOKEN_PATH) {
      node.issued += 1
      seen.push(`token for ${new URLSearchParams(body).get('scope')}`)
      return response.end(JSON.stringify({ access_token: `t${node.issued}` }))
    }
    const { authorization = 'none' } = headers
    seen.push(authorization)
    return response.writeHead(node.taken(Number(authorization.slice('Bearer t'.length))) ? 200 : 401).end('{}')
  })
  const transport = narrowed(createTransport(server.origin, identityOf(await pki.participant('aspen'))), ['feed:read'])
  open.push(transport)
  return { node, seen, transport }
}
const CALL = { method: 'GET', path: '/v1/feeds', idempotent: true } as const
const STREAM = { method: 'GET', path: '/v1/feeds' } as const

describe('a transport of fewer scopes', () => {
  test('sends a token of these scopes with whatever it asks, and asks for one alone', async () => {
    const { seen, transport } = await aNode()
    await Promise.all([transport.call(CALL), transport.call(CALL)])
    await collect(await transport.open(STREAM))
    expect(seen).toEqual(['token for feed:read', ...Array(3).fill('Bearer t1')])
  })
  test('asks for another token once where the one it has was refused', async () => {
    const { node, seen, transport } = await aNode()
    node.taken = (n) => n === 2
    expect((await transport.call(CALL)).status).toBe(200)
    node.taken = (n) => n === 3
    expect((await transport.stream(CALL.path)).statusCode).toBe(200)
    node.taken = () => false
    await expect(transport.call(CALL)).rejects.toMatchObject({ status: 401 })
    await expect(transport.stream(CALL.path)).rejects.toMatchObject({ status: 401 })
    expect(seen.filter((one) => one.startsWith('token'))).toHaveLength(5)
  })
  test('repeats no body that it cannot repeat, and has a fresh token for whoever comes again', async () => {
    const { node, transport } = await aNode()
    node.taken = (n) => n === 2
    const answers = []
    for (let i = 0; i < 2; i++) {
      const message = await transport.open(STREAM)
      await collect(message)
      answers.push(message.statusCode)
    }
    expect(answers).toEqual([401, 200])
  })
})
