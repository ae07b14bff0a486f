import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { LEASE_MS } from '../../../src/review/lease.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import type { Party } from '../../feeds/world.ts'
import { aConsoleWorld, type ConsoleWorld, fieldOf, type Person } from './world.ts'

let w: ConsoleWorld
let apple: Party
let banana: Party
let cherry: Party
let audience: Uuid
let ann: Person
let bob: Person
let lea: Person
let eve: Person

beforeAll(async () => {
  w = await aConsoleWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  audience = (await w.group('fruit', [apple, banana, cherry])).audience
  ann = await w.person(banana, 'analyst')
  bob = await w.person(banana, 'analyst')
  lea = await w.person(banana, 'lead')
  eve = await w.person(cherry, 'analyst')
})
afterAll(() => w.end())
/** Longer than the grace: nothing of another test may be undone any more. */
beforeEach(() => w.later(30_000))

/** A case of banana's over a hit of its own. */
async function opened(
  change: object = {},
  type: 'url' | 'keyword_pattern' = 'url',
): Promise<{ item: SignalItem; id: Uuid }> {
  const item = w.item({ audience, severity: 'medium', ...change }, type)
  await w.submit(apple, [item])
  await w.settle()
  const { results } = await w.hit(banana, apple, item, 14)
  const id = results[0]?.case
  if (id === undefined) throw new Error('no case')
  return { item, id }
}

/** Many of them at once. */
async function openedAlike(n: number, change: object): Promise<Uuid[]> {
  const items = Array.from({ length: n }, () => w.item({ audience, severity: 'medium', ...change }))
  await w.submit(apple, items)
  await w.settle()
  const ids: Uuid[] = []
  for (const item of items) {
    const id = (await w.hit(banana, apple, item)).results[0]?.case
    if (id !== undefined) ids.push(id)
  }
  return ids
}

/** Claims the case; answers what its form would send. */
async function claimed(by: Person, id: Uuid): Promise<Record<string, string>> {
  expect((await w.post(by, `/cases/${id}/claim`)).headers.location).toBe(`/cases/${id}`)
  const { body } = await w.get(by, `/cases/${id}`)
  return { decision: fieldOf(body, 'decision'), version: fieldOf(body, 'version'), token: fieldOf(body, 'token') }
}

const decided = { verdict: 'confirmed_action_taken', reason: 'own_policy' }
const stateOf = async (id: Uuid): Promise<string> => (await w.caseOf(banana, id)).state

describe('who may do what', () => {
  test('each page and form is there for analysts, and for nobody who is none', async () => {
    const { id } = await opened()
    const governor = await w.person(banana, 'partner_admin')
    const form = await claimed(ann, id)
    const gets = [
      '/queue',
      '/queue/find?text=',
      '/queue/news?since=0',
      `/cases/${id}`,
      '/second-reviews',
      `/cases/${id}/related`,
    ]
    for (const url of gets) {
      expect([url, (await w.get(ann, url, { accept: 'text/html' })).statusCode]).toEqual([
        url,
        url === '/queue/find?text=' ? 303 : 200,
      ])
      expect([url, (await w.get(governor, url)).statusCode]).toEqual([url, 404])
    }
    const posts = ['claim', 'renew', 'keep', 'leave', 'hold', 'resume', 'hand-over', 'decisions']
    for (const path of posts)
      expect([path, (await w.post(governor, `/cases/${id}/${path}`, form)).statusCode]).toEqual([path, 404])
    expect((await w.post(governor, '/queue/next')).statusCode).toBe(404)
    expect((await w.get(lea, '/leads')).statusCode).toBe(200)
    expect((await w.get(ann, '/leads')).statusCode).toBe(404)
  })

  test('another organisation’s case is as if it were not there', async () => {
    const { id } = await opened()
    const absent = await w.get(eve, `/cases/${newId(w.now())}`)
    for (const url of [`/cases/${id}`, `/cases/${id}/texts`, `/cases/${id}/related`]) {
      const page = await w.get(eve, url)
      expect([url, page.statusCode]).toEqual([url, 404])
      expect(page.body.replaceAll(/<code>[\w-]{16}<\/code>/g, '')).toBe(
        absent.body.replaceAll(/<code>[\w-]{16}<\/code>/g, ''),
      )
    }
    const token = newId(w.now())
    for (const path of ['claim', 'leave', 'keep', 'renew'])
      expect([path, (await w.post(eve, `/cases/${id}/${path}`, { token })).statusCode]).toEqual([path, 404])
  })

  test('a form without the session’s token, or from elsewhere, does nothing', async () => {
    const { id } = await opened()
    const forged = await w.post(ann, `/cases/${id}/claim`, {}, { 'sec-fetch-site': 'cross-site' })
    expect(forged.statusCode).toBe(403)
    const other = await w.post({ ...ann, csrf: bob.csrf }, `/cases/${id}/claim`)
    expect(other.statusCode).toBe(403)
    expect((await w.caseOf(banana, id)).lease).toBeUndefined()
  })
})

