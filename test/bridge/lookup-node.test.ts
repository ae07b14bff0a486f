import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { lookUpAtNode } from '../../src/bridge/lookup-node.ts'
import { closeServers, json, serve } from '../client/server.ts'
import { aNode, aRead, aSource, received } from '../client/source.ts'
import { anItem, sha, textOf } from '../signals/factory.ts'
import { testPki } from '../support/pki.ts'
import { aHome } from './home.ts'

afterAll(closeServers)

test('a match that the node answers for another key than its source signed is not told', async () => {
  const [pki, apple, node] = [await testPki(), aSource('apple'), aNode()]
  const value = { profile: 'email/1', kid: 'spring', token: sha('plum') }
  const [one] = await received(node, apple, [textOf(anItem({ value }, 'email'))])
  const { origin } = await serve(pki, ({ path, body }, response) => {
    if (path === '/v1/participants') return json(response, { participants: [apple.info] })
    const [{ keys }] = (JSON.parse(body) as { queries: [{ keys: string[] }] }).queries
    const matches = [{ key: keys[0], event: one?.event }]
    const read = { 'provenance-read': aRead(1) }
    json(response, { as_of: '9', asked: 1, matches, submissions: [one?.proof] }, 200, read)
  })
  const home = await aHome(origin, pki)
  writeFileSync(join(home.dir, 'node-receipt-keys.json'), JSON.stringify(node.home.receipt_keys))
  const client = home.connect()
  const ask = (key: string) =>
    lookUpAtNode({ link: { home, client: () => client } } as Parameters<typeof lookUpAtNode>[0], {}, [
      { keys: [{ type: 'email', profile: 'email/1@spring', key }], lack: undefined },
    ])
  try {
    expect(await ask(sha('plum'))).toMatchObject([{ outcome: 'match', matches: [{ profile: 'email/1@spring' }] }])
    await expect(ask(sha('pear'))).rejects.toMatchObject({ name: 'VerificationFailed', step: 'look-up' })
  } finally {
    client.close()
    rmSync(home.dir, { recursive: true })
  }
})
