import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { matchFileOf, refreshMatchFile } from '../../src/client/match-mirror.ts'
import { createMatcher } from '../../src/client/matcher.ts'
import { syncFeeds } from '../../src/client/mirror.ts'
import {
  checkReceipt,
  createVerifier,
  openVkey,
  readName,
  type VerifiedEvent,
  type Verifier,
} from '../../src/client/verify.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

let n: TestNode
let apple: Member
let banana: Member
let cherry: Member
let shared: Uuid
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  cherry = await n.member('cherry')
  shared = await apple.audience('apple and banana', 'banana')
})
afterAll(() => n.end())

const verifierFor = async ({ client, home }: Member): Promise<Verifier> => {
  const { node_origin, programme } = home.membership()
  const receipt_keys = home.receiptKeys()
  return createVerifier((await client.participants()).participants, { node_origin, programme, receipt_keys })
}

/** What the member's mirror takes in one run, waiting for something new for a while. */
async function synced(member: Member, wait = 5): Promise<VerifiedEvent[]> {
  const events: VerifiedEvent[] = []
  const feeds = (await member.client.feeds()).feeds
  const { audiences } = await member.client.audiences()
  const mine = audiences.find(({ kind }) => kind === 'named')
  const feed = feeds.find(({ audience }) => audience === mine?.audience)
  if (wait > 0 && feed !== undefined) await member.client.events(feed.feed, { cursor: feed.start, wait, limit: 1 })
  await syncFeeds({
    ...{ client: member.client, verifier: await verifierFor(member), dir: `${member.home.dir}/feeds` },
    onEvents: (_feed, some) => void events.push(...some),
  })
  return events
}

describe('one exchange', { shuffle: false }, () => {
  let items: { signal: Uuid; revision: number }[] = []
  let event = ''

  test('what one shares with another arrives as it was signed, and at nobody else', async () => {
    items = [
      await apple.item({ type: 'url', raw: 'https://bad.example/a' }, shared),
      await apple.item({ type: 'email', raw: 'fig@mail.example' }, shared),
      await apple.item({ type: 'media_hash', algorithm: 'sha256', hash: 'ab12'.repeat(16) }, shared),
    ]
    const result = await apple.client.submit(await apple.sign(items))
    expect(result).toMatchObject({ accepted: 3, refused: 0 })
    event = result.submission ?? ''
    const got = await synced(banana)
    expect(got.map(({ item }) => item)).toEqual(items)
    expect(got.every(({ authority }) => authority === 'origin')).toBe(true)
    expect(await synced(cherry, 0)).toEqual([])
  })

  test('and is matched at home, without the node, with the event that proves it', async () => {
    const { dir } = banana.home
    const { programme } = banana.home.membership()
    await refreshMatchFile({ home: dir, programme, now: new Date() })
    const matcher = createMatcher(matchFileOf(dir), { programme })
    const links = await matcher.match({ type: 'url', raw: 'https://bad.example/a' })
    const files = await matcher.match({ type: 'media_hash', algorithm: 'sha256', hash: 'ab12'.repeat(16) })
    const { profile, kid, token } = (items[1] as unknown as { value: Record<'profile' | 'kid' | 'token', string> })
      .value
    const people = await matcher.match({ type: 'email', profile, kid, token })
    await matcher.close()
    const told = [links, people, files].flatMap(({ matches }) => matches)
    expect(told.map(({ signal, source, provenance }) => [signal, source, provenance.event, provenance.index])).toEqual(
      items.map(({ signal }, index) => [signal, 'apple', event, index]),
    )
  })

  test('to an outsider the audience, its feed, the signal and its receipt are as if they never were', async () => {
    const never = '01890000-0000-7000-8000-000000000000' as Uuid
    const feed = (await banana.client.feeds()).feeds.find(({ audience }) => audience === shared)?.feed ?? never
    expect((await cherry.client.audiences()).audiences.map(({ audience }) => audience)).not.toContain(shared)
    const answers = async (about: { feed: Uuid; signal: Uuid; event: string }) => {
      const paths = [
        `/v1/feeds/${about.feed}/events`,
        `/v1/feeds/${about.feed}/segments/1`,
        `/v1/signals/${about.signal}`,
        `/provenance/1/receipts/${about.event}`,
      ]
      return Promise.all(
        paths.map((path) =>
          cherry.client.transport.call({ method: 'GET', path, idempotent: false }).catch((error: object) => {
            const { code, status, message, errors } = error as Record<string, unknown>
            return { code, status, message, errors }
          }),
        ),
      )
    }
    const hidden = await answers({ feed, signal: items[0]?.signal ?? never, event })
    expect(hidden).toEqual(await answers({ feed: never, signal: never, event: never }))
    expect(hidden.map((one) => one.status)).toEqual([404, 404, 404, 404])
  })

  test('an end follows a revision, in the order in which they happened', async () => {
    const [first, second] = items
    if (first === undefined || second === undefined) throw new Error('two signals')
    const one = await apple.client.own(first.signal)
    await apple.client.submit(await apple.sign([{ ...first, revision: 2, prev: one.leaf, severity: 'low' }]))
    const two = await apple.client.own(second.signal)
    const withdrawal = { v: 1, signal: second.signal, revision: 2, prev: two.leaf, reason: 'mistaken' }
    await apple.client.submit(await apple.sign([withdrawal], 'aldis-withdrawal+jws'))
    const got: VerifiedEvent[] = []
    for (let tries = 0; got.length < 2 && tries < 20; tries++) got.push(...(await synced(banana, 1)))
    expect(got.map(({ event: { type, signal } }) => [type, signal])).toEqual([
      ['signal.revised', first.signal],
      ['signal.withdrawn', second.signal],
    ])
  })

  test('source and recipient each hold a receipt that verifies without the node', async () => {
    const key = openVkey(await apple.client.logKey())
    const mine = checkReceipt((await apple.client.receipt(event)) ?? '', key)
    expect(mine).toMatchObject({ passed: true })
    expect(mine.fields.find(({ name }) => name === 'actor')?.value).toBe('apple')
    const feed = (await banana.client.feeds()).feeds.find(({ audience }) => audience === shared)
    const page = await banana.client.events(feed?.feed ?? shared, { limit: 10 })
    const read = readName(page.read)
    const theirs = checkReceipt((await banana.client.receipt(read?.id ?? '', { read: read?.place ?? '' })) ?? '', key)
    expect(theirs).toMatchObject({ passed: true })
    expect(theirs.inner.find(({ name }) => name === 'n')?.value).toBe(5)
  })
})
