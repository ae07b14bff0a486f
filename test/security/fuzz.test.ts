import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { type Answer, type Call, type Caller, callerOf, JSON_TYPE, NEVER, resigned, signTexts } from './world.ts'

let n: TestNode
let apple: Member
let client: Caller
let item: string
/** Ids and cursors that there are, and one that there is not. */
let known: string[]
/** Each request comes a second after the last one, so that no limit of rate ends the search. */
let ahead = 0
beforeAll(async () => {
  n = await aTestNode({ clock: () => new Date(Date.now() + ahead) })
  apple = await n.member('apple')
  client = callerOf(n, apple)
  const one = await apple.item({ type: 'email', raw: 'fig@mail.example' }, await apple.everybody())
  item = JSON.stringify(one)
  const { submission } = await apple.client.submit(await apple.sign([one]))
  const { feeds } = await apple.client.feeds()
  known = [NEVER, one.signal, submission ?? '', ...feeds.flatMap(({ feed, start }) => [feed, start])]
})
afterAll(async () => {
  client.close()
  await n.end()
})

const runs = Number(process.env['FUZZ_RUNS'] ?? 1)

/** Whatever is asked is answered, or refused by a code of ours; the node itself does not fail. */
async function expectSound(call: Call): Promise<Answer> {
  ahead += 1_000
  const answer = await client.ask(call)
  expect(answer.status, `${call.method} ${call.path} ${call.body}: ${answer.text}`).toBeLessThan(500)
  const code = { status: answer.status, code: expect.any(String) }
  if (answer.status >= 400 && call.method !== 'HEAD') expect(JSON.parse(answer.text)).toMatchObject(code)
  return answer
}

const odd = fc.oneof(
  fc.nat().map((i) => known[i % known.length] ?? ''),
  fc.constantFrom(
    '',
    '0',
    '1',
    '-1',
    '1e3',
    '9'.repeat(18),
    '9'.repeat(19),
    'null',
    '..',
    '\0',
    '/',
    '*',
    ':',
    "'",
    '%',
  ),
  fc.string({ maxLength: 8 }),
)
const escaped = odd.map((one) => encodeURIComponent(one))

const TEMPLATES = [
  ...['/@', '/v1/@', '/v1/feeds/@/events', '/v1/feeds/@/segments/@', '/v1/feeds/@/acknowledgements'],
  ...['/v1/signals/@', '/v1/uploads/@', '/v1/hash-profiles/@/key', '/v1/audiences/@', '/v1/signing-keys/@'],
  ...['/provenance/@/checkpoint', '/provenance/1/tile/@', '/provenance/1/tile/@/@', '/provenance/1/tile/entries/@'],
  ...['/provenance/1/chain', '/provenance/1/records/@'],
  ...['/provenance/1/receipts/@', '/provenance/1/proof/@', '/provenance/1/proof/inclusion'],
  ...['/provenance/1/proof/consistency', '/@/@/@'],
]
const path = fc
  .tuple(fc.constantFrom(...TEMPLATES), fc.array(escaped, { minLength: 3, maxLength: 3 }))
  .map(([template, parts]) => parts.reduce((at, part) => at.replace('@', part), template))
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'cursor',
        'limit',
        'index',
        'size',
        'from',
        'to',
        'read',
        'item',
        'after',
        'party',
        '__proto__',
        'x',
      ),
      escaped,
    ),
    {
      maxLength: 3,
    },
  )
  .map((pairs) => pairs.map((pair) => pair.join('=')).join('&'))

test('no path and no query makes the node fail', async () => {
  const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'DELETE')
  await fc.assert(
    fc.asyncProperty(method, path, query, async (how, at, asked) => {
      await expectSound({ method: how, path: asked === '' ? at : `${at}?${asked}` })
    }),
    { numRuns: 300 * runs },
  )
}, 600_000)

const piece = fc.oneof(
  fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', '\\u0000', '\\ud800', '1e999', 'null', '"v":1,', '\0'),
  fc.string({ maxLength: 4 }),
)
type Edit = readonly [at: number, length: number, put: string]
const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 6 }), piece), { minLength: 1, maxLength: 3 })
/** A text with some of it taken away, doubled or replaced. */
const edited = (text: string, all: readonly Edit[]): string =>
  all.reduce((one, [at, length, put]) => {
    const from = at % (one.length + 1)
    return one.slice(0, from) + put + one.slice(from + length)
  }, text)

const post = (at: string, body: string): Promise<Answer> =>
  expectSound({ method: 'POST', path: at, headers: JSON_TYPE, body })

test('no damage to a body makes the node fail', async () => {
  const query = { type: 'email', profile: 'email/1@epoch-1', keys: ['ab12'.repeat(16)] }
  const bodies: readonly (readonly [string, object])[] = [
    ['/v1/lookups', { queries: [query], purpose: 'appeal' }],
    ['/v1/submissions', await signTexts(apple, [item])],
    [`/v1/feeds/${known[3]}/acknowledgements`, { upto: '0', stage: 'client_reached' }],
    [
      '/v1/credentials/renewals',
      { csr: '-----BEGIN CERTIFICATE REQUEST-----\nMIH\n-----END CERTIFICATE REQUEST-----' },
    ],
    ['/v1/signing-keys', { jwk: apple.home.signingKey().jwk, nonce: 'A'.repeat(54), proof: 'A'.repeat(86) }],
  ]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...bodies), edits, async ([at, body], all) => {
      await post(at, edited(JSON.stringify(body), all))
    }),
    { numRuns: 150 * runs },
  )
}, 600_000)

test('no signed header makes the node fail, and none but the right one is taken', async () => {
  const good = await signTexts(apple, [item])
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('', 'Ed25519', 'ES256', 'none', -1, 2 ** 53, NEVER),
  )
  const member = fc.constantFrom('alg', 'kid', 'typ', 'iss', 'aud', 'prg', 'iat', 'jti', 'crit', 'toString')
  await fc.assert(
    fc.asyncProperty(member, value, async (name, one) => {
      const changed = await resigned(apple, good, { header: (header) => ({ ...header, [name]: one }) })
      if (name === 'alg' && one === 'Ed25519') return
      expect((await post('/v1/submissions', JSON.stringify(changed))).status).toBeGreaterThanOrEqual(400)
    }),
    { numRuns: 60 * runs },
  )
}, 600_000)

test('no signed item makes the node fail', async () => {
  await fc.assert(
    fc.asyncProperty(edits, async (all) => {
      await post('/v1/submissions', JSON.stringify(await signTexts(apple, [edited(item, all)])))
    }),
    { numRuns: 120 * runs },
  )
}, 600_000)
