import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Refusal } from '../../src/kernel/errors.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem, SubmissionResult } from '../../src/signals/schema.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { CASES, HELD, type Item, type Kind, RETIRED } from './item-cases.ts'
import { type Caller, callerOf, changesNothing, JSON_TYPE, NEVER, repeated, signTexts } from './world.ts'

type PatternValue = Extract<SignalItem, { type: 'keyword_pattern' }>['value']

let n: TestNode
let apple: Member
let client: Caller
let others: Uuid
let good: Record<Kind, Item>

beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  const banana = await n.member('banana')
  await n.member('cherry')
  client = callerOf(n, apple)
  others = await banana.audience('banana and cherry', 'cherry')
  const window = { not_before: '2026-01-01T00:00:00Z', not_after: '2036-01-01T00:00:00Z' }
  await n.decide('hash-profile.publish', { kid: RETIRED, suite: 'hmac-sha256', ...window })
  await n.decide('hash-profile.retire', { kid: RETIRED })
  await n.decide('collection.hold', { ...HELD, held: true })
  good = await itemsFor(await apple.everybody())
})
afterAll(async () => {
  client.close()
  await n.end()
})

async function itemsFor(audience: Uuid): Promise<typeof good> {
  const item = async (line: Parameters<Member['item']>[0]): Promise<Item> => ({ ...(await apple.item(line, audience)) })
  const pattern: PatternValue = {
    ...{ kind: 'literal', text: 'blue kite', language: 'en', case_sensitive: false, whole_word: false },
    must_match: ['the blue kite sings', 'blue kite', 'blue kites'],
    must_not_match: ['the blue sky', 'kite', 'blue  kite'],
  }
  const tactic = {
    ...{ title: 'A nest that moves', steps: ['greets in public'], surfaces: ['chat'], lures: ['seed'] },
    ...{ payment_rails: ['gift_card'], detection: ['many greetings in an hour'] },
  }
  return {
    url: await item({ type: 'url', raw: 'https://bad.example/a' }),
    email: await item({ type: 'email', raw: 'fig@mail.example' }),
    media: await item({ type: 'media_hash', algorithm: 'sha256', hash: 'ab12'.repeat(16) }),
    pattern: await item({ type: 'keyword_pattern', pattern }),
    tactic: await item({ type: 'tactic', tactic }),
  }
}

async function submit(...texts: string[]): Promise<SubmissionResult> {
  const body = JSON.stringify(await signTexts(apple, texts))
  const answer = await client.ask({ method: 'POST', path: '/v1/submissions', headers: JSON_TYPE, body })
  expect([200, 201], answer.text).toContain(answer.status)
  expect(repeated(answer.text)).toEqual([])
  return JSON.parse(answer.text) as SubmissionResult
}

const fresh = (item: Item): Item => ({ ...item, signal: newId(new Date()) })

test.for(CASES)('an item with %s changes nothing', async ([, kind, change, code, pointer, secret]) => {
  const result = await changesNothing(n.t, () => submit(change(fresh(good[kind]))))
  expect(result).toMatchObject({ submission: null, accepted: 0, refused: 1 })
  const { status } = new Refusal(code)
  expect(result.results).toMatchObject([{ index: 0, status, code, pointer }])
  expect(repeated(JSON.stringify(result), secret === undefined ? [] : [secret])).toEqual([])
})

test('an audience that one is not in gives the answer of one that there is not', async () => {
  const [hidden, absent] = await changesNothing(n.t, () =>
    Promise.all([others, NEVER].map((audience) => submit(JSON.stringify(fresh({ ...good.url, audience }))))),
  )
  expect(hidden?.results).toMatchObject([{ code: 'audience-unknown', status: 422, pointer: '/audience' }])
  expect(hidden).toEqual(absent)
})

test('bad items among good ones are named alone, and nothing of them is kept', async () => {
  const sent = CASES.map(([, kind, change]) => change(fresh(good[kind])))
  const result = await submit(...sent, ...Object.values(good).map((item) => JSON.stringify(fresh(item))))
  expect(result).toMatchObject({ accepted: 5, refused: CASES.length })
  expect(result.results.map(({ code }) => code)).toEqual([...CASES.map(([, , , code]) => code), ...Array(5)])
  const { rows } = await sql<{ text: string }>`select submission::text as text from submission
    union all select signal_revision::text from signal_revision union all select signal::text from signal`.execute(
    n.t.owner,
  )
  const kept = rows.map(({ text }) => text).join('\n')
  const secrets = CASES.flatMap(([, , , , , own]) => own ?? [])
  expect(repeated(kept, secrets)).toEqual([])
})
