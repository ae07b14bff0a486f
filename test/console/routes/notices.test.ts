import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { VIEWS_MAX } from '../../../src/console/schema.ts'
import { LIMITS } from '../../../src/http/limits.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import type { Party } from '../../feeds/world.ts'
import { aConsoleWorld, type ConsoleWorld, fieldOf, type Person } from '../review/world.ts'

let w: ConsoleWorld
let apple: Party
let banana: Party
let cherry: Party
let audience: Uuid
let people: Record<'ann' | 'bob' | 'lea' | 'pat' | 'source', Person>

beforeAll(async () => {
  w = await aConsoleWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  audience = (await w.group('fruit', [apple, banana, cherry])).audience
  people = {
    ann: await w.person(banana, 'analyst'),
    bob: await w.person(banana, 'analyst'),
    lea: await w.person(banana, 'lead'),
    pat: await w.person(banana, 'partner_admin'),
    source: await w.person(apple, 'lead'),
  }
})
afterAll(() => w.end())
beforeEach(() => w.later(60_000))

async function opened(change: object = {}, by = banana): Promise<{ item: SignalItem; id: Uuid }> {
  const item = w.item({ audience, severity: 'medium', ...change })
  await w.submit(apple, [item])
  await w.settle()
  const { results } = await w.hit(by, apple, item, 14)
  const id = results[0]?.case
  if (id === undefined) throw new Error('no case')
  return { item, id }
}

async function formOf(by: Person, id: Uuid): Promise<Record<string, string>> {
  await w.post(by, `/cases/${id}/claim`)
  const { body } = await w.get(by, `/cases/${id}`)
  return { decision: fieldOf(body, 'decision'), version: fieldOf(body, 'version'), token: fieldOf(body, 'token') }
}

const noticesOf = async (by: Person): Promise<string> => (await w.get(by, '/notices')).body
const unreadOn = (html: string): number =>
  Number(/class="count">(\d+)<span class="unseen"> not seen/.exec(html)?.[1] ?? 0)

describe('a person is told', () => {
  test('of a case that was handed over, and nobody else is', async () => {
    const { id } = await opened()
    const { decision: _, ...form } = await formOf(people.ann, id)
    await w.post(people.ann, `/cases/${id}/hand-over`, { ...form, to: people.bob.pseudonym })
    expect(await noticesOf(people.bob)).toContain(`href="/cases/${id}"`)
    expect(await noticesOf(people.ann)).not.toContain(id)
    expect(await noticesOf(people.source)).not.toContain(id)
  })
  test('of a case that a lead took over, by whom', async () => {
    const { id } = await opened()
    await formOf(people.ann, id)
    await w.post(people.lea, `/cases/${id}/claim`, { lead: 'yes' })
    const html = await noticesOf(people.ann)
    expect(html).toContain(`href="/cases/${id}"`)
    expect(html).toContain(`${people.lea.pseudonym} took your case over`)
    expect(await noticesOf(people.bob)).not.toContain(id)
  })
  test('of a proposal: others that it waits, and who proposed what came of it', async () => {
    const { id } = await opened({ severity: 'critical' })
    const form = await formOf(people.ann, id)
    const decided = { verdict: 'confirmed_action_taken', reason: 'own_policy', note_team: 'quite sure of it' }
    await w.post(people.ann, `/cases/${id}/decisions`, { ...form, ...decided, go: 'stay' })
    expect(await noticesOf(people.bob)).toContain('asks for a second person')
    expect(await noticesOf(people.ann)).not.toContain(id)
    const denied = await w.post(people.bob, `/cases/${id}/decisions/${form['decision']}/second`, {
      ...{ answer: 'deny', reason: 'not_enough' },
    })
    expect(denied.statusCode).toBe(303)
    const html = await noticesOf(people.ann)
    expect(html).toContain(`${people.bob.pseudonym} denied your proposal`)
    expect(html).not.toContain('quite sure of it')
    expect(await noticesOf(people.bob)).not.toContain(id)
  })
  test('of a question and a dispute, as whoever speaks for the source', async () => {
    const { item } = await opened()
    await w.give(banana, { ...w.about(apple, item), outcome: 'needs_information', reason: 'basis', note: 'says who' })
    await w.settle()
    const html = await noticesOf(people.source)
    expect(html).toContain('banana needs information')
    expect(html).toContain(`href="/submissions/${item.signal}"`)
    expect(html).not.toContain('says who')
    expect(await noticesOf(people.pat)).not.toContain(item.signal)
  })
  test('that cases are late, as a lead alone', async () => {
    await opened({ severity: 'critical' })
    await w.later(3.5 * 3_600_000)
    expect(await noticesOf(people.lea)).toMatch(/late, or will be within the hour/)
    expect(await noticesOf(people.ann)).not.toMatch(/late, or will be within the hour/)
  })
})

