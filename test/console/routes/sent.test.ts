import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toBase64Url } from '../../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { changesRoot } from '../../../src/provenance/signal-change.ts'
import { createAuditedSignals } from '../../../src/signals/audited.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import type { Party } from '../../feeds/world.ts'
import { instantAt } from '../../signals/factory.ts'
import { aConsoleWorld, type ConsoleWorld, type Person } from '../review/world.ts'

const EVIL = '"><script>alert(1)</script>'

let w: ConsoleWorld
let apple: Party
let banana: Party
let people: Record<'analyst' | 'lead' | 'partner_admin' | 'observer' | 'other', Person>
let item: SignalItem
let pattern: SignalItem
let audience: Uuid

beforeAll(async () => {
  w = await aConsoleWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  audience = (await w.group('fruit', [apple, banana])).audience
  people = {
    analyst: await w.person(apple, 'analyst'),
    lead: await w.person(apple, 'lead'),
    partner_admin: await w.person(apple, 'partner_admin'),
    observer: await w.person(apple),
    other: await w.person(banana, 'analyst', 'partner_admin'),
  }
  item = w.item({ audience })
  pattern = w.item({ audience, note: EVIL }, 'keyword_pattern')
  await w.submit(apple, [item, pattern])
  await w.settle()
  await w.give(banana, { ...w.about(apple, item), outcome: 'needs_information', reason: 'basis', note: EVIL })
  await w.settle()
})
afterAll(() => w.end())
beforeEach(() => w.later(1_000))

const reads = async ({ participant }: Party): Promise<number> =>
  (await w.t.owner.selectFrom('read_pending').select('journal_id').where('participant_id', '=', participant).execute())
    .length

async function disputed(): Promise<Uuid> {
  const dispute = newId(w.now())
  await w.object(banana, { ...w.about(apple, item), dispute, ground: 'false_match' })
  await w.settle()
  return dispute
}

describe('a page', () => {
  const PAGES: readonly [path: () => string, open: readonly string[]][] = [
    [() => '/submissions', ['analyst', 'lead', 'partner_admin', 'other']],
    [() => `/submissions/${item.signal}`, ['analyst', 'lead', 'partner_admin']],
    [() => '/tactics', ['analyst', 'lead', 'other']],
    [() => `/tactics/apple/${pattern.signal}`, ['analyst', 'lead', 'other']],
    [() => `/tactics/apple/${pattern.signal}/words/1`, ['analyst', 'lead', 'other']],
    [() => '/search', ['analyst', 'lead', 'other']],
  ]
  const who = ['analyst', 'lead', 'partner_admin', 'observer', 'other'] as const
  const cases = PAGES.flatMap(([path, open], i) => who.map((name) => [i, name, open.includes(name), path] as const))
  test.for(cases)('%i is open to %s: %s', async ([, name, isOpen, path]) => {
    const { statusCode, body } = await w.get(people[name], path())
    expect(statusCode).toBe(isOpen ? 200 : 404)
    expect(body).not.toContain('<script>alert')
    if (!isOpen) expect(body).not.toContain(item.signal)
  })
  test('of what one sent oneself is no read; of what others wrote each look is one', async () => {
    const before = await reads(apple)
    await w.get(people.lead, '/submissions')
    const { body } = await w.get(people.lead, `/submissions/${item.signal}`)
    expect(await reads(apple)).toBe(before)
    expect(body).not.toContain('alert(1)')
    const href = /href="(\/submissions\/[^"]*\/words\/\d+)"/.exec(body)?.[1] ?? ''
    const part = await w.get(people.lead, href, { 'hx-request': 'true', 'hx-request-type': 'partial' })
    expect(part.body).toContain('&lt;script>alert(1)')
    expect(part.body).not.toContain('<html')
    expect(await reads(apple)).toBe(before + 1)
    expect((await w.get(people.other, href)).statusCode).toBe(404)
  })
  test('of the board is one read, and has no words', async () => {
    const before = await reads(banana)
    const { body } = await w.get(people.other, '/tactics')
    expect(body).toContain(pattern.signal)
    expect(body).not.toContain('alert(1)')
    expect(await reads(banana)).toBe(before + 1)
  })
  test.for(['/submissions?state=gone', '/submissions?x=1', '/tactics?type=url', '/tactics?cursor=x'])(
    'is not made for %s',
    async (path) => {
      expect((await w.get(people.lead, path)).statusCode).toBe(400)
    },
  )
})

