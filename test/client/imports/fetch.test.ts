import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createServerInClear, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FETCH_LIMITS, type FetchLimits, fetchList, isAddress } from '../../../src/client/imports/fetch.ts'
import type { Imported } from '../../../src/client/imports/row.ts'
import { type ImportOptions, importDigest, importRows, type List } from '../../../src/client/imports/source.ts'
import { BROKEN, brokenServer } from '../../support/broken-answers.ts'
import { type TestPki, testPki } from '../../support/pki.ts'

const IDS = [1, 2, 3].map((n) => `${n}0000000-0000-4000-8000-000000000000`)
const eventOf = (n: number) => ({
  // Longer than a piece of a file: the digest is of pieces.
  Event: {
    info: 'fig '.repeat(40_000),
    Attribute: [{ type: 'domain', value: `plum${n}.example`, timestamp: '1700000000' }],
  },
})
const FILES: Readonly<Record<string, string>> = {
  'manifest.json': JSON.stringify(Object.fromEntries(IDS.map((id) => [id, { info: 'fruit' }]))),
  ...Object.fromEntries(IDS.map((id, n) => [`${id}.json`, JSON.stringify(eventOf(n))])),
  'list.txt': 'a.example\nb.example\n',
}
const how: ImportOptions = { format: 'misp', map: {}, otherwise: {}, suiteOf: () => undefined }

type Answerer = (request: IncomingMessage, response: ServerResponse) => void
const files: Answerer = ({ url = '' }, response) => {
  const text = FILES[url.replace('/feed/', '')]
  response.writeHead(text === undefined ? 404 : 200).end(text)
}
let pki: TestPki
let answer: Answerer
let asked: string[]
let [origin, clear, ca] = ['', '', '']
const closers: (() => void)[] = []

beforeAll(async () => {
  pki = await testPki()
  ca = pki.ca.root
  const { key, chain: cert } = pki.material
  const heard: Answerer = (request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  }
  for (const server of [createServer({ key, cert }, heard), createServerInClear(heard)]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closers.push(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    if ('setSecureContext' in server) origin = `https://localhost:${port}`
    else clear = `http://127.0.0.1:${port}`
  }
})
afterAll(() => {
  for (const close of closers) close()
})
beforeEach(() => {
  answer = files
  asked = []
})

const fetched = (path: string, limits: Partial<FetchLimits> = {}, format: ImportOptions['format'] = 'misp') =>
  fetchList(`${origin}${path}`, { format, ca, limits })
async function rowsOf(list: List, options = how): Promise<Imported[]> {
  return Array.fromAsync(importRows(list, options))
}
const refusal = (code: string) => expect.objectContaining({ name: 'Refusal', code })
const moved =
  (location: string): Answerer =>
  (request, response) =>
    request.url?.startsWith('/feed/manifest') ? response.writeHead(302, { location }).end() : files(request, response)

describe('a feed by its address', () => {
  test.each(['/feed/', '/feed', '/feed/manifest.json'])(
    '%s has the events of its manifest, in their order',
    async (path) => {
      const list = await fetched(path)
      expect(list.map(({ name }) => name)).toEqual(['manifest.json', ...IDS.map((id) => `${id}.json`)])
      const values = (await rowsOf(list)).map((row) => row.outcome === 'raw' && row.raw.raw)
      expect(values).toEqual(['plum0.example', 'plum1.example', 'plum2.example'])
      expect(asked.toSorted()).toEqual(['/feed/manifest.json', ...IDS.map((id) => `/feed/${id}.json`)].toSorted())
    },
  )
  test('is the same list as the same files in a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aldis-feed-'))
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text)
    expect(await importDigest(await fetched('/feed/'), how)).toEqual(await importDigest(folder, how))
    rmSync(folder, { recursive: true })
  })
  test('tells how many of its events are there', async () => {
    const told: [number, number][] = []
    await fetchList(`${origin}/feed/`, { format: 'misp', ca, onFile: (...one) => told.push(one) })
    expect(told).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ])
  })
  test('one event of it, or a list of another form, is one file', async () => {
    expect(await rowsOf(await fetched(`/feed/${IDS[0]}.json`))).toHaveLength(1)
    const lines = await rowsOf(await fetched('/feed/list.txt', {}, 'hashes'), {
      ...{ ...how, format: 'hashes', otherwise: { type: 'domain' } },
    })
    expect(lines).toMatchObject([{ raw: { raw: 'a.example' } }, { raw: { raw: 'b.example' } }])
  })
  test('a manifest that names anything but UUIDs has nothing else asked for', async () => {
    answer = (_, response) => response.end('{"../../secret":{}}')
    await expect(fetched('/feed/')).rejects.toThrow(/other ids than UUIDs/)
    expect(asked).toEqual(['/feed/manifest.json'])
  })
})

