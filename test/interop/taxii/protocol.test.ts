import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { OBJECTS_MAX } from '../../../src/interop/taxii/envelope.ts'
import type { TaxiiRecord } from '../../../src/interop/taxii/port.ts'
import { answerTaxii } from '../../../src/interop/taxii/protocol.ts'
import { FILTER_MAX, PAGE_MAX } from '../../../src/interop/taxii/query.ts'
import { judgeVersion } from '../../../src/interop/taxii/version-rule.ts'
import { COLLECTION, memoryStore, memoryWrites, recordOf, WRITABLE } from './store.ts'

const TYPE = 'application/taxii+json;version=2.1'
const ROOT = '/taxii2/orchard/'
const IN = `${ROOT}collections/${COLLECTION.id}/`
const KEY = new Uint8Array(32).fill(3)
const RECORDS: TaxiiRecord[] = [
  ...Array.from({ length: 7 }, (_, i) => recordOf(i + 1)),
  recordOf(8, 'identity'),
  recordOf(9, 'marking-definition'),
]
let memory: ReturnType<typeof memoryStore>
beforeEach(() => {
  memory = memoryStore(RECORDS)
})

interface Asking {
  method?: string
  accept?: string | undefined
  contentType?: string
  who?: string
  key?: Uint8Array
  body?: unknown
}
type Body = Record<string, unknown> & { objects?: { id: string }[]; next?: string; more?: boolean }

async function ask(
  url: string,
  { method = 'GET', accept = TYPE, contentType, who = 'banana', key = KEY, body }: Asking = {},
) {
  const [path = '', query = ''] = url.split('?')
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
  const request = { id: 'r1', method, path, query, accept, contentType, body: async () => bytes }
  const answer = await answerTaxii(request, { store: memory.store, cursorKey: key, by: who, who })
  return { ...answer, told: JSON.parse(answer.body.toString()) as Body }
}
const statusOf = async (url: string, how?: Asking): Promise<number> => (await ask(url, how)).status
const idsOf = ({ told }: { told: Body }): string[] => (told.objects ?? []).map(({ id }) => id)
const idOf = (i: number): string => RECORDS[i - 1]?.id ?? ''

describe('resources', () => {
  test('discovery names one root, relative and the default', async () => {
    expect((await ask('/taxii2/')).told).toEqual({ title: 'Aldis', default: ROOT, api_roots: [ROOT] })
  })
  test('the root says its version and how long an envelope may be', async () => {
    expect((await ask(ROOT)).told).toEqual({ title: 'orchard', versions: [TYPE], max_content_length: 4_194_304 })
  })
  test('collections say what may be done, one of them by id and by alias alike', async () => {
    const own = { ...COLLECTION, media_types: ['application/stix+json;version=2.1'] }
    expect((await ask(`${ROOT}collections/`)).told).toEqual({ collections: [own] })
    expect((await ask(IN)).told).toEqual(own)
    expect((await ask(`${ROOT}collections/orchard/`)).told).toEqual(own)
  })
  test('no list is empty: it is left out', async () => {
    memory = memoryStore([], [])
    expect((await ask(`${ROOT}collections/`)).told).toEqual({})
    memory = memoryStore([])
    expect((await ask(`${IN}objects/`)).told).toEqual({})
    expect((await ask(`${IN}manifest/`)).told).toEqual({})
  })
  test.each(['/taxii2', ROOT.slice(0, -1), IN.slice(0, -1), `${IN}objects`, `${IN}manifest`])(
    'a slash that is missing is none the less served: %s',
    async (url) => {
      expect(await statusOf(url)).toBe(200)
    },
  )
  test.each([
    '/taxii',
    '/taxii2/pear/',
    `${ROOT}collections/pear/`,
    `${ROOT}collections/pear/objects/`,
    `${ROOT}status/00000000-0000-4000-8000-000000000000/`,
    `${IN}objects/${idOf(1)}/versions/more/`,
    `${IN}objects/..%2f/`,
    `${IN}objects//`,
    `${IN}plum/`,
  ])('what is not there and what may not be seen is one answer: %s', async (url) => {
    const { status, told, headers } = await ask(url)
    expect([status, headers['content-type']]).toEqual([404, TYPE])
    expect(told).toEqual({
      ...{ title: 'There is no such object, or it may not be seen', error_id: 'r1', error_code: 'not-found' },
      http_status: '404',
    })
  })
})

