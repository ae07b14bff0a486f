import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import type { LookupResult } from '../../src/feeds/schema.ts'
import { type SignedSubmission, signSubmission } from '../../src/signals/submission.ts'
import { kill } from '../support/process-node.ts'
import { anExchange, type Exchange } from './exchange.ts'
import { faultsOf } from './history.ts'
import { anItem } from './sender.ts'

/** What the node may say while it has no database. */
const CODES = ['busy', 'outcome-unknown', 'read-only', 'log-behind', 'authority-stale']

let x: Exchange
beforeAll(async () => {
  x = await anExchange()
}, 120_000)
afterAll(() => x?.end(), 120_000)

interface Answer {
  code: string
  body: unknown
}

/** One try, as a client that repeats nothing makes it. */
const ask = (client: Client, path: string, body: object): Promise<Answer> =>
  client.transport.call({ method: 'POST', path, body: JSON.stringify(body), idempotent: false }).then(
    (answer) => ({ code: 'ok', body: JSON.parse(answer.body.toString()) as unknown }),
    (error: { code: string }) => ({ code: error.code, body: undefined }),
  )

/** A signal of its own, signed, and how it is looked up; expected to be stored in the end. */
async function aSignal() {
  const { uri: iss, node_origin: aud, programme: prg } = x.source.membership()
  const item = anItem(x.audience)
  const text = JSON.stringify(item)
  const key = x.source.signingKey()
  const signed = await signSubmission({ typ: 'aldis-signal+jws', iss, aud, prg, key, now: new Date(), items: [text] })
  const { sha256 } = item.value as { sha256: string }
  const lookup = { queries: [{ type: 'url', profile: 'url/1', keys: [sha256] }], purpose: 'investigation' }
  x.history.sent.push({ signal: item.signal, revision: item.revision, item: text })
  return { step: { signal: item.signal, revision: item.revision }, signed, lookup }
}

const found = ({ body }: Answer) => (body as LookupResult).matches.map(({ event }) => event.signal)

describe('while the database is gone', () => {
  test('look-ups and submissions are answered truly or with 503 by name, and the node heals by itself', {
    timeout: 120_000,
  }, async () => {
    const { n, sending, reading, history } = x
    const known = await aSignal()
    await sending.submit(known.signed)
    await expect
      .poll(async () => found(await ask(reading, '/v1/lookups', known.lookup)), { timeout: 20_000 })
      .toEqual([known.step.signal])

    const codes = new Set<string>()
    let state: 'on' | 'ending' | 'given up' = 'on'
    const lookingUp = async (): Promise<void> => {
      for (; state === 'on'; await delay(20)) {
        const answer = await ask(reading, '/v1/lookups', known.lookup)
        codes.add(answer.code)
        if (answer.code === 'ok') expect(found(answer)).toEqual([known.step.signal])
      }
    }
    // The same bytes until they are durable.
    const untilDurable = async (signed: SignedSubmission): Promise<void> => {
      for (let code = ''; code !== 'ok' && state !== 'given up'; await delay(20)) {
        code = (await ask(sending, '/v1/submissions', signed)).code
        codes.add(code)
      }
    }
    const submitting = async (): Promise<void> => {
      while (state === 'on') {
        const { step, signed } = await aSignal()
        await untilDurable(signed)
        history.acknowledged.push(step)
      }
    }
    const work = Promise.all([lookingUp(), submitting()])
    try {
      await delay(300)
      n.freeze()
      await delay(3_000)
      n.thaw()
      await delay(300)
      kill(n.postmaster())
      await expect.poll(() => codes.has('busy'), { timeout: 20_000 }).toBe(true)
      await x.recovered()
      await delay(300)
      state = 'ending'
      await work
    } finally {
      state = 'given up'
    }
    expect([...codes].filter((code) => code !== 'ok' && !CODES.includes(code))).toEqual([])
    expect(faultsOf(history, await x.settled())).toEqual([])
  })
})

test('a database that an earlier node left behind is adopted, and started again when it dies', {
  timeout: 60_000,
}, async () => {
  const { n } = x
  const left = n.postmaster()
  await n.end('SIGKILL')
  await n.start()
  expect(n.postmaster()).toBe(left)
  kill(left)
  await expect.poll(() => n.postmaster(), { timeout: 20_000 }).not.toBe(left)
  await x.recovered()
  expect(faultsOf(x.history, await x.settled())).toEqual([])
})