describe('an address', () => {
  test.each([
    'http://feed.example/',
    'https://fig:plum@feed.example/',
    'ftp://feed.example/',
    'https:///',
    'https://a.example/?b=1',
  ])('%s is refused unasked, and not told again', async (address) => {
    const error = await fetchList(address, { format: 'misp' }).catch((one: unknown) => one)
    expect(error).toEqual(refusal('list-address'))
    expect(String(error)).not.toMatch(/feed\.example|plum|a\.example/)
  })
  test('on this machine needs no TLS', async () => {
    expect(await fetchList(`${clear}/feed/list.txt`, { format: 'hashes' })).toHaveLength(1)
  })
  test('is one by its scheme', () => {
    expect(['https://a.example', 'HTTP://a', 'list.csv', '/https:/list'].map(isAddress)).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})

describe('what is not fetched:', () => {
  test('more events than the limit', async () => {
    await expect(fetched('/feed/', { events: 2 })).rejects.toEqual(refusal('list-too-large'))
    expect(asked).toHaveLength(1)
  })
  test('more bytes than the limit, of all files together', async () => {
    const all = Object.entries(FILES).reduce((sum, [name, text]) => sum + (name === 'list.txt' ? 0 : text.length), 0)
    await expect(fetched('/feed/', { bytes: all })).resolves.toHaveLength(4)
    await expect(fetched('/feed/', { bytes: all - 1 })).rejects.toEqual(refusal('list-too-large'))
  })
  test('what is at another origin, whose server is not asked', async () => {
    const elsewhere = clear.replace('http:', 'https:')
    for (const location of [`${clear}/feed/manifest.json`, `${elsewhere}/feed/`, '//feed.example/a.json', 'http://[']) {
      answer = moved(location)
      await expect(fetched('/feed/'), location).rejects.toEqual(refusal('list-moved'))
    }
    expect(asked).toEqual(Array(4).fill('/feed/manifest.json'))
  })
  test('what moves more often than the limit; at the same origin it is followed until then', async () => {
    answer = ({ url = '' }, response) => {
      const n = Number(url.slice(-1))
      if (n === 3) response.end('a.example')
      else response.writeHead(307, { location: `/list.${n + 1}` }).end()
    }
    await expect(fetched('/list.0', {}, 'hashes')).resolves.toHaveLength(1)
    await expect(fetched('/list.0', { redirects: 2 }, 'hashes')).rejects.toEqual(refusal('list-moved'))
  })
  test.each<[string, Answerer]>([
    ['before an answer', () => {}],
    ['in the middle of one', (_, response) => response.writeHead(200, { 'content-length': 9 }).write('a')],
  ])('what is silent %s', async (_what, silent) => {
    answer = silent
    await expect(fetched('/feed/', { silent_seconds: 0.05 })).rejects.toEqual(refusal('list-too-slow'))
  })
  test('what comes a byte at a time, beyond the time for all of it', async () => {
    let timer: NodeJS.Timeout | undefined
    answer = (_, response) => {
      timer = setInterval(() => response.write(' '), 5)
    }
    await expect(fetched('/feed/', { seconds: 0.1 })).rejects.toEqual(refusal('list-too-slow'))
    clearInterval(timer)
  })
  test.each<[string, Answerer, RegExp]>([
    ['that is not there', (_, response) => response.writeHead(404).end(), /manifest\.json: the server answers 404/],
    ['of a new password', (_, response) => response.writeHead(401).end(), /401/],
    ['compressed', (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'), /compressed/],
    [
      'cut off',
      (_, response) => response.writeHead(200, { 'content-length': 9 }).write('a', () => response.destroy()),
      /manifest/,
    ],
  ])('an answer %s', async (_what, bad, says) => {
    answer = bad
    const error = await fetched('/feed/').catch((one: unknown) => one)
    expect(error).toEqual(refusal('list-unavailable'))
    expect(String(error)).toMatch(says)
  })
  test.each(Object.entries(BROKEN))('anything from a server that %s', async (_what, act) => {
    const { key, chain: cert } = pki.material
    const broken = await brokenServer(act, { key, cert })
    const list = fetchList(`https://localhost:${broken.port}/feed/`, { format: 'misp', ca })
    await expect(list.finally(broken.close)).rejects.toEqual(refusal('list-unavailable'))
  })
  test('anything from a server whose certificate is not vouched for', async () => {
    const error = await fetchList(`${origin}/feed/`, { format: 'misp' }).catch((one: unknown) => one)
    expect(error).toEqual(refusal('list-unavailable'))
    expect(asked).toEqual([])
  })
})

test('the limits are those that the documents say', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/interop.md'), 'utf8')
  const { events, bytes, silent_seconds, seconds, redirects } = FETCH_LIMITS
  for (const row of [
    `| events of a manifest | ${events.toLocaleString('en')} |`,
    `| bytes, all files together | ${bytes / 1024 ** 2} MiB |`,
    `| redirects of a file | ${redirects}, to the same origin alone |`,
    `| silence of the server | ${silent_seconds} s |`,
    `| all of it | ${seconds / 60} min |`,
  ])
    expect(text).toContain(row)
})