describe('media types', () => {
  test('every answer has the type to the letter, refusals too, and is bytes', async () => {
    for (const url of ['/taxii2/', ROOT, IN, `${IN}objects/`, `${IN}objects/?limit=0`, '/taxii2/pear/']) {
      const { headers, body } = await ask(url)
      expect([headers['content-type'], Buffer.isBuffer(body)]).toEqual([TYPE, true])
    }
  })
  test.each([
    undefined,
    '',
    '*/*',
    'application/*',
    'application/taxii+json',
    'application/taxii+json;version=2.1',
    'application/taxii+json; version=2.1',
    'application/taxii+json;version="2.1"',
    'text/html, application/taxii+json;q=0.5',
  ])('Accept %s is served', async (accept) => {
    expect(await statusOf('/taxii2/', { accept })).toBe(200)
  })
  test.each([
    'application/json',
    'text/html',
    'application/taxii+json;version=2.0',
    'application/vnd.oasis.taxii+json',
    'application/stix+json;version=2.1',
    '*/*;q=0',
  ])('Accept %s is not', async (accept) => {
    expect(await statusOf('/taxii2/', { accept })).toBe(406)
  })
  test('the type of a body counts where there is one, and nowhere else', async () => {
    expect(await statusOf(`${IN}objects/`, { method: 'POST', contentType: 'application/json' })).toBe(415)
    expect(await statusOf(`${IN}objects/`, { contentType: 'application/json' })).toBe(200)
  })
})

describe('what may be done', () => {
  test('a collection that is read is not written', async () => {
    expect(await statusOf(`${IN}objects/`, { method: 'POST', contentType: TYPE })).toBe(403)
    expect(await statusOf(`${IN}objects/${idOf(1)}/`, { method: 'DELETE' })).toBe(403)
    expect(await statusOf(`${ROOT}collections/pear/objects/`, { method: 'POST', contentType: TYPE })).toBe(404)
  })
  test.each([
    ['PUT', `${IN}objects/`, 'GET, POST'],
    ['POST', '/taxii2/', 'GET'],
    ['HEAD', IN, 'GET'],
    ['PATCH', `${IN}objects/${idOf(1)}/`, 'GET, DELETE'],
  ])('%s %s is answered with what is', async (method, url, allow) => {
    const { status, headers } = await ask(url, { method })
    expect([status, headers['allow']]).toEqual([405, allow])
  })
})

describe('a page', () => {
  test('has its objects in the order in which they came, and says when', async () => {
    const { told, headers } = await ask(`${IN}objects/?limit=3`)
    expect(told.objects?.map(({ id }) => id)).toEqual([1, 2, 3].map(idOf))
    expect(headers).toMatchObject({
      'x-taxii-date-added-first': '2023-11-14T22:13:20.000001Z',
      'x-taxii-date-added-last': '2023-11-14T22:13:20.000003Z',
    })
  })
  test('without objects does not', async () => {
    expect((await ask(`${IN}objects/?added_after=2030-01-01T00:00:00Z`)).headers).not.toHaveProperty(
      'x-taxii-date-added-first',
    )
  })
  test('always has next where there is more, in the manifest too, whatever the limit becomes on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('objects', 'manifest'),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 12, maxLength: 12 }),
        async (what, limits) => {
          const found: string[] = []
          let next: string | undefined
          for (const limit of limits) {
            const { told } = await ask(`${IN}${what}/?limit=${limit}${next === undefined ? '' : `&next=${next}`}`)
            found.push(...idsOf({ told }))
            next = told.next
            expect(told.more).toBe(next === undefined ? undefined : true)
            if (next === undefined) break
          }
          expect(found).toEqual(RECORDS.map(({ id }) => id))
        },
      ),
      { numRuns: 40 },
    )
  })
  test('tells the records that were given, and those alone', async () => {
    await ask(`${IN}objects/?limit=2&match[type]=identity,marking-definition`)
    await ask(`${IN}objects/${idOf(4)}/?match[version]=2020-01-01T00:00:00Z`)
    expect(memory.given).toEqual([idOf(8), idOf(9)])
  })
  test('an instant is exclusive, to the microsecond', async () => {
    const later = (text: string) => ask(`${IN}objects/?added_after=${text}`).then(idsOf)
    expect(await later('2023-11-14T22:13:20.000007Z')).toEqual([idOf(8), idOf(9)])
    expect(await later('2023-11-14T22:13:20.000009Z')).toEqual([])
    expect(await later('2023-11-14T22:13:20Z')).toHaveLength(9)
  })
  test('of more than the most is cut to the most', async () => {
    memory = memoryStore(Array.from({ length: PAGE_MAX + 1 }, (_, i) => recordOf(i + 1)))
    expect((await ask(`${IN}objects/?limit=999999`)).told).toMatchObject({ more: true, objects: { length: PAGE_MAX } })
  })
})