describe('a case', () => {
  test('is claimed, decided, undone, and decided again', async () => {
    const { id } = await opened()
    const form = await claimed(ann, id)
    const sent = await w.post(ann, `/cases/${id}/decisions`, {
      ...form,
      ...decided,
      accounts_actioned: '0',
      go: 'stay',
    })
    expect([sent.statusCode, sent.headers.location]).toEqual([303, `/cases/${id}`])
    const [decision] = (await w.caseOf(banana, id)).decisions ?? []
    expect(decision).toMatchObject({
      authority: 'reviewed_here',
      decided_by: ann.pseudonym,
      counts: { accounts_actioned: 0 },
    })
    const page = (await w.get(ann, `/cases/${id}`)).body
    expect(page).toContain(`/cases/${id}/decisions/${form['decision']}/undo`)
    expect((await w.get(bob, `/cases/${id}`)).body).not.toContain('id="undo"')
    await w.post(ann, `/cases/${id}/decisions/${form['decision']}/undo`)
    expect(await stateOf(id)).toBe('open')
    const again = (await w.get(ann, `/cases/${id}`)).body
    const next = {
      decision: fieldOf(again, 'decision'),
      version: fieldOf(again, 'version'),
      token: fieldOf(again, 'token'),
    }
    expect((await w.post(ann, `/cases/${id}/decisions`, { ...next, ...decided })).statusCode).toBe(303)
    expect(await stateOf(id)).toBe('decided')
  })

  test('a count that is left empty was not reported, which is something else than none', async () => {
    const { id } = await opened()
    const form = await claimed(ann, id)
    await w.post(ann, `/cases/${id}/decisions`, { ...form, ...decided, urls_blocked: '0', accounts_actioned: '' })
    expect((await w.caseOf(banana, id)).decisions?.[0]?.counts).toEqual({ urls_blocked: 0 })
  })

  test('the same form sent twice is one decision', async () => {
    const { id } = await opened()
    const form = await claimed(ann, id)
    const both = [1, 2].map(() => w.post(ann, `/cases/${id}/decisions`, { ...form, ...decided }))
    expect((await Promise.all(both)).map(({ statusCode }) => statusCode)).toEqual([303, 303])
    expect((await w.caseOf(banana, id)).decisions).toHaveLength(1)
  })

  test('a stale form is compared with what stands now, and what was typed is kept', async () => {
    const { id } = await opened()
    const form = await claimed(ann, id)
    await w.later(LEASE_MS + 1)
    await claimed(bob, id)
    const sent = await w.post(ann, `/cases/${id}/decisions`, {
      ...form,
      ...decided,
      note_shared: 'ripe plums',
      urls_blocked: '3',
    })
    expect(sent.statusCode).toBe(409)
    expect(sent.body).toContain('The case has moved on since you read it')
    expect(sent.body).toContain('ripe plums')
    expect(sent.body).toContain(`open, ${bob.pseudonym} works on it`)
    expect(sent.body).toContain('<td>revision 1</td>')
    await w.later(LEASE_MS + 1)
    const kept = await w.post(ann, `/cases/${id}/claim`, {
      ...decided,
      note_shared: 'ripe plums',
      decision: form['decision'] ?? '',
    })
    expect(kept.statusCode).toBe(200)
    expect(kept.body).toContain('ripe plums')
    expect(fieldOf(kept.body, 'token')).not.toBe(form['token'])
  })

  test.each([
    ['a raw e-mail address', { note_shared: 'ask fig@mail.example' }, 'f-note_shared-error', 'looks like'],
    ['a phone number', { note_team: 'call +353 86 123 4567 now' }, 'f-note_team-error', 'looks like'],
    ['a note that is too long', { note_shared: 'plum '.repeat(120) }, 'f-note_shared-error', 'at most 500'],
    ['no verdict', { verdict: '' }, 'verdict-error', 'choose one'],
    ['a reason of another verdict', { reason: 'inactive' }, 'f-reason-error', 'own_policy'],
    ['a count that is none', { urls_blocked: '-1' }, 'f-urls_blocked-error', 'whole number'],
  ])('%s is refused beside its field, with what was typed', async (_, change, at, says) => {
    const { id } = await opened()
    const form = await claimed(ann, id)
    const sent = await w.post(ann, `/cases/${id}/decisions`, { ...form, ...decided, note_team: 'quince', ...change })
    expect(sent.statusCode).toBe(422)
    expect(sent.body).toMatch(new RegExp(`id="${at}"[^>]*>[^<]*${says}`))
    for (const text of Object.values(change).filter((one) => one !== '' && one !== '-1'))
      expect(sent.body).toContain(String(text).trim())
    expect(fieldOf(sent.body, 'decision')).toBe(form['decision'])
    expect(await stateOf(id)).toBe('open')
  })

  test('words of a source are on no page before they are asked for, and each look is a read', async () => {
    const { id, item } = await opened({ note: 'the orchard gate' }, 'keyword_pattern')
    const pattern = item.type === 'keyword_pattern' ? item.value.text : ''
    for (const url of ['/queue', `/cases/${id}`, '/second-reviews']) {
      const { body } = await w.get(ann, url)
      expect([url, body.includes('the orchard gate'), body.includes(pattern)]).toEqual([url, false, false])
    }
    const reads = () => w.t.owner.selectFrom('read_journal').selectAll().execute()
    const before = (await reads()).length
    const part = await w.get(ann, `/cases/${id}/texts`, {
      'hx-request': 'true',
      'hx-request-type': 'partial',
      'sec-fetch-mode': 'cors',
    })
    expect(part.body).toContain('the orchard gate')
    expect(part.body).toContain(pattern)
    expect(part.body).not.toContain('<html')
    expect((await reads()).length).toBe(before + 1)
    expect((await w.get(ann, `/cases/${id}/texts`)).body).toContain('<html')
  })

  test.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "'; alert(1) //",
    '</textarea><script>alert(1)</script>',
    '{{7*7}}',
  ])('%s in a note is text', async (text) => {
    const { id } = await opened()
    const form = await claimed(ann, id)
    const sent = await w.post(ann, `/cases/${id}/decisions`, {
      ...form,
      ...decided,
      verdict: '',
      note_shared: text,
      note_team: text,
    })
    expect(sent.statusCode).toBe(422)
    expect(sent.body).not.toMatch(/<script>alert|<img src=x/)
    await w.post(ann, `/cases/${id}/decisions`, { ...form, ...decided, note_shared: text, note_team: text })
    const page = (await w.get(ann, `/cases/${id}`)).body
    expect(page).not.toMatch(/<script>alert|<img src=x/)
    expect((await w.caseOf(banana, id)).decisions?.[0]?.note_shared).toBe(text)
  })

  test('is parked and comes back, handed over, and taken over by a lead alone', async () => {
    const { id } = await opened()
    const { token = '', version = '' } = await claimed(ann, id)
    const held = { token, version, reason: 'awaiting_expert', hours: '4' }
    expect((await w.post(ann, `/cases/${id}/hold`, held)).headers.location).toBe('/queue')
    expect(await stateOf(id)).toBe('held')
    const parked = (await w.get(ann, `/cases/${id}`)).body
    await w.post(ann, `/cases/${id}/resume`, { version: fieldOf(parked, 'version') })
    const form = await claimed(ann, id)
    const stranger = await w.post(ann, `/cases/${id}/hand-over`, { ...form, to: eve.pseudonym, decision: '' })
    expect(stranger.statusCode).toBe(422)
    const given = await w.post(ann, `/cases/${id}/hand-over`, {
      token: form['token'] ?? '',
      version: form['version'] ?? '',
      to: bob.pseudonym,
    })
    expect(given.headers.location).toBe('/queue')
    expect((await w.post(ann, `/cases/${id}/claim`)).statusCode).toBe(409)
    expect((await w.get(bob, '/queue?mine=yes')).body).toContain(id)
    await claimed(bob, id)
    expect((await w.post(ann, `/cases/${id}/claim`, { lead: 'yes' })).statusCode).toBe(409)
    expect((await w.post(lea, `/cases/${id}/claim`)).statusCode).toBe(409)
    expect((await w.post(lea, `/cases/${id}/claim`, { lead: 'yes' })).statusCode).toBe(303)
  })

  test('a page in use keeps its lease, a page that goes away leaves it within seconds', async () => {
    const { id } = await opened()
    const { token = '' } = await claimed(ann, id)
    await w.later(60_000)
    const kept = await w.post(ann, `/cases/${id}/keep`, { token })
    expect(kept.json()).toEqual({
      expires_at: new Date(w.now().getTime() + LEASE_MS).toISOString(),
      now: w.now().toISOString(),
    })
    const left = await w.post(ann, `/cases/${id}/left`, { token })
    expect([left.statusCode, left.body]).toEqual([204, ''])
    await w.later(10_001)
    await claimed(bob, id)
    // Nobody is there to read a refusal.
    for (const late of [{ token }, {}]) expect((await w.post(ann, `/cases/${id}/left`, late)).statusCode).toBe(204)
    expect((await w.post(bob, `/cases/${newId(w.now())}/left`, { token })).statusCode).toBe(204)
    const lost = await w.post(ann, `/cases/${id}/keep`, { token })
    expect([lost.statusCode, lost.json()]).toEqual([409, { code: 'lease-held' }])
  })
})