describe('a dispute', () => {
  test('is answered by who may speak for the organisation, and by nobody else', async () => {
    const dispute = await disputed()
    const path = `/submissions/${item.signal}/disputes/${dispute}/answer`
    for (const name of ['analyst', 'observer', 'other'] as const)
      expect((await w.post(people[name], path, { result: 'rejected' })).statusCode, name).toBe(404)
    const refused = await w.post(people.lead, path, { result: 'rejected', note: 'ask ann@example.org' })
    expect(refused.statusCode).toBe(422)
    expect(refused.body).toContain('ask ann@example.org')
    const unknown = await w.post(people.lead, path, { result: 'maybe' })
    expect(unknown.statusCode).toBe(422)
    const done = await w.post(people.partner_admin, path, { result: 'rejected', note: ' two of us saw it\r\n' })
    expect(done).toMatchObject({ statusCode: 303, headers: { location: `/submissions/${item.signal}` } })
    const [row] = await w.t.owner.selectFrom('dispute_answer').selectAll().where('dispute_id', '=', dispute).execute()
    expect(row).toMatchObject({ result: 'rejected', note: 'two of us saw it' })
    expect(await w.opened(row?.last_event as Uuid)).toMatchObject({
      ...{ person: people.partner_admin.person, authority: 'reviewed_here' },
    })
  })
  test('of a signal that is not held releases nothing', async () => {
    const path = `/submissions/${item.signal}/release`
    expect((await w.post(people.analyst, path)).statusCode).toBe(404)
    const { statusCode, body } = await w.post(people.lead, path)
    expect(statusCode).toBe(409)
    expect(body).toMatch(/signal-held|state-conflict/)
  })
})

describe('a held signal', () => {
  test('is offered for release to who may speak, but not where two persons of the programme hold it', async () => {
    const since = instantAt(0, w.now())
    const [own, theirs] = [w.item({ audience }), w.item({ audience })]
    await w.submit(apple, [own, theirs])
    await w.settle()
    const dispute = newId(w.now())
    await w.object(banana, { ...w.about(apple, own), dispute, ground: 'unlawful' })
    await w.settle()
    await w.feedback.answer(apple, dispute, { result: 'confirmed' })
    await w.decide('source.hold', { participant: 'apple', since })
    await w.settle()
    const [path, refused] = [own, theirs].map(({ signal }) => `/submissions/${signal}/release`)
    expect((await w.get(people.lead, `/submissions/${own.signal}`)).body).toContain(path)
    const { body } = await w.get(people.lead, `/submissions/${theirs.signal}`)
    expect(body).toContain('Two persons of the programme hold it')
    expect(body).not.toContain(refused)
    const answer = await w.post(people.lead, refused ?? '')
    expect([answer.statusCode, answer.body.includes('signal-held')]).toEqual([409, true])
    expect((await w.post(people.lead, path ?? '')).statusCode).toBe(303)
  })
})

