import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROLES, type Role } from '../../../src/participants/schema.ts'
import { parseBundle } from '../../../src/provenance/bundle.ts'
import { parseReceipt } from '../../../src/provenance/receipt.ts'
import type { Member } from '../../support/node.ts'
import { explored } from '../log-world.ts'
import { aConsoleWorld, type ConsoleWorld, type SignedInPerson } from './world.ts'

let w: ConsoleWorld
let apple: Member
let auditor: Member
let submitted: string

beforeAll(async () => {
  w = await aConsoleWorld(() => new Date())
  const { node } = w
  apple = await node.member('apple')
  await node.member('banana')
  auditor = await node.member('council', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  for (const role of ROLES)
    await w.aPerson(role, ['lead', 'partner_admin', 'analyst'].includes(role) ? 'apple' : 'office', [role])
  const audience = await apple.audience('fruit', 'banana')
  const item = await apple.item({ type: 'url', raw: 'https://bad.example/one' }, audience)
  await apple.client.submit(await apple.sign([item]))
  await explored(node)
  const row = await node.t.owner
    .selectFrom('log_entry')
    .select('idx')
    .where('kind', '=', 'signal.submitted')
    .executeTakeFirstOrThrow()
  submitted = String(row.idx)
})
afterAll(() => w.node.end())

const as = (role: Role): Promise<SignedInPerson> => w.signedIn(role)
const get = async (role: Role, path: string) => w.ask(path, { cookie: (await as(role)).cookie })
const audits = async () =>
  (await w.node.t.owner.selectFrom('prov_record').select('event_id').where('kind', '=', 'audit.read').execute()).length

describe('a page of the log', () => {
  const PAGES: readonly [path: () => string, roles: readonly Role[]][] = [
    [() => '/log/entries', ['governance', 'observer', 'lead', 'partner_admin']],
    [() => '/log/file?form=csv', ['governance', 'observer', 'lead', 'partner_admin']],
    [() => '/log/matrix', ['governance', 'partner_admin']],
    [() => '/log/matrix/file', ['governance', 'partner_admin']],
    [() => `/log/entries/${submitted}`, ROLES],
    [() => `/log/entries/${submitted}/receipt`, ['governance', 'observer', 'lead', 'partner_admin']],
    [() => '/log/validate', ROLES],
    [() => '/log/1/checkpoint', ROLES],
    [() => '/log/1/tile/0/000.p/1', ROLES],
  ]
  const cases = PAGES.flatMap(([path, roles], i) => ROLES.map((role) => [i, role, roles.includes(role), path] as const))
  test.for(cases)('%i is open to %s: %s', async ([, role, isOpen, path]) => {
    const { status } = await get(role, path())
    expect(status).toBe(isOpen ? 200 : 404)
  })
  test('and the log’s own files are for nobody who has not signed in', async () => {
    for (const path of ['/log/1/checkpoint', '/log/1/tile/0/000.p/1', '/log/entries'])
      expect((await w.ask(path, { headers: { 'hx-request': 'true', 'hx-request-type': 'partial' } })).status).toBe(401)
  })
})

describe('what a role may open', () => {
  test('is all for governance, metadata for observers, and nothing of an entry for analysts', async () => {
    const path = `/log/entries/${submitted}`
    expect((await get('governance', path)).text).toContain('categories')
    const observer = (await get('observer', path)).text
    expect(observer).toContain('signal.submitted')
    expect(observer).not.toContain('categories')
    expect((await get('analyst', path)).text).not.toContain('signal.submitted')
  })
  test('is recorded before it is told, and one’s own is no read', async () => {
    const before = await audits()
    for (const path of ['/log/entries', `/log/entries/${submitted}`, '/log/matrix', '/log/file?form=csv'])
      await get('governance', path)
    expect(await audits()).toBe(before + 4)
    for (const path of ['/log/entries', `/log/entries/${submitted}`, '/log/matrix', '/log/file?form=csv'])
      await get('partner_admin', path)
    await get('analyst', `/log/entries/${submitted}`)
    await get('governance', '/log/1/checkpoint')
    expect(await audits()).toBe(before + 4)
  })
})

describe('a file', () => {
  test('of rows is CSV or NDJSON, and says what the screen says', async () => {
    const csv = await get('governance', '/log/file?form=csv&q=kind%3Asignal.submitted')
    expect(csv.text.split('\r\n')).toEqual([
      'index,time,actor,kind,recipients,event,check',
      expect.stringMatching(new RegExp(`^${submitted},[^,]+,apple,signal\\.submitted,banana,[0-9a-f-]{36},verified$`)),
      '',
    ])
    expect(csv.headers['content-disposition']).toContain('.csv')
    expect((await get('governance', '/log/file?form=constructor')).status).toBe(400)
    const lines = (await get('observer', '/log/file?form=ndjson&q=kind%3Asignal.submitted')).text.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ index: submitted, actor: 'apple', recipients: ['banana'] }),
    ])
  })
  test('of proofs is refused by name where an entry does not fit the signed log, wherever the page is that shows it', async () => {
    const { owner } = w.node.t
    const sayActor = (actor: string) =>
      sql`update log_entry set actor = ${actor} where kind = 'signal.submitted'`.execute(owner)
    const path = '/log/file?form=proofs&q=kind%3Asignal.submitted'
    await sayActor('banana')
    try {
      const { status, text } = await get('governance', path)
      expect([status, text.includes('answer-unverified'), parseBundle(text)]).toEqual([502, true, undefined])
      expect((await get('governance', '/log/file?form=csv&q=kind%3Asignal.submitted')).text).toContain(',failed')
      expect((await get('governance', '/log/entries?q=kind%3Asignal.submitted')).text).not.toContain('verify-page')
    } finally {
      await sayActor('apple')
    }
    expect((await get('governance', path)).status).toBe(200)
  })
  test('of proofs has a receipt for each row, cut to whoever asks', async () => {
    const names = async (role: Role): Promise<number> => {
      const { text } = await get(role, '/log/file?form=proofs&q=kind%3Asignal.submitted')
      const bundle = parseBundle(text)
      expect(bundle?.head.filter).toBe('kind:signal.submitted')
      return parseReceipt(bundle?.entries[0]?.receipt ?? '')?.extra.disclosures.length ?? 0
    }
    expect(await names('governance')).toBeGreaterThan(8)
    expect(await names('observer')).toBe(3)
  })
})

