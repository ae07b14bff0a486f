import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant } from '../../src/db/as-participant.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { createMetering } from '../../src/metering.ts'
import { createRequestForgetting } from '../../src/usage/forget-requests.ts'
import { type LoggedRequest, REQUESTS_KEPT_DAYS } from '../../src/usage/schema.ts'
import { createRequestLog } from '../../src/usage/service.ts'
import { type ConsoleWorld, consoleWorldOf, type SignedInPerson } from '../console/routes/world.ts'
import { type Caller, callerOf } from '../security/world.ts'
import { aConsoleNode } from '../support/browser.ts'
import type { Member } from '../support/node.ts'

const DAY_MS = 86_400_000
const SECRET = 'plum-4711'

let w: ConsoleWorld
let apple: Member
let banana: Member
let by: Caller
let pam: SignedInPerson

beforeAll(async () => {
  w = consoleWorldOf(await aConsoleNode({ env: { SANDBOX: 'on' } }), systemClock)
  apple = await w.node.member('apple')
  banana = await w.node.member('banana')
  by = callerOf(w.node, apple)
  await w.aPerson('Pam', 'apple', ['partner_admin'])
  await w.aPerson('Lea', 'apple', ['lead'])
  pam = await w.signedIn('Pam')
})
afterAll(async () => {
  by.close()
  await w.node.end()
})

const participant = (slug = 'apple'): Uuid => {
  const found = w.node.parts.authority.participantBySlug(slug)
  if (found === undefined) throw new Error(`no ${slug}`)
  return found.participant_id
}

/** The row of a request, once it is written down. */
async function logged(request_id: string): Promise<LoggedRequest> {
  const find = async () => (await apple.client.usage.requests({ request_id })).requests
  await expect.poll(find, { timeout: 20_000 }).toHaveLength(1)
  const [row] = await find()
  if (row === undefined) throw new Error('no row')
  return row
}

/** A log of its own on the same rows, with a clock that is ahead. */
const logAhead = (days: number, change: object = {}) =>
  createRequestLog({
    ...{ db: w.node.t.app, clock: () => new Date(Date.now() + days * DAY_MS), timeoutMs: 5_000, ...change },
  })
const aRow = (request_id: string, of: { credential: Uuid; slug?: string; route?: string }) => ({
  ...{
    participant: participant(of.slug),
    credential: of.credential,
    request_id,
    method: 'GET',
    route: of.route ?? '/v1/plums',
  },
  ...{ status: 200, code: undefined, duration_ms: 1, response_bytes: undefined },
})
const idOf = (n: number): string => `request${String(n).padStart(9, '0')}`

describe('a request', () => {
  test('that was refused is found by the id of its problem document, with what refused it', async () => {
    const { status, text } = await by.ask({ path: `/v1/signals/none?${SECRET}=${SECRET}` })
    const { request_id, code } = JSON.parse(text) as { request_id: string; code: string }
    const { credential } = await apple.client.whoami()
    expect(await logged(request_id)).toMatchObject({
      ...{ request_id, code, status, method: 'GET', route: '/v1/signals/:signal' },
      ...{ credential: credential.id, label: 'main', response_bytes: Buffer.byteLength(text) },
    })
  })
  test('that was answered has the length of its answer, and one without a route nothing of itself but its id', async () => {
    const good = await by.ask({ path: '/v1/whoami' })
    const lost = await by.ask({ path: `/${SECRET}?${SECRET}`, headers: { 'x-plum': SECRET } })
    expect(await logged(String(lost.headers['request-id']))).toMatchObject({ route: 'unknown', code: 'not-found' })
    const row = await logged(String(good.headers['request-id']))
    expect(row).toMatchObject({ status: 200, code: null, response_bytes: Buffer.byteLength(good.text) })
    expect(row.duration_ms).toBeGreaterThanOrEqual(0)
    const rows = await w.node.t.owner.selectFrom('request_log').selectAll().execute()
    expect(JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
      '4711',
    )
  })
  test('of another protocol has the code that refused it too', async () => {
    const taxii = await by.ask({ path: '/taxii2/nowhere/', headers: { accept: 'application/taxii+json;version=2.1' } })
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const token = await by.ask({ method: 'POST', path: '/v1/oauth/token', headers: type, body: 'grant_type=none' })
    const rows = [await logged(String(taxii.headers['request-id'])), await logged(String(token.headers['request-id']))]
    expect(rows).toMatchObject([
      { status: 404, code: 'not-found', route: '/taxii2/*' },
      { status: 400, code: 'grant-unsupported', route: '/v1/oauth/token' },
    ])
  })
  test('is shown to its own organisation alone, in the database too', async () => {
    const { headers } = await by.ask({ path: '/v1/whoami' })
    const request_id = String(headers['request-id'])
    await logged(request_id)
    expect((await banana.client.usage.requests({ request_id })).requests).toEqual([])
    const seen = (of: Uuid) =>
      asParticipant(w.node.t.app, of, async (tx) =>
        tx.selectFrom('request_log').select('request_id').where('request_id', '=', request_id).execute(),
      )
    expect([await seen(participant('apple')), await seen(participant('banana'))]).toEqual([[{ request_id }], []])
  })
})

