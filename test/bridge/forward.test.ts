import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createForwarder, type Forwarder } from '../../src/bridge/forward.ts'
import type { Happening } from '../../src/bridge/keeper.ts'
import { type NodeLink, openLink } from '../../src/bridge/node-link.ts'
import { type Outbox, openOutbox } from '../../src/bridge/outbox.ts'
import { openHome } from '../../src/client/home.ts'
import { type Answerer, closeServers, identityOf, json, serve, type TestServer } from '../client/server.ts'
import { aLog, aNode } from '../client/source.ts'
import { idOf, NOON, ORIGIN, PROGRAMME, uriOf } from '../signals/factory.ts'
import { testPki } from '../support/pki.ts'

let dir: string
let outbox: Outbox
let server: TestServer
let link: NodeLink
let forwarder: Forwarder
let answer: Answerer
const told: Happening[] = []
let heard: () => void = () => {}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-forward-'))
  const pki = await testPki()
  server = await serve(pki, (request, response) => answer(request, response))
  const banana = await pki.participant('banana')
  const home = openHome(dir)
  const { key, cert: certificate, ca } = { ...banana, ...identityOf(banana) }
  home.enrolled({
    membership: {
      ...{ participant: 'banana', uri: uriOf('banana'), node: server.origin },
      node_origin: ORIGIN,
      programme: PROGRAMME,
      kid: '',
    },
    ...{ key, signing: '{}', certificate, ca },
    node: { log_vkey: aLog(0).vkey, receipt_keys: aNode().home.receipt_keys } as never,
  })
  link = openLink(home)
  outbox = openOutbox(join(dir, 'outbox'), { outbox_entries: 10, outbox_bytes: 10_000, outbox_delivered: 10 })
  told.length = 0
  forwarder = createForwarder({
    ...{ outbox, link, clock: () => NOON, random: () => 0 },
    tell: (one) => {
      told.push(one)
      heard()
    },
  })
})
afterEach(async () => {
  await forwarder.stop()
  link.close()
  await closeServers()
  rmSync(dir, { recursive: true })
})

const add = (n: number) =>
  outbox.add({
    ...{ id: idOf(n), kind: 'hits', at: NOON.toISOString(), digest: '', items: [{ line: 4, signal: idOf(100 + n) }] },
    body: JSON.stringify({ hits: [{ n }] }),
  })
const until = async (is: () => boolean): Promise<void> => {
  while (!is())
    await new Promise<void>((resolve) => {
      heard = resolve
    })
}
const taken = { results: [{ index: 0, status: 200, case: idOf(50) }], event: idOf(60) }
const problem = (status: number, code: string) => ({ code, title: code, status, detail: 'a value', errors: [] })

test('what waits is sent in its order, and the answer is kept by the line of the request', async () => {
  answer = (_request, response) => json(response, taken)
  for (const n of [1, 2, 3]) add(n)
  forwarder.start()
  await until(() => outbox.counts().waiting === 0)
  expect(server.requests.map(({ body }) => body)).toEqual([1, 2, 3].map((n) => JSON.stringify({ hits: [{ n }] })))
  expect(outbox.get(idOf(1))).toMatchObject({
    ...{ state: 'delivered', event: idOf(60), results: [{ line: 4, status: 200, case: idOf(50) }] },
  })
})

test('what the node refuses is kept with its problem, without its words, and the next is sent', async () => {
  answer = ({ body }, response) =>
    body.includes('1') ? json(response, problem(422, 'validation-failed'), 422) : json(response, taken)
  for (const n of [1, 2]) add(n)
  forwarder.start()
  await until(() => outbox.counts().waiting === 0)
  expect(outbox.get(idOf(1))).toMatchObject({ state: 'refused', problem: { code: 'validation-failed', status: 422 } })
  expect(JSON.stringify(outbox.get(idOf(1)))).not.toContain('a value')
  expect(outbox.get(idOf(2))?.state).toBe('delivered')
})

test('while the participant is suspended everything waits, in order, and says for what', async () => {
  let suspended = true
  answer = (_request, response) =>
    suspended ? json(response, problem(403, 'participant-suspended'), 403) : json(response, taken)
  for (const n of [1, 2]) add(n)
  forwarder.start()
  await until(() => told.some(({ what }) => what === 'not-sent'))
  expect([outbox.counts().waiting, forwarder.waitsFor()]).toEqual([2, 'participant-suspended'])
  suspended = false
  forwarder.retry()
  await until(() => outbox.counts().waiting === 0)
  expect(told.flatMap((one) => (one.what === 'sent' ? [one.id] : []))).toEqual([idOf(1), idOf(2)])
  expect(forwarder.waitsFor()).toBeUndefined()
})
