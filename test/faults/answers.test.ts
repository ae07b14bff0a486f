import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SubmissionProof } from '../../src/feeds/schema.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { SignedSubmission } from '../../src/signals/submission.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

let n: TestNode
let apple: Member
let banana: Member
let everybody: Uuid
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  everybody = await apple.everybody()
})
afterAll(() => n.end())

let made = 0
const items = (count: number): Promise<SignalItem[]> =>
  Promise.all(
    Array.from({ length: count }, () => {
      made += 1
      return apple.item({ type: 'url', raw: `https://bad-${made}.example/join` }, everybody)
    }),
  )

test('again', async () => {
  const signed = await apple.sign(await items(2))
  const first = await apple.client.submit(signed)
  const second = await apple.client.submit(signed)
  expect(second).toEqual(first)
})
test('twins', async () => {
  const signed = await apple.sign(await items(2))
  const all = await Promise.all(Array.from({ length: 6 }, () => apple.client.submit(signed)))
  for (const one of all) expect({ ...one, read: '' }).toEqual({ ...all[0], read: '' })
})

test('order', async () => {
  const { itemLeaf } = await import('../../src/signals/submission.ts')
  const { fromBase64Url } = await import('../../src/kernel/bytes.ts')
  const leaf = (s: SignedSubmission): string =>
    toBase64Url(itemLeaf(fromBase64Url(s.items[0]?.salt ?? '') ?? new Uint8Array(), s.items[0]?.item ?? ''))
  const subs: SignedSubmission[] = []
  const expected: string[] = []
  for (const item of await items(10)) {
    const one = await apple.sign([item])
    const two = await apple.sign([{ ...item, revision: 2, prev: leaf(one), severity: 'low' }])
    const three = await apple.sign(
      [{ v: 1, signal: item.signal, revision: 3, prev: leaf(two), reason: 'mistaken' }],
      'aldis-withdrawal+jws',
    )
    subs.push(one, two, three)
    expected.push(`${item.signal} 1`, `${item.signal} 2`, `${item.signal} 3`)
  }
  const lines = subs.flatMap(({ jws, items }) => [{ jws }, ...items]).map((x) => `${JSON.stringify(x)}\n`)
  const out = await Array.fromAsync(
    apple.client.upload(
      { id: (subs[0] && expected[0]?.slice(0, 36)) as Uuid, line: 1n },
      (async function* () {
        yield* lines
      })(),
    ),
  )
  console.log(
    out
      .filter((x) => x.submission === undefined)
      .map((x) => x.status)
      .join(),
  )
  await new Promise((r) => setTimeout(r, 2500))
  const feed = (await banana.client.feeds()).feeds.find(({ audience }) => audience === everybody)
  const page = await banana.client.events(feed?.feed ?? everybody, { limit: 1000 })
  console.log(
    n
      .logged()
      .split('\n')
      .filter((x) => x.includes('a loop failed'))
      .slice(0, 2),
  )
  expect(page.events.map((e) => `${e.signal} ${e.revision}`).slice(-30)).toEqual(expected)
})