describe('second persons', () => {
  test('what needs one is approved by another alone, who sees the evidence first', async () => {
    const { id } = await opened({ severity: 'critical' })
    const form = await claimed(ann, id)
    await w.post(ann, `/cases/${id}/decisions`, { ...form, ...decided })
    const url = `/cases/${id}/decisions/${form['decision']}/second`
    const own = (await w.get(ann, '/second-reviews')).body
    expect([own.includes('Take it back'), own.includes('value="approve"')]).toEqual([true, false])
    const self = await w.post(ann, url, { answer: 'approve' })
    expect([self.statusCode, await stateOf(id)]).toEqual([403, 'awaiting_second'])
    const other = (await w.get(bob, '/second-reviews')).body
    expect(other.indexOf('Look at the evidence')).toBeLessThan(other.indexOf('What is proposed'))
    const denied = await w.post(bob, url, { answer: 'deny', reason: 'evidence_missing' })
    expect([denied.statusCode, await stateOf(id)]).toEqual([303, 'open'])
    const again = await claimed(ann, id)
    await w.post(ann, `/cases/${id}/decisions`, { ...again, ...decided })
    await w.post(bob, `/cases/${id}/decisions/${again['decision']}/second`, { answer: 'approve', reason: 'denied' })
    expect((await w.caseOf(banana, id)).decisions?.at(-1)).toMatchObject({
      approved_by: bob.pseudonym,
      standing: 'grace',
    })
  })

  test('a proposal is taken back by whoever made it', async () => {
    const { id } = await opened({ severity: 'critical' })
    const form = await claimed(ann, id)
    await w.post(ann, `/cases/${id}/decisions`, { ...form, ...decided })
    await w.post(ann, `/cases/${id}/decisions/${form['decision']}/second`, { answer: 'retract', reason: 'denied' })
    expect(await stateOf(id)).toBe('open')
  })
})