describe('the bell', () => {
  test('counts what is new for whoever looks, until it was seen', async () => {
    const { id } = await opened()
    const { decision: _, ...form } = await formOf(people.ann, id)
    await w.post(people.ann, `/cases/${id}/hand-over`, { ...form, to: people.bob.pseudonym })
    await w.later(20_000)
    const before = await w.get(people.bob, '/queue')
    expect(unreadOn(before.body)).toBeGreaterThan(0)
    const upto = fieldOf(await noticesOf(people.bob), 'upto')
    expect((await w.post(people.bob, '/notices/seen', { upto })).headers.location).toBe('/notices')
    expect(unreadOn((await w.get(people.bob, '/queue')).body)).toBe(0)
    expect(await noticesOf(people.bob)).toContain(`href="/cases/${id}"`)
  })
  test('is never set back, nor ahead of what a page could show', async () => {
    const later = String(w.now().getTime() + 3_600_000)
    await w.post(people.ann, '/notices/seen', { upto: later })
    await w.post(people.ann, '/notices/seen', { upto: '1' })
    const { notices_seen_at } = await w.t.owner
      .selectFrom('console_preference')
      .select('notices_seen_at')
      .where('person_id', '=', people.ann.person)
      .executeTakeFirstOrThrow()
    expect(notices_seen_at?.getTime()).toBe(w.now().getTime())
  })
})

describe('webhooks', () => {
  test('are there for partner administrators alone', async () => {
    for (const name of ['ann', 'lea', 'source'] as const)
      expect((await w.get(people[name], '/webhooks')).statusCode, name).toBe(404)
    expect((await w.get(people.pat, '/webhooks')).body).toContain('no host to post to')
  })
  test('are added with a secret that is shown once, and ended', async () => {
    const admin = await w.person(apple, 'partner_admin')
    const url = 'https://hooks.apple.example/aldis'
    const refused = await w.post(admin, '/webhooks/add', [
      ['url', 'https://evil.example/"><b>'],
      ['kinds[]', 'question.asked'],
    ])
    expect(refused.statusCode).toBe(422)
    expect(refused.body).toContain('has not enrolled this host')
    expect(refused.body).not.toContain('"><b>')
    const added = await w.post(admin, '/webhooks/add', [
      ['url', url],
      ['kinds[]', 'question.asked'],
    ])
    expect(added.body).toMatch(/whsec_[A-Za-z0-9+/]{43}=/)
    const { body } = await w.get(admin, '/webhooks')
    expect(body).toContain(url)
    expect(body).not.toContain('whsec_')
    const path = /action="(\/webhooks\/[0-9a-f-]+\/end)"/.exec(body)?.[1] ?? ''
    const at = path.replace(/end$/, '')
    expect((await w.post(admin, `${at}test`)).statusCode).toBe(303)
    expect((await w.get(admin, '/webhooks')).body).toContain('A test')
    for (const wrong of ['1', '0', '2.0', ''])
      expect((await w.post(admin, `${at}rotation`, [['secret_no', wrong]])).body).not.toContain('whsec_')
    const renewed = await w.post(admin, `${at}rotation`, [['secret_no', '2']])
    expect(renewed.body).toMatch(/whsec_[A-Za-z0-9+/]{43}=/)
    expect((await w.post(admin, `${at}rotation`, [['secret_no', '9']])).statusCode).toBe(409)
    const message = `msg_${'a'.repeat(24)}`
    expect((await w.post(admin, `${at}deliveries/${message}/redelivery`)).statusCode).toBe(404)
    expect((await w.post(await w.person(banana, 'partner_admin'), path)).statusCode).toBe(404)
    expect((await w.post(admin, path)).statusCode).toBe(303)
    expect((await w.get(admin, '/webhooks')).body).not.toContain(path)
  })
})

