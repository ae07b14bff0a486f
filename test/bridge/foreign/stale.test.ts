import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createEpochs } from '../../../src/bridge/epochs.ts'
import { addForeignClient, endForeignClient } from '../../../src/bridge/foreign/clients.ts'
import { createForeign, type Foreign } from '../../../src/bridge/foreign/foreign.ts'
import type { Known } from '../../../src/bridge/known.ts'
import { openLink } from '../../../src/bridge/node-link.ts'
import { type BridgeServer, startServer } from '../../../src/bridge/server.ts'
import { createWriting } from '../../../src/bridge/writing.ts'
import type { Home } from '../../../src/client/home.ts'
import { numberOf } from '../../../src/interop/threatexchange/numbers.ts'
import { aHash, aMirror, apple, type MirrorFolder } from '../../client/mirror-folder.ts'
import { FEED } from '../../client/source.ts'
import { NOON, sha } from '../../signals/factory.ts'
import { aHome, aKnown } from '../home.ts'

const HOUR = 3_600_000
const later = (hours: number): Date => new Date(NOON.getTime() + hours * HOUR)
const [one, two] = [aHash('pdq', sha('stork 1')), aHash('pdq', sha('stork 2'))]

let home: Home
let mirror: MirrorFolder
let known: Known
let now: Date
let foreign: Foreign
let server: BridgeServer
let close: () => Promise<void>
const faults: unknown[] = []

beforeEach(async () => {
  home = await aHome()
  mirror = aMirror(home.dir)
  await mirror.says(apple, [one, two])
  synced(NOON)
  faults.length = 0
  const link = openLink(home)
  const clock = () => now
  const asks = { known: () => known, clock }
  const writing = createWriting(link, { epochs: createEpochs(link, asks), ...asks })
  foreign = createForeign({
    ...{ link, writing, ...asks, maxAgeMs: 24 * HOUR, acknowledges: false, cursorKey: new Uint8Array(32) },
    ...{ wake: () => {}, onWithheld: () => {}, onFault: (error) => faults.push(error) },
  })
  server = await startServer({
    ...{ routes: foreign.routes, place: { host: '127.0.0.1', port: 0 }, hasSecret: () => false },
    ...{ onAnswered: () => {}, onFault: (_route, error) => faults.push(error) },
  })
  close = async () => {
    await server.close()
    await foreign.close()
    await writing.close()
    link.close()
  }
})
afterEach(async () => {
  await close()
  rmSync(home.dir, { recursive: true })
})

/** The mirror was synchronised then, and all of that is in its files. */
function synced(at: Date): void {
  now = at
  known = aKnown(['spring'], at)
}

async function asked(secret: string): Promise<[number, string[]]> {
  const query = new URLSearchParams({ access_token: `${numberOf('participant', 'banana')}|${secret}` })
  const path = `/v21.0/${numberOf('group', FEED)}/threat_updates/?${query}`
  const [status, text] = await new Promise<[number, string]>((resolve, reject) => {
    get(new URL(path, server.origin), { agent: false }, async (message) => {
      const chunks: Buffer[] = []
      for await (const chunk of message) chunks.push(chunk as Buffer)
      resolve([message.statusCode ?? 0, Buffer.concat(chunks).toString()])
    }).on('error', reject)
  })
  const { data = [] } = JSON.parse(text) as { data?: { indicator: string; should_delete: boolean }[] }
  return [status, data.flatMap(({ indicator, should_delete }) => (should_delete ? [] : [indicator]))]
}

test('what could not be taken in of a fresh mirror is answered for no longer than a mirror may be old', async () => {
  const secret = addForeignClient(home.dir, 'scanner', {}, NOON)
  expect(await asked(secret)).toEqual([200, [one.value.hash, two.value.hash]])
  mirror.nodeSays('signal.expired', { source: 'apple', signal: one.signal })
  const whole = readFileSync(mirror.file())
  writeFileSync(mirror.file(), Buffer.from(whole).fill(7, whole.length - 99))
  synced(later(24))
  foreign.refresh()
  await foreign.settled()
  expect(faults).toMatchObject([{ reason: 'mirror-damaged' }])
  expect((await asked(secret))[0]).toBe(200)
  synced(later(25))
  foreign.refresh()
  await foreign.settled()
  expect((await asked(secret))[0]).toBe(503)
  writeFileSync(mirror.file(), whole)
  expect(await asked(secret)).toEqual([200, [two.value.hash]])
})

test('a client that comes after long without one is told what came meanwhile', async () => {
  const first = addForeignClient(home.dir, 'scanner', {}, NOON)
  expect(await asked(first)).toEqual([200, [one.value.hash, two.value.hash]])
  endForeignClient(home.dir, 'scanner')
  mirror.nodeSays('signal.expired', { source: 'apple', signal: one.signal })
  synced(later(25))
  foreign.refresh()
  const second = addForeignClient(home.dir, 'other', {}, now)
  expect(await asked(second)).toEqual([200, [two.value.hash]])
})
