import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importCommand } from '../../src/cli/participant/import.ts'
import { requestLogCommand } from '../../src/cli/participant/request-log.ts'
import { submitCommand } from '../../src/cli/participant/submit.ts'
import { uploadsCommand } from '../../src/cli/participant/uploads.ts'
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
import { toStix } from '../../src/interop/stix/to-stix.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'

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
  await n.member('damson')
  await apple.audience('lists', 'damson')
})
afterAll(() => n.end())

const verifierFor = async ({ client, home }: Member): Promise<Verifier> => {
  const { node_origin, programme } = home.membership()
  const receipt_keys = home.receiptKeys()
  return createVerifier((await client.participants()).participants, { node_origin, programme, receipt_keys })
}

/** What the member's mirror takes in one run, waiting for something new for a while. */
async function synced(member: Member, wait = 20): Promise<VerifiedEvent[]> {
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
    await settled(n.t)
    const got = await synced(banana, 0)
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

describe('lists that are there already', { shuffle: false }, () => {
  const told: string[] = []
  /** A command as the shell runs it, in this process; what it wrote as data. */
  async function aldis(member: Member, ...line: string[]): Promise<Record<string, unknown>[]> {
    const program = new Command('aldis').exitOverride().option('--json').option('--home <dir>')
    for (const add of [importCommand, submitCommand, uploadsCommand, requestLogCommand]) add(program)
    told.length = 0
    const write = process.stdout.write
    process.stdout.write = (text: string | Uint8Array): boolean => told.push(String(text)) > 0
    const shared = ['--audience', 'lists', '--region', 'DE', '--legal-basis', 'terms_of_service', '--surface', 'public']
    const common = line[0] === 'import' || line[0] === 'submit' ? shared : []
    try {
      await program.parseAsync(['--json', '--home', member.home.dir, ...line, ...common], { from: 'user' })
    } finally {
      process.stdout.write = write
      process.exitCode = 0
    }
    return told.flatMap((text) => text.split('\n').filter((one) => one !== '')).map((one) => JSON.parse(one))
  }
  const aFile = (member: Member, name: string, text: string): string => {
    const path = join(member.home.dir, name)
    writeFileSync(path, text)
    return path
  }
  const CSV =
    'type,value,category\nemail,elder@mail.example,grooming\nurl,https://bad.example/elder,\nemail,no address,\nfruit,x,\n'

  test('a preview says what each entry would become, and the node hears of none', async () => {
    const file = aFile(apple, 'list.csv', CSV)
    const [one, two, end] = await aldis(apple, 'import', file, '--format', 'csv', '--dry-run')
    expect([one, two]).toMatchObject([
      { outcome: 'refused', line: 4, from: 'email' },
      { outcome: 'refused', line: 5, from: 'fruit' },
    ])
    expect(end).toEqual({
      ...{ outcome: 'preview', format: 'csv', entries: 2, refused: 2 },
      becomes: [
        { from: 'email', type: 'email', entries: 1 },
        { from: 'url', type: 'url', entries: 1 },
      ],
    })
    expect(told.join('')).not.toContain('elder')
  })
  test('is shared as a raw file is, and again changes nothing', async () => {
    const file = aFile(apple, 'list.csv', CSV)
    const first = await aldis(apple, 'import', file, '--format', 'csv')
    expect(first.at(-1)).toMatchObject({ outcome: 'done', accepted: 2, refused: 2, before: 0 })
    const again = await aldis(apple, 'import', file, '--format', 'csv')
    expect(again.at(-1)).toMatchObject({ upload: first.at(-1)?.['upload'], accepted: 0, before: 2 })
  })
  test('is judged by the node line by line where it is only tried, and nothing is stored', async () => {
    const lines = [
      { type: 'url', raw: 'https://bad.example/tried' },
      { type: 'email', raw: 'clear@mail.example', tlp: 'clear' },
      { type: 'email', raw: 'no address' },
    ]
    const file = aFile(apple, 'tried.ndjson', lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const before = readdirSync(join(apple.home.dir, 'uploads'))
    const tried = await aldis(apple, 'submit', file, '--dry-run')
    expect(tried).toMatchObject([
      { line: 3, outcome: 'refused' },
      { line: 1, outcome: 'would_create', type: 'url' },
      { line: 2, outcome: 'refused', code: 'tlp-refused' },
      { outcome: 'tried', items: 2, accepted: 1, refused: 2 },
    ])
    await aldis(apple, 'submit', `${file}.missing`, '--dry-run').catch(() => {})
    expect(readdirSync(join(apple.home.dir, 'uploads'))).toEqual(before)
    const sent = await aldis(apple, 'submit', file)
    expect(sent.at(-1)).toMatchObject({ outcome: 'done', accepted: 1, refused: 2, before: 0 })
  })
  test('leaves requests that are listed, each with its answer', async () => {
    const tried = async () => aldis(apple, 'request-log', '--route', '/v1/submissions', '--limit', '1')
    await expect.poll(tried, { timeout: 20_000 }).toMatchObject([{ method: 'POST', status: 200, label: 'main' }])
    expect(await aldis(apple, 'request-log', '--id', 'a'.repeat(16))).toEqual([])
  })
  test('a bundle of our own objects gives back the hashes that it was made of', async () => {
    const item = await banana.item({ type: 'phone', raw: '+1 201 555 0177' }, shared)
    const version = {
      ...{
        type: 'signal.created' as const,
        source: 'banana',
        signal: item.signal,
        revision: 1,
        event: item.signal,
        item,
      },
      ...{ firstType: item.type, reason: undefined, created: Date.now(), modified: Date.now() },
    }
    const mapped = toStix(version, { suiteOf: () => 'hmac-sha256' })
    const bundle = {
      type: 'bundle',
      id: 'bundle--1',
      objects: 'object' in mapped ? [JSON.parse(mapped.object.text)] : [],
    }
    const file = aFile(apple, 'bundle.json', JSON.stringify(bundle))
    const lines = await aldis(apple, 'import', file, '--format', 'stix')
    const signal = lines.find(({ outcome }) => outcome === 'created')?.['signal'] as Uuid
    expect(JSON.parse((await apple.client.own(signal)).item)).toMatchObject({ type: 'phone', value: item.value })
  })
  test('hashes need their algorithm, and a folder that is none says so', async () => {
    const file = aFile(apple, 'hashes.txt', `${'ab'.repeat(32)}\n`)
    await expect(aldis(apple, 'import', file, '--format', 'hashes')).rejects.toThrow(/--algorithm/)
    await expect(aldis(apple, 'import', '/nowhere', '--format', 'misp')).rejects.toThrow(/is missing/)
    const lines = await aldis(apple, 'import', file, '--format', 'hashes', '--algorithm', 'pdq')
    expect(lines.at(-1)).toMatchObject({ accepted: 1, refused: 0 })
  })
  test('a feed of MISP is fetched by its address, tried or shared, and is the same list as its folder', async () => {
    const id = '10000000-0000-4000-8000-000000000000'
    const event = { Event: { Attribute: [{ type: 'domain', value: 'fetched-lures.example' }] } }
    const texts = [
      ['manifest.json', JSON.stringify({ [id]: {} })],
      [`${id}.json`, JSON.stringify(event)],
    ] as const
    const folder = dirname(texts.map(([name, text]) => aFile(apple, name, text))[0] ?? '')
    const files = new Map(texts.map(([name, text]) => [`/feed/${name}`, text]))
    const server = createServer(({ url = '' }, response) => void response.end(files.get(url)))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed/`
    const tried = await aldis(apple, 'import', address, '--format', 'misp', '--dry-run')
    expect(tried.at(-1)).toMatchObject({ outcome: 'preview', entries: 1, refused: 0 })
    const given = await aldis(apple, 'import', address, '--format', 'misp')
    server.close()
    expect(given.at(-1)).toMatchObject({ outcome: 'done', accepted: 1, refused: 0, before: 0 })
    await expect(aldis(apple, 'import', address, '--format', 'misp')).rejects.toThrow(/list-unavailable/)
    const again = await aldis(apple, 'import', folder, '--format', 'misp')
    expect(again.at(-1)).toMatchObject({ upload: given.at(-1)?.['upload'], accepted: 0, before: 1 })
  })
  test('is left with the node and worked off there; its results are told as if one had stayed', async () => {
    const file = aFile(apple, 'left.csv', 'type,value\nurl,https://bad.example/left\ndomain,left-lures.example\n')
    const [received] = await aldis(apple, 'import', file, '--format', 'csv', '--detach')
    expect(received).toMatchObject({ outcome: 'received', items: 2, lines: '3' })
    const upload = String(received?.['upload'])
    const lines = await aldis(apple, 'uploads', upload, '--wait', '--results')
    expect(lines).toMatchObject([
      { line: 2, outcome: 'created', type: 'url' },
      { line: 3, outcome: 'created', type: 'domain' },
      { outcome: 'upload', state: 'done', accepted: '2', refused: '0' },
    ])
    const [{ uploads = [] } = {}] = (await aldis(apple, 'uploads')) as [{ uploads?: { upload: string }[] }]
    expect(uploads.map((one) => one.upload)).toContain(upload)
    const again = await aldis(apple, 'import', file, '--format', 'csv')
    expect(again.at(-1)).toMatchObject({ outcome: 'done', accepted: 0, before: 2 })
    await expect(aldis(banana, 'uploads', upload)).rejects.toMatchObject({ code: 'not-found' })
  })
})