test('one address may ask so often and no more, and later again', async () => {
  const ask = async (): Promise<number> => (await w.get(people.ann, '/assets/none.css')).statusCode
  const burst = await Promise.all(Array.from({ length: LIMITS.console_requests_per_address_burst }, ask))
  expect(new Set(burst)).toEqual(new Set([404]))
  const refused = await w.get(people.ann, '/notices')
  expect(refused.statusCode).toBe(429)
  expect(refused.headers['retry-after']).toBe('1')
  expect(refused.body).toContain('rate-limited')
  w.pass(1_000)
  expect((await w.get(people.ann, '/notices')).statusCode).toBe(200)
})

describe('a saved view', () => {
  const view = { screen: 'queue', filter: 'type:url severity:>=high', name: 'Links first' }

  test('of a person is found by nobody else, a shared one by the organisation', async () => {
    const [gus, hal] = [await w.person(banana, 'analyst'), await w.person(banana, 'analyst')]
    const own = await w.post(gus, '/views', view)
    expect(own.headers.location).toBe('/queue?type=url&severity=high')
    await w.post(gus, '/views', { ...view, name: 'For us all', shared: 'yes' })
    const queueOf = async (by: Person): Promise<string> => (await w.get(by, '/queue')).body
    expect(await queueOf(gus)).toContain('Links first')
    expect(await queueOf(hal)).not.toContain('Links first')
    expect(await queueOf(hal)).toContain('For us all')
    expect(await queueOf(people.source)).not.toContain('For us all')
    const forget = [...(await queueOf(gus)).matchAll(/action="(\/views\/[0-9a-f-]+\/forget)"/g)].map(([, path]) => path)
    expect(forget).toHaveLength(2)
    for (const path of forget) expect((await w.post(hal, String(path))).statusCode).toBe(404)
    expect((await w.post(people.lea, String(forget[0]))).statusCode).toBe(404)
    expect((await w.post(people.lea, String(forget[1]))).headers.location).toBe('/queue')
    expect((await w.post(gus, String(forget[0]))).statusCode).toBe(303)
    expect(await queueOf(gus)).not.toContain('Links first')
  })
  test.for([
    { name: 'ask ann@example.org' },
    { name: '' },
    { name: '   ' },
    { name: 'a'.repeat(61) },
    { name: 'two\nlines' },
    { filter: 'type:cloud' },
    { filter: 'anything' },
    { screen: 'log' },
    { shared: 'no' },
  ])('is refused as %j', async (change) => {
    const { statusCode } = await w.post(people.ann, '/views', { ...view, ...change } as Record<string, string>)
    expect([400, 422]).toContain(statusCode)
  })
  test('is one of fifty at most', async () => {
    const ida = await w.person(cherry, 'partner_admin')
    const sent = { screen: 'submissions', filter: 'state:live', name: 'Live' }
    const rows = Array.from({ length: VIEWS_MAX }, () => ({
      ...{ participant_id: cherry.participant, view_id: newId(w.now()), owner: ida.person, made_at: w.now() },
      ...{ ...sent, shared: false },
    }))
    await w.t.owner.insertInto('saved_view').values(rows).execute()
    expect((await w.post(ida, '/views', sent)).body).toContain('view-limit')
    expect((await w.post(ida, '/views', { ...sent, shared: 'yes' })).statusCode).toBe(303)
    expect((await w.get(ida, '/submissions')).body).toContain('Live')
  })
})