describe('a page', () => {
  test('is cut by status, code and route, and goes on behind its last row', async () => {
    for (const path of ['/v1/whoami', '/v1/nowhere', '/v1/requests?limit=0']) await by.ask({ path })
    const { headers } = await by.ask({ path: '/v1/whoami' })
    await logged(String(headers['request-id']))
    const refused = (await apple.client.usage.requests({ status: '4xx' })).requests
    expect(refused.length).toBeGreaterThan(1)
    expect(refused.every(({ status }) => status >= 400 && status < 500)).toBe(true)
    const [one] = (await apple.client.usage.requests({ code: 'invalid-query', route: '/v1/requests' })).requests
    expect(one).toMatchObject({ status: 400, code: 'invalid-query', route: '/v1/requests' })
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await apple.client.usage.requests({ route: '/v1/whoami', limit: 1, ...(cursor && { cursor }) })
      found.push(...page.requests.map(({ request_id }) => request_id))
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
    const whole = (await apple.client.usage.requests({ route: '/v1/whoami' })).requests
    expect(found).toEqual(whole.map(({ request_id }) => request_id))
    expect(found.length).toBeGreaterThan(1)
    expect(whole.map(({ at }) => at)).toEqual(
      whole
        .map(({ at }) => at)
        .toSorted()
        .reverse(),
    )
  })
  test.each(['status=9xx', 'code=A', 'request_id=short', 'cursor=nonsense', 'limit=201', 'plum=1'])(
    'that asks for %s is refused',
    async (query) => {
      const { status, text } = await by.ask({ path: `/v1/requests?${query}` })
      expect([status, JSON.parse(text).code]).toEqual([400, expect.stringMatching(/^invalid-(query|cursor)$/)])
    },
  )
})

describe('what finds no room', () => {
  test('is counted, told of at once, and told of by the next row that is written', async () => {
    const credential = (await banana.client.whoami()).credential.id
    const log = logAhead(0, { perHour: 2 })
    const before = (await log.page(participant('banana'), {})).dropped
    for (let i = 0; i < 5; i++) log.add(aRow(idOf(i), { credential, slug: 'banana', route: '/v1/figs' }))
    expect((await log.page(participant('banana'), {})).dropped).toBe(before + 3)
    expect(await log.round()).toBe(2)
    expect((await banana.client.usage.requests({ route: '/v1/figs' })).requests).toHaveLength(2)
    expect((await banana.client.usage.requests()).dropped).toBe(before + 3)
    expect(await log.round()).toBe(0)
  })
  test('waits while the database does not take it, and keeps no other organisation from its rows', async () => {
    const credential = (await banana.client.whoami()).credential.id
    const log = logAhead(0)
    const nobody = '01890000-0000-7000-8000-000000000000' as Uuid
    log.add({ ...aRow('none00000000000\0', { credential }), participant: nobody })
    log.add(aRow('other00000000000', { credential, slug: 'banana' }))
    await expect(log.round()).rejects.toThrow()
    const request_id = 'other00000000000'
    expect((await banana.client.usage.requests({ request_id })).requests).toHaveLength(1)
  })
})

describe('all that waits', () => {
  const ROWS = 5_000
  /** That many more of one organisation, with a route of their own. */
  async function waiting(route: string) {
    const credential = (await banana.client.whoami()).credential.id
    const metering = createMetering(w.node.parts, silentLog)
    for (let i = 0; i < ROWS; i++)
      metering.requestLog.add(
        aRow(`${route.slice(4, 8)}${i.toString(36).padStart(12, '0')}`, { credential, slug: 'banana', route }),
      )
    const written = async (): Promise<number> =>
      (await w.node.t.owner.selectFrom('request_log').select('request_id').where('route', '=', route).execute()).length
    return { metering, written }
  }

  test('is written down when the node stops, however many batches it is', async () => {
    const { metering, written } = await waiting('/v1/at-stop')
    await metering.loop.stop()
    expect(await written()).toBe(ROWS)
  })
  test('is written down without a rest between full batches', async () => {
    const { metering, written } = await waiting('/v1/in-a-go')
    metering.loop.start()
    // With a second between two of them it would take four.
    await expect.poll(written, { timeout: 3_500 }).toBe(ROWS)
    await metering.loop.stop()
  })
})

