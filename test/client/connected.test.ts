import { rmSync } from 'node:fs'
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { SourceInfo } from '../../src/client/client.ts'
import { verifierAnew, verifierFor } from '../../src/client/connected.ts'
import { aHome } from '../bridge/home.ts'
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