describe('next', () => {
  const first = async (url = `${IN}objects/?limit=1`, how?: Asking) => String((await ask(url, how)).told.next)
  test('that is empty is as if it were not there', async () => {
    expect(idsOf(await ask(`${IN}objects/?limit=1&next=`))).toEqual([idOf(1)])
  })
  test('may come twice: nothing is kept', async () => {
    const next = await first()
    expect(idsOf(await ask(`${IN}objects/?limit=1&next=${next}`))).toEqual([idOf(2)])
    expect(idsOf(await ask(`${IN}objects/?limit=1&next=${next}`))).toEqual([idOf(2)])
  })
  test('of another question, of somebody else, under another key or with one bit changed is refused', async () => {
    const next = await first()
    for (const [url, how] of [
      [`${IN}objects/?match[type]=indicator&next=${next}`, {}],
      [`${IN}objects/?added_after=2020-01-01T00:00:00Z&next=${next}`, {}],
      [`${IN}objects/${idOf(1)}/?next=${next}`, {}],
      [`${IN}objects/?next=${next}`, { who: 'cherry' }],
      [`${IN}objects/?next=${next}`, { key: new Uint8Array(32) }],
      [`${IN}objects/?next=${next.startsWith('A') ? 'B' : 'A'}${next.slice(1)}`, {}],
      [`${IN}objects/?next=plum`, {}],
    ] as const)
      expect(await ask(url, how)).toMatchObject({ status: 400, told: { error_code: 'invalid-cursor' } })
  })
})

describe('filters', () => {
  test.each([
    ['match[type]=identity', [8]],
    [`match[id]=${idOf(3)},${idOf(8)},plum`, [3, 8]],
    [`match[id]=${idOf(3)}&match[type]=identity`, []],
    ['match[spec_version]=2.0', []],
    ['match[spec_version]=2.0,2.1&match[type]=identity', [8]],
    ['match[version]=last&limit=1', [1]],
    [`match[version]=${RECORDS[4]?.version}`, [5]],
    ['match%5Btype%5D=identity', [8]],
  ])('%s', async (query, expected) => {
    const { status, told } = await ask(`${IN}objects/?${query}`)
    expect([status, idsOf({ told })]).toEqual([200, expected.map(idOf)])
  })
  test.each([
    'match[colour]=red',
    'match[type]=a&match[type]=b',
    'limit=1&limit=2',
    'limit=0',
    'limit=-1',
    'limit=ten',
    'plum=1',
    'match[version]=all,last',
    'match[version]=noon',
    'added_after=noon',
    'added_after=2026-02-30T00:00:00Z',
    'added_after=2026-02-03T00:00:00.1234567Z',
    'added_after=2026-02-03T00:00:00%2B00:00',
    `match[id]=${'a,'.repeat(FILTER_MAX)}a`,
  ])('%s is refused by its name', async (query) => {
    const { status, told } = await ask(`${IN}objects/?${query}`)
    expect([status, told['error_code'], told['http_status']]).toEqual([400, 'invalid-query', '400'])
    expect(JSON.stringify(told)).not.toMatch(/noon|ten|plum|colour/)
  })
  test('what an endpoint does not know is refused there', async () => {
    expect(await statusOf(`${IN}objects/${idOf(1)}/?match[type]=indicator`)).toBe(400)
    expect(await statusOf(`${IN}objects/${idOf(1)}/versions/?match[version]=last`)).toBe(400)
    expect(await statusOf(`${ROOT}?limit=1`)).toBe(400)
  })
})

describe('one object', () => {
  test('is given with its versions, of which there is one', async () => {
    expect(idsOf(await ask(`${IN}objects/${idOf(2)}/`))).toEqual([idOf(2)])
    const { told, headers } = await ask(`${IN}objects/${idOf(2)}/versions/`)
    expect(told).toEqual({ versions: [RECORDS[1]?.version] })
    expect(headers['x-taxii-date-added-first']).toBe('2023-11-14T22:13:20.000002Z')
  })
  test('that is not there is 404, and one that the filters do not mean is an empty envelope', async () => {
    expect(await statusOf(`${IN}objects/indicator--00000000-0000-4000-8000-000000000099/`)).toBe(404)
    expect(await statusOf(`${IN}objects/indicator--00000000-0000-4000-8000-000000000099/versions/`)).toBe(404)
    for (const query of [
      'match[version]=2020-01-01T00:00:00Z',
      'match[spec_version]=2.0',
      'added_after=2030-01-01T00:00:00Z',
    ])
      expect(await ask(`${IN}objects/${idOf(2)}/?${query}`)).toMatchObject({ status: 200, told: {} })
  })
})