describe('the queue', () => {
  test('its filters are one in address, chips and text, and unknown ones are refused', async () => {
    await opened({ severity: 'high' })
    const found = await w.get(ann, '/queue/find?text=type:url%20severity:%3E%3Dhigh%20source:apple')
    expect(found.headers.location).toBe('/queue?type=url&severity=high&source=apple')
    const { body } = await w.get(ann, String(found.headers.location))
    expect(body).toContain('severity:>=high</code>')
    expect(body).toContain('value="type:url severity:>=high source:apple"')
    for (const url of [
      '/queue?plum=1',
      '/queue?type=plum',
      '/queue?limit=5',
      '/queue?mine=no',
      '/queue?category=plum',
      '/queue?source=nobody',
    ])
      expect([url, (await w.get(ann, url)).statusCode]).toEqual([url, 400])
    const unread = await w.get(ann, '/queue/find?text=%3Cscript%3E')
    expect([unread.statusCode, unread.body.includes('<script>')]).toEqual([422, false])
  })

  test('the first case that nobody works on is one press away', async () => {
    await opened()
    const next = await w.post(bob, '/queue/next')
    expect(next.headers.location).toMatch(/^\/cases\/[0-9a-f-]{36}$/)
  })

  test('news are told once: the same again is a 304', async () => {
    const since = w.now().getTime()
    await w.later(1_000)
    await opened()
    const first = await w.get(ann, `/queue/news?since=${since}`)
    expect(first.json()).toEqual({ new: 1 })
    const again = await w.get(ann, `/queue/news?since=${since}`, { 'if-none-match': String(first.headers.etag) })
    expect([again.statusCode, again.body]).toEqual([304, ''])
  })

  test('a page of cases is one read', async () => {
    await opened()
    const reads = () => w.t.owner.selectFrom('read_journal').selectAll().execute()
    const before = (await reads()).length
    await w.get(ann, '/queue')
    expect((await reads()).length).toBe(before + 1)
  })
})