test('a request is gone after its days, and not shown before it is', async () => {
  const credential = (await banana.client.whoami()).credential.id
  const old = logAhead(-REQUESTS_KEPT_DAYS - 1)
  old.add(aRow('old0000000000000', { credential, slug: 'banana' }))
  await old.round()
  expect((await banana.client.usage.requests({ request_id: 'old0000000000000' })).requests).toEqual([])
  const forgetting = createRequestForgetting({ admin: w.node.t.admin, clock: systemClock })
  expect(await forgetting.due(participant('banana'))).toBe(1)
  expect(await forgetting.forget(participant('banana'))).toBe(1)
  expect([await forgetting.due(participant('banana')), await forgetting.forget(participant('banana'))]).toEqual([0, 0])
})

test('limits are told to each credential of the organisation, with what the asking itself used', async () => {
  // Of refusals five a second come back, of requests two hundred.
  for (let i = 0; i < 20; i++) await by.ask({ path: '/v1/nowhere' })
  const { credentials, limits } = await apple.client.usage.limits()
  const credential = (await apple.client.whoami()).credential.id
  const own = credentials.find((one) => one.credential === credential)
  const used = new Map(own?.limits.map((one) => [one.name, one.used]))
  expect(used.has('requests_per_credential_burst')).toBe(true)
  expect(used.get('refusals_per_credential_per_minute')).toBeGreaterThan(0)
  expect(used.get('connections_per_credential')).toBeGreaterThan(0)
  expect(limits.filter(({ name }) => name === 'oprf_elements_per_day').map(({ purpose }) => purpose)).toEqual([
    'submit',
    'lookup',
  ])
  const others = (await banana.client.usage.limits()).credentials
  expect(others.map((one) => one.credential)).not.toContain(credential)
})

describe('in the console', () => {
  const get = async (path: string, cookie = pam.cookie) => w.ask(path, { cookie })

  test('the area is there for partner administrators alone', async () => {
    const lea = await w.signedIn('Lea')
    for (const path of ['/developer', '/developer/requests', '/developer/sandbox']) {
      expect((await get(path)).status, path).toBe(200)
      expect((await get(path, lea.cookie)).status, path).toBe(404)
    }
    expect((await get('/developer')).text).toMatch(/<meter [^>]*aria-label="Requests at once of main"/)
  })
  test('a request is found by its id, and a filter that is none says which', async () => {
    const { headers } = await by.ask({ path: '/v1/nowhere' })
    const request_id = String(headers['request-id'])
    await logged(request_id)
    const { text } = await get(`/developer/requests?request_id=${request_id}&status=&code=&route=`)
    expect(text).toContain(request_id)
    expect(text).toContain('href="/docs/errors/not-found"')
    expect(text).not.toContain('whoami')
    const wrong = await get(`/developer/requests?code=${encodeURIComponent('"><b>')}`)
    expect(wrong.status).toBe(422)
    expect(wrong.text).not.toContain('"><b>')
    expect(wrong.text).toContain('such as rate-limited')
    expect((await get('/developer/requests?cursor=x')).status).toBe(400)
  })
  test('the simulated participant shares what it is asked for, and is told of what is no signal of its', async () => {
    const asked = await w.send(pam, '/developer/sandbox/asks', { do: 'signal' })
    expect(asked.status).toBe(200)
    const signal = /data-copy="([0-9a-f-]{36})"/.exec(asked.text)?.[1] ?? ''
    expect(asked.text).toContain('https://sandbox.example/')
    expect((await w.send(pam, '/developer/sandbox/asks', { do: 'revision', signal })).text).toContain('corrected')
    expect((await w.send(pam, '/developer/sandbox/asks', { do: 'withdrawal', signal })).text).toContain('withdrew')
    const again = await w.send(pam, '/developer/sandbox/asks', { do: 'withdrawal', signal })
    expect([again.status, again.text.includes('signal-ended')]).toEqual([409, true])
    expect((await w.send(pam, '/developer/sandbox/asks', { do: 'feedback', signal: 'none' })).status).toBe(422)
    expect((await w.send(pam, '/developer/sandbox/asks', { do: 'plunder', signal })).status).toBe(422)
  })
})

test('what does not change is not sent twice', async () => {
  for (const path of ['/v1/meta', '/v1/openapi.json', '/v1/reports']) {
    const { headers, status } = await by.ask({ path })
    const etag = String(headers['etag'])
    expect([path, status]).toEqual([path, 200])
    const again = await by.ask({ path, headers: { 'if-none-match': `"other", ${etag}` } })
    expect([path, again.status, again.text, again.headers['etag']]).toEqual([path, 304, '', etag])
  }
  const { headers } = await w.ask('/docs/openapi.json')
  const again = await w.ask('/docs/openapi.json', { headers: { 'if-none-match': headers['etag'] } })
  expect(again.status).toBe(304)
})