describe('a question', () => {
  test('is answered once by who may speak, and the recipient has it with its authority', async () => {
    const one = w.item({ audience })
    await w.submit(apple, [one])
    await w.settle()
    const { results } = await w.hit(banana, apple, one, 2)
    const { body: before } = await w.get(people.lead, `/submissions/${one.signal}`)
    expect(before).not.toContain('questions-title')
    await w.give(banana, { ...w.about(apple, one), outcome: 'needs_information', reason: 'basis', note: EVIL })
    await w.settle()
    const path = `/submissions/${one.signal}/questions/banana/answer`
    for (const name of ['analyst', 'observer', 'other'] as const)
      expect((await w.post(people[name], path, { note: 'seen twice' })).statusCode, name).toBe(404)
    const raw = await w.post(people.lead, path, { note: 'ask ann@example.org' })
    expect(raw.statusCode).toBe(422)
    expect(raw.body).toContain('ask ann@example.org')
    expect((await w.post(people.lead, path, { note: '' })).statusCode).toBe(422)
    expect((await w.post(people.lead, path.replace('banana', 'cherry'), { note: 'x' })).statusCode).toBe(404)
    const done = await w.post(people.lead, path, { note: 'seen twice, by two of us' })
    expect(done.headers.location).toBe(`/submissions/${one.signal}`)
    expect((await w.post(people.lead, path, { note: 'again' })).body).toContain('state-conflict')
    await w.settle()
    const { events } = await w.page(banana, w.authority.inboxOf(banana.participant))
    const told = events.find((event) => event.type === 'question.answered' && event.signal === one.signal)
    expect(told).toMatchObject({
      ...{ source: 'apple', revision: 1 },
      data: { note: 'seen twice, by two of us', authority: 'reviewed_here' },
    })
    expect(await w.opened(told?.event as Uuid)).toMatchObject({
      ...{ type: 'question.answered', authority: 'reviewed_here', person: people.lead.person, subject: 'banana' },
    })
    const info = await w.caseOf(banana, results[0]?.case as Uuid)
    expect(info.triggers?.map(({ kind, ref }) => [kind, ref])).toContainEqual(['lifecycle', told?.event])
    expect((await w.get(people.analyst, `/submissions/${one.signal}`)).body).toContain('seen twice, by two of us')
    expect((await w.feedback.attention(apple.participant)).questions.map(({ signal }) => signal)).not.toContain(
      one.signal,
    )
  })
})

describe('a withdrawal on the word of a person', () => {
  const sent = async (): Promise<SignalItem> => {
    const one = w.item({ audience })
    await w.submit(apple, [one])
    await w.settle()
    return one
  }
  const fields = { reason: 'mistaken', revision: '1' }

  test('is open to who may speak for the organisation, and says first whom it reaches', async () => {
    const { signal } = await sent()
    const path = `/submissions/${signal}/withdraw`
    for (const name of ['analyst', 'observer', 'other'] as const) {
      expect((await w.get(people[name], path)).statusCode, name).toBe(404)
      expect((await w.post(people[name], path, fields)).statusCode, name).toBe(404)
    }
    const { body } = await w.get(people.lead, path)
    expect(body).toMatch(/1 organisation; \d known to have it/)
    for (const bad of [{ ...fields, reason: 'bored' }, { ...fields, revision: '0' }, { revision: '1' }])
      expect((await w.post(people.lead, path, bad as Record<string, string>)).statusCode).toBe(422)
    const stale = await w.post(people.lead, path, { ...fields, revision: '2' })
    expect(stale.statusCode).toBe(409)
    expect(stale.body).toContain('revision-conflict')
  })
  test('makes the item, the entry and the end in the feed, each saying that nobody signed it', async () => {
    const { signal } = await sent()
    const path = `/submissions/${signal}/withdraw`
    expect((await w.post(people.lead, path, fields)).headers.location).toBe(`/submissions/${signal}`)
    const row = await w.t.owner
      .selectFrom('signal_revision as r')
      .innerJoin('signal as s', 's.signal_id', 'r.signal_id')
      .select(['r.item', 'r.submission_id', 's.state', 's.last_event'])
      .where('r.signal_id', '=', signal)
      .where('r.revision', '=', 2)
      .executeTakeFirstOrThrow()
    expect(JSON.parse(row.item)).toMatchObject({ v: 1, signal, revision: 2, reason: 'mistaken' })
    expect([row.state, row.last_event]).toEqual([2, row.submission_id])
    const opened = await w.opened(row.submission_id)
    expect(opened).toMatchObject({ type: 'signal.withdrawn', authority: 'node_attested', person: people.lead.person })
    for (const name of ['od', 'kid', 'cred']) expect(opened).not.toHaveProperty(name)
    const audited = createAuditedSignals({ categorySlug: w.rules.categorySlug, participants: () => [] })
    const told = { participant_id: apple.participant, event_id: row.submission_id, withdrawn: true }
    const changes = (await audited.changes(w.t.ledger, [told])).get(row.submission_id) ?? []
    expect(opened).toMatchObject({ n: 1, root: changes[0]?.leaf, accepted: toBase64Url(changesRoot(sha256, changes)) })
    await w.settle()
    const { events } = await w.page(banana, w.authority.feedOf(audience))
    const end = events.find((one) => one.signal === signal && one.revision === 2)
    expect(end).toMatchObject({
      ...{ type: 'signal.withdrawn', event: row.submission_id, reason: 'attested', source: 'apple' },
      data: { authority: 'node_attested', reason: 'mistaken' },
    })
    expect(end).not.toHaveProperty('item')
    const page = await w.get(people.lead, `/submissions/${signal}`)
    expect(page.body).toContain('a person, in the console')
    expect((await w.get(people.lead, path)).statusCode).toBe(303)
    expect((await w.post(people.lead, path, { ...fields, revision: '2' })).body).toContain('signal-ended')
  })
  test('opens the cases of whoever confirmed it, and look-ups find it no more', async () => {
    const one = await sent()
    await w.give(banana, { ...w.about(apple, one), outcome: 'confirmed_no_presence', reason: 'no_account' })
    await w.settle()
    const key = one.type === 'url' ? one.value.sha256 : ''
    const queries = [{ type: 'url', profile: 'url/1', keys: [key] }]
    expect((await w.find(banana, queries)).matches.map(({ event }) => event.signal)).toContain(one.signal)
    await w.post(people.partner_admin, `/submissions/${one.signal}/withdraw`, fields)
    await w.settle()
    expect((await w.find(banana, queries)).matches.map(({ event }) => event.signal)).not.toContain(one.signal)
  })
})