describe('a second look', () => {
  test('a lead sets its share and the hours; a colleague decides blind, and then sees what was decided', async () => {
    // What other tests decided is not chosen from.
    await w.later(30_000)
    await w.release()
    const setting = { from: '09:00', to: '17:00', sample_percent: '100' }
    expect((await w.post(ann, '/leads/settings', setting)).statusCode).toBe(404)
    const turned = await w.post(lea, '/leads/settings', [
      ...Object.entries({ ...setting, to: '08:00' }),
      ['day[]', 'monday'],
    ])
    expect([turned.statusCode, turned.body.includes('From comes before to')]).toEqual([422, true])
    expect((await w.post(lea, '/leads/settings', { ...setting, sample_percent: '101' })).statusCode).toBe(422)
    expect((await w.post(lea, '/leads/settings', setting)).headers.location).toBe('/leads')
    const { id, item } = await opened()
    const form = await claimed(ann, id)
    await w.post(ann, `/cases/${id}/decisions`, { ...form, verdict: 'outdated', reason: 'inactive' })
    await w.later(30_000)
    await w.release()
    expect((await w.get(ann, '/samples')).body).not.toContain(item.signal.slice(-6))
    const list = (await w.get(bob, '/samples')).body
    const url = /\/samples\/[0-9a-f-]{36}/.exec(list)?.[0] ?? ''
    const page = (await w.get(bob, url)).body
    expect([page.includes('apple'), page.includes('Outdated</strong>'), page.includes(ann.pseudonym)]).toEqual([
      true,
      false,
      false,
    ])
    expect((await w.post(bob, url, { outcome: 'outdated.law' })).statusCode).toBe(422)
    expect((await w.post(ann, url, { outcome: 'outdated.inactive' })).statusCode).toBe(403)
    expect((await w.post(bob, url, { outcome: 'outdated.inactive' })).body).toContain('You agree')
    expect((await w.get(bob, url)).statusCode).toBe(404)
    expect((await w.get(lea, '/leads')).body).toContain('Second looks')
    await w.post(lea, '/leads/settings', { ...setting, sample_percent: '0' })
  })
})

