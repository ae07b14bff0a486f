import { rmSync } from 'node:fs'
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { SourceInfo } from '../../src/client/client.ts'
import { noteEvent, verifierAnew, verifierFor } from '../../src/client/connected.ts'
import { ownSignature } from '../../src/client/countersigned.ts'
import { type Home, type Membership, openHome } from '../../src/client/home.ts'
import { makeSigningKey, openSigningKey } from '../../src/client/signing-key.ts'
import { countersign } from '../../src/signals/countersignature.ts'
import { digestOfJws, signSubmission } from '../../src/signals/submission.ts'
import { aHome } from '../bridge/home.ts'
import { NOON, ORIGIN, PROGRAMME, uriOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { closeServers, json, serve } from './server.ts'
import { aSource } from './source.ts'

let pki: TestPki
beforeAll(async () => {
  pki = await testPki()
})
afterEach(closeServers)

test('the sources that the node lists are gone by anew where one of them, or a key, was not listed before', async () => {
  const [apple, banana] = [aSource('apple').info, aSource('banana').info]
  let participants: SourceInfo[] = [apple]
  const server = await serve(pki, (_request, response) => json(response, { participants }))
  const home = await aHome(server.origin, pki)
  const client = home.connect()
  const before = await verifierFor({ home, client })
  const listedAnew = async (...listed: SourceInfo[]) => {
    participants = listed
    return (await verifierAnew({ home, client }, before))?.by.sources
  }
  expect(await listedAnew(apple)).toBeUndefined()
  expect(await listedAnew()).toBeUndefined()
  expect(await listedAnew(apple, banana)).toEqual([apple, banana])
  const rotated = { ...apple, signing_keys: [...apple.signing_keys, ...aSource('apple').info.signing_keys] }
  expect(await listedAnew(rotated)).toEqual([rotated])
  client.close()
  rmSync(home.dir, { recursive: true })
})

test('a submission is noted with the time of our signature, before which nothing of it can have been promised', async () => {
  const [ours, node] = [makeSigningKey(), makeSigningKey()].map(openSigningKey)
  if (ours === undefined || node?.jwk.kty !== 'OKP') throw new Error('no key')
  const { jws } = await signSubmission({
    ...{ typ: 'aldis-signal+jws', iss: uriOf('apple'), aud: ORIGIN, prg: PROGRAMME },
    ...{ items: ['{}'], key: ours, now: NOON },
  })
  const sent = ownSignature(jws)
  const countersignature = await countersign(
    { od: digestOfJws(jws), rec: new Uint8Array(32), payload: jws.payload, now: NOON },
    { kid: node.kid, iss: ORIGIN, sign: node.sign },
  )
  const notes: object[] = []
  const home = {
    ...openHome('/nowhere'),
    membership: () => ({ node_origin: ORIGIN }) as Membership,
    receiptKeys: () => [{ kid: node.kid, alg: 'Ed25519' as const, jwk: node.jwk }] as ReturnType<Home['receiptKeys']>,
    note: (_file: string, line: object) => void notes.push(line),
  }
  const submission = '018f6b2e-0000-7000-8000-000000000001'
  noteEvent({ home }, { submission, countersignature }, { ...sent, what: 'submission' })
  expect(notes).toMatchObject([{ event: submission, signed_at: NOON.toISOString(), at: expect.any(String) }])
})