describe('a search', () => {
  const key = (): string => (item.type === 'url' ? item.value.sha256 : '')
  const fields = { type: 'url', profile: 'url/1', purpose: 'investigation' }
  test('by a key is one logged read, and finds what is shared', async () => {
    const before = await reads(banana)
    const { statusCode, body } = await w.post(people.other, '/search', { ...fields, 'keys[]': key() })
    expect(statusCode).toBe(200)
    expect(body).toContain(item.signal)
    expect(await reads(banana)).toBe(before + 1)
  })
  test('that finds nothing names the groups that were searched', async () => {
    const { body } = await w.post(people.other, '/search', { ...fields, 'keys[]': '0'.repeat(64) })
    expect(body).toMatch(/Searched in [^<]*fruit/)
  })
  test.for([
    { 'keys[]': 'https://bad.example/' },
    { 'keys[]': '0'.repeat(64), raw: 'x' },
    { 'keys[]': '0'.repeat(64), purpose: 'curiosity' },
    { 'keys[]': '0'.repeat(64), type: 'email' },
    {},
  ])('is made of keys alone: %o', async (change) => {
    const before = await reads(banana)
    const { statusCode, body } = await w.post(people.other, '/search', { ...fields, ...change })
    expect(statusCode).toBe(422)
    expect(body).not.toContain('bad.example')
    expect(await reads(banana)).toBe(before)
  })
  test('for an id of our own or a view goes there, and for anything else nowhere', async () => {
    const go = async (text: string, who = people.lead) => w.get(who, `/search/go?${new URLSearchParams({ text })}`)
    expect((await go(item.signal)).headers.location).toBe(`/submissions/${item.signal}`)
    expect((await go('severity:>=high type:url')).headers.location).toBe('/queue?severity=high&type=url')
    expect((await go(item.signal, people.other)).statusCode).toBe(422)
    expect((await go('who knows')).statusCode).toBe(422)
  })
})