describe('many at once', () => {
  const itemsIn = (html: string): string[] =>
    [...html.matchAll(/name="item\[\]" value="([^"]*)"/g)].map(([, text = '']) => text)
  const many = (by: Person, url: string, names: readonly [string, string][]) => w.post(by, url, names)

  test('are shown first, then decided each by itself, undone together, and told as a table', async () => {
    const [free, urgent, taken] = [await opened(), await opened({ severity: 'critical' }), await opened()]
    await claimed(bob, taken.id)
    const chosen = [free, urgent, taken].map(({ id }): [string, string] => ['case[]', id])
    const plan = await many(ann, '/bulk', chosen)
    expect(plan.body).toContain(`no: ${bob.pseudonym} works on it`)
    const items = itemsIn(plan.body)
    expect(items.map((text) => text.slice(0, 36)).sort()).toEqual([free.id, urgent.id].sort())
    expect(await stateOf(free.id)).toBe('open')
    await claimed(lea, free.id)
    await w.later(LEASE_MS + 1)
    const job = fieldOf(plan.body, 'job')
    const form: [string, string][] = [
      ...items.map((text): [string, string] => ['item[]', text]),
      ...([
        ['outcome', 'confirmed_action_taken.own_policy'],
        ['note_team', ''],
        ['note_shared', 'seen by two'],
      ] as [string, string][]),
    ]
    const raw = await many(ann, '/bulk/decide', [
      ...form.map(([name, text]): [string, string] => [name, name === 'note_shared' ? 'fig@mail.example' : text]),
      ['job', job],
    ])
    expect(fieldOf(raw.body, 'job')).toBe(job)
    expect([raw.statusCode, raw.body.includes('fig@mail.example'), await stateOf(free.id)]).toEqual([422, true, 'open'])
    expect(itemsIn(raw.body)).toEqual(items)
    const done = await many(ann, '/bulk/decide', [...form, ['job', job]])
    const url = String(done.headers.location)
    expect([done.statusCode, url]).toEqual([303, `/bulk/jobs/${job}`])
    expect([await stateOf(free.id), await stateOf(urgent.id), await stateOf(taken.id)]).toEqual([
      ...['decided', 'awaiting_second', 'open'],
    ])
    const page = (await w.get(ann, url)).body
    expect(page).toContain('<strong>1</strong> of 2 decided: Confirmed, action taken · 1 wait for a second person.')
    expect(page).toContain('a second person has to approve it <code class="muted">proposed</code>')
    expect((await many(ann, '/bulk/decide', [...form, ['job', job]])).headers.location).toBe(url)
    expect((await w.caseOf(banana, free.id)).decisions).toHaveLength(1)
    const table = await w.get(ann, `${url}/results`)
    expect(table.headers['content-type']).toBe('text/csv; charset=utf-8')
    expect(table.body.split('\r\n').slice(0, 3)).toEqual([
      'case,version,decision,result,at,undone',
      expect.stringMatching(new RegExp(`^${items[0]?.slice(0, 36)},`)),
      expect.stringMatching(new RegExp(`^${items[1]?.slice(0, 36)},`)),
    ])
    expect(table.body).toContain(',proposed,')
    const undo = await w.post(ann, `${url}/undo`)
    expect([undo.headers.location, await stateOf(free.id), await stateOf(urgent.id)]).toEqual([url, 'open', 'open'])
    expect((await w.get(ann, url)).body).toContain('<strong>2</strong> of 2 undone.')
    expect((await w.get(ann, '/bulk/jobs')).body).toContain(url)
  })

  test('a whole view is planned at once, and its first cases are shown', async () => {
    await openedAlike(2, { category: 'evasion_tactic' })
    const plan = await w.post(ann, '/bulk/view', { category: 'evasion_tactic' })
    expect(plan.body).toContain('<strong>2</strong> of 2 selected will change')
    expect((await w.post(ann, '/bulk/view', { category: 'plum' })).statusCode).toBe(400)
    expect((await w.post(ann, '/bulk/view', { state: 'closed' })).statusCode).toBe(400)
  })

  test('more than one person decides alone wait for a lead, who types how many there are', async () => {
    const ids = await openedAlike(26, { category: 'network_hub' })
    const plan = await many(
      ann,
      '/bulk',
      ids.map((id) => ['case[]', id]),
    )
    expect(plan.body).toContain('Propose to decide 26 cases')
    const words: [string, string][] = [
      ['outcome', 'outdated.inactive'],
      ['note_team', ''],
      ['note_shared', ''],
    ]
    const job = fieldOf(plan.body, 'job')
    const form: [string, string][] = [
      ...itemsIn(plan.body).map((text): [string, string] => ['item[]', text]),
      ['job', job],
    ]
    const url = String((await many(ann, '/bulk/decide', [...form, ...words])).headers.location)
    expect((await w.get(ann, url)).body).toContain('Take it back')
    expect((await w.get(bob, url)).body).not.toContain('value="approve"')
    expect((await w.get(lea, '/second-reviews')).body).toContain(url)
    const shown = (await w.get(lea, url)).body
    const digest = fieldOf(shown, 'digest')
    const answer = (by: Person, change: object) =>
      w.post(by, `${url}/answer`, { answer: 'approve', digest, n: '26', ...change })
    const wrong = await answer(lea, { n: '25' })
    expect([wrong.statusCode, wrong.body.includes('how many cases it decides')]).toEqual([422, true])
    expect((await answer(ann, {})).statusCode).toBe(403)
    expect((await answer(bob, {})).statusCode).toBe(403)
    expect((await answer(eve, {})).statusCode).toBe(404)
    expect((await answer(lea, {})).headers.location).toBe(url)
    const half = await w.get(ann, url, { 'hx-request': 'true', 'hx-request-type': 'partial' })
    expect(half.body).toMatch(/^<section id="bulk-progress".*hx-trigger="every 1s".*<progress value="0" max="26"/s)
    for (let n = 1; n > 0; ) n = await w.bulkRound()
    const over = await w.get(ann, url, { 'hx-request': 'true', 'hx-request-type': 'partial' })
    expect(over.headers['hx-redirect']).toBe(url)
    expect((await w.get(ann, url)).body).toContain(`by ${lea.pseudonym}`)
    expect((await w.post(bob, `${url}/cancel`)).statusCode).toBe(409)
  })

  test('nothing of another organisation is there', async () => {
    const { id } = await opened()
    const form: [string, string][] = [
      ['item[]', `${id}.1`],
      ...([
        ['outcome', 'outdated.inactive'],
        ['note_team', ''],
        ['note_shared', ''],
      ] as [string, string][]),
      ['job', newId(w.now())],
    ]
    const foreign = await many(eve, '/bulk/decide', form)
    expect((await w.get(eve, String(foreign.headers.location))).body).toContain('not_there')
    expect(await stateOf(id)).toBe('open')
    expect((await w.get(ann, String(foreign.headers.location))).statusCode).toBe(404)
    expect((await many(eve, '/bulk', [['case[]', id]])).body).toContain('None of them is there')
  })
})