test.for([
  ['/log/entries?q=kind%3Anothing', 400],
  ['/log/entries?q=actor%3Aa+actor%3Ab', 400],
  ['/log/entries?x=1', 400],
  ['/log/entries?below=x', 400],
  ['/log/file?form=pdf', 400],
  ['/log/matrix?from=2020-01-01', 400],
  ['/log/matrix?from=2026-02-31&to=2026-03-10', 400],
  ['/log/matrix?from=0000-01-01&to=0000-02-01', 400],
  ['/log/matrix?measure=love', 400],
  ['/log/entries/99999999', 404],
  ['/log/entries/1e3', 404],
  ['/log/entries/find?text=colour%3Ared', 422],
] as const)('%s is refused with %i', async ([path, status]) => {
  expect((await get('governance', path)).status).toBe(status)
})

test('the API tells an auditor all and everybody else its own, in the same words', async () => {
  const all = await auditor.client.logEntries({ q: 'kind:signal.submitted' })
  expect(all.entries).toEqual([
    expect.objectContaining({ index: submitted, recipients: ['banana'], state: 'verified' }),
  ])
  expect((await apple.client.logEntries({ q: 'kind:participant.admitted' })).entries).toHaveLength(1)
  await expect(apple.client.logEntries({ q: 'kind:signal.* kind:erasure' })).rejects.toMatchObject({
    code: 'filter-conflict',
  })
  await expect(apple.client.logEntries({ limit: 201 })).rejects.toMatchObject({ code: 'page-limit' })
  const { cells } = await auditor.client.shareMatrix({})
  expect(cells.find(({ source, recipient }) => source === 'apple' && recipient === 'banana')).toMatchObject({
    shared: 1,
  })
  await expect(apple.client.shareMatrix({ from: '2020-01-01' })).rejects.toMatchObject({ code: 'filter-range' })
})