describe('what is written', () => {
  const POST = { method: 'POST', contentType: TYPE }
  let writes: ReturnType<typeof memoryWrites>
  beforeEach(() => {
    writes = memoryWrites()
    memory = memoryStore(RECORDS, [WRITABLE])
    memory.store.writes = writes
  })
  const add = (body: unknown, how: Asking = {}) => ask(`${IN}objects/`, { ...POST, body, ...how })
  const codeOf = async (body: unknown, how?: Asking) => {
    const { status, told } = await add(body, how)
    return [status, told['error_code']]
  }

  test('is answered with its status, which can be asked for by whoever wrote it', async () => {
    const { status, headers, told } = await add({ objects: [{ id: 'a' }, {}] })
    expect([status, headers['content-type']]).toEqual([202, TYPE])
    expect(told).toEqual({
      ...{ id: 'status-1', status: 'complete', request_timestamp: '2023-11-14T22:13:20.000000Z', total_count: 2 },
      ...{ success_count: 1, successes: [{ id: 'a', version: '', message: '' }] },
      ...{ failure_count: 1, failures: [{ id: 'undefined', version: '', message: '' }], pending_count: 0 },
    })
    expect((await ask(`${ROOT}status/status-1/`)).told).toEqual(told)
    expect(await statusOf(`${ROOT}status/status-1/`, { who: 'cherry' })).toBe(404)
    expect(await statusOf(`${ROOT}status/status-1/?limit=1`)).toBe(400)
  })
  test('a list of the status that would be empty is left out', async () => {
    expect((await add({ objects: [{ id: 'a' }] })).told).not.toHaveProperty('failures')
  })
  test.each<[string, unknown, number, string]>([
    ['no JSON', '{"objects":', 400, 'invalid-json'],
    ['a key twice', '{"objects":[],"objects":[]}', 400, 'json-strict'],
    ['a bare object', { type: 'indicator', id: 'a' }, 422, 'validation-failed'],
    ['a bundle', { type: 'bundle', id: 'b', objects: [{ id: 'a' }] }, 422, 'validation-failed'],
    ['an empty envelope', { objects: [] }, 422, 'validation-failed'],
    ['nothing', '', 400, 'invalid-json'],
    ['what nests too deep', `{"objects":[${'['.repeat(20)}${']'.repeat(20)}]}`, 422, 'json-limit'],
    ['more objects than may be', { objects: Array.from({ length: OBJECTS_MAX + 1 }, () => 0) }, 422, 'json-limit'],
  ])('%s is refused as a whole', async (_what, body, status, code) => {
    expect(await codeOf(body)).toEqual([status, code])
    expect(writes.objects).toEqual([])
  })
  test('the type of the body and the query are looked at first', async () => {
    expect(await codeOf({ objects: [{}] }, { contentType: 'application/json' })).toEqual([
      ...[415, 'unsupported-media-type'],
    ])
    expect((await ask(`${IN}objects/?limit=1`, { ...POST, body: { objects: [{}] } })).status).toBe(400)
    expect(writes.objects).toEqual([])
  })
  test('an object ends as a whole', async () => {
    expect(await ask(`${IN}objects/${idOf(1)}/`, { method: 'DELETE' })).toMatchObject({ status: 200, told: {} })
    expect(await statusOf(`${IN}objects/${idOf(1)}/?match[version]=first`, { method: 'DELETE' })).toBe(400)
    expect(writes.ended).toEqual([idOf(1)])
  })
  test('is refused where the collection is not written, whatever its store can do', async () => {
    memory = memoryStore(RECORDS)
    memory.store.writes = writes
    expect(await codeOf({ objects: [{}] })).toEqual([403, 'collection-read-only'])
  })
})

describe('a version', () => {
  const name = (version: string) => ({ id: 'indicator--1', version, created: version })
  const known = { version: '2026-03-01T12:00:00.001Z', digest: 'a', ended: false }
  test.each<[string, string, string, object, unknown]>([
    ['that is here already changes nothing', known.version, 'a', {}, 'here'],
    ['of other bytes is refused', known.version, 'b', {}, { code: 'state-conflict' }],
    ['that is newer is taken', '2026-03-01T12:00:00.002Z', 'b', {}, 'new'],
    ['that is older is refused', '2026-03-01T12:00:00Z', 'b', {}, { code: 'revision-conflict' }],
    [
      'of the same instant in another writing is refused',
      '2026-03-01T12:00:00.001000Z',
      'b',
      {},
      { code: 'revision-conflict' },
    ],
    ['behind the end is refused', '2026-03-01T12:00:00.002Z', 'b', { ended: true }, { code: 'signal-ended' }],
    ['that was named and never came is taken', '2020-01-01T00:00:00Z', 'b', { version: undefined }, 'new'],
  ])('%s', (_what, version, digest, change, expected) => {
    const verdict = judgeVersion({ ...known, ...change }, name(version), digest)
    if (typeof expected === 'string') expect(verdict).toBe(expected)
    else expect(verdict).toMatchObject(expected as object)
  })
  test('of what is not here is taken', () => {
    expect(judgeVersion(undefined, name(known.version), 'a')).toBe('new')
  })
})