test('a relation that may be seen is counted in the queue, one that may not is not', async () => {
  const { id, item } = await opened()
  const rowOf = async (by: Person): Promise<string> =>
    new RegExp(`id="case-${id}"[\\s\\S]*?</tr>`).exec((await w.get(by, '/queue')).body)?.[0] ?? ''
  const related = async (): Promise<string> =>
    /<td class="number">(<span[^>]*>)?([^<]+)(<\/span>)?<\/td><td>/.exec(await rowOf(people.ann))?.[2] ?? ''
  expect(await related()).toBe('–')
  const [other, third] = [w.item({ audience }), w.item({ audience })]
  const relation = (to: SignalItem, reach: Uuid) =>
    w.item({ audience: reach, value: { relation: 'same_operator', from: item.signal, to: to.signal } }, 'relation')
  const apart = (await w.group('apart', [apple, cherry])).audience
  await w.submit(apple, [other, third, relation(other, audience), relation(third, apart)])
  await w.settle()
  expect(await related()).toBe('1')
})

describe('settings', () => {
  test('move keys, and refuse two acts on one', async () => {
    const refused = await w.post(people.ann, '/settings/keys', { claim: 'x' })
    expect(refused.statusCode).toBe(422)
    expect(refused.body).toContain('is the key of')
    expect((await w.post(people.ann, '/settings/keys', { claim: 'p' })).statusCode).toBe(303)
    expect((await w.get(people.ann, '/queue')).body).toContain('data-keymap="p=c c="')
    expect((await w.get(people.bob, '/queue')).body).not.toContain('data-keymap')
    await w.post(people.ann, '/settings/keys', { claim: 'p', reset: 'yes' })
    expect((await w.get(people.ann, '/queue')).body).not.toContain('data-keymap')
  })
  test.for([{ daily_cap: '0' }, { daily_cap: '501' }, { nudge_minutes: 'ten' }, { opted_out: 'grooming' }])(
    'refuse %j',
    async (fields) => {
      expect((await w.post(people.ann, '/settings/wellbeing', fields as Record<string, string>)).statusCode).toBe(422)
    },
  )
  test('what somebody opted out of is not given by next, and is still found', async () => {
    const cat = await w.person(cherry, 'analyst')
    const { id, item } = await opened({ severity: 'low' }, cherry)
    const fields: [string, string][] = [
      ['opted_out[]', item.category],
      ['nudge_items', '1'],
    ]
    expect((await w.post(cat, '/settings/wellbeing', fields)).statusCode).toBe(303)
    expect((await w.post(cat, '/queue/next')).headers.location).toBe('/queue')
    expect((await w.get(cat, '/queue')).body).toContain(id)
    expect((await w.get(cat, `/cases/${id}`)).statusCode).toBe(200)
  })
  test('a cap ends what is severe for the day, and a nudge says when to rest', async () => {
    const dan = await w.person(cherry, 'analyst')
    for (const severity of ['high', 'high', 'low']) await opened({ severity }, cherry)
    await w.post(dan, '/settings/wellbeing', { daily_cap: '1', nudge_items: '1' })
    const first = await w.post(dan, '/queue/next')
    const page = await w.get(dan, String(first.headers.location))
    expect(page.body.includes('severity-high')).toBe(true)
    expect(page.body.includes('Time for a break?')).toBe(true)
    const second = await w.post(dan, '/queue/next')
    expect(second.headers.location).toMatch(/^\/cases\//)
    const severities = await w.t.owner
      .selectFrom('review_case')
      .select('severity')
      .where('case_id', '=', String(second.headers.location).slice('/cases/'.length) as Uuid)
      .executeTakeFirstOrThrow()
    expect(severities.severity).toBeLessThan(3)
  })
  test('what somebody saw is on a page of nobody else', async () => {
    const fay = await w.person(banana, 'analyst')
    const { id } = await opened({ severity: 'high' })
    await w.post(fay, `/cases/${id}/claim`)
    expect((await w.get(fay, '/settings')).body).toMatch(/<strong>1<\/strong> severe case/)
    for (const path of ['/leads', '/queue', '/settings', '/notices', `/cases/${id}`]) {
      const { body } = await w.get(people.lea, path)
      expect(body, path).not.toMatch(/<strong>1<\/strong> severe case/)
      expect(body, path).not.toContain('Time for a break?')
    }
  })
})
