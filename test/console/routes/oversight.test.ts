import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditLog } from '../../../src/audit/audit.ts'
import { exportLog } from '../../../src/client/log-export.ts'
import { folderLog, nodeLog } from '../../../src/client/log-source.ts'
import { exportRecords, exportReports, exportSnapshot, folderRecords } from '../../../src/client/record-files.ts'
import { checkReceipt, openVkey } from '../../../src/client/verify.ts'
import { certificateFaults, parseCertificate } from '../../../src/erasure/certificate.ts'
import { createWhoRead } from '../../../src/governance/who-read.ts'
import { Refusal } from '../../../src/kernel/errors.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { ROLES, type Role } from '../../../src/participants/schema.ts'
import { verifyEd25519 } from '../../../src/provenance/ed25519.ts'
import { bytesOf } from '../../../src/reports/document.ts'
import type { Report } from '../../../src/reports/schema.ts'
import { SIGNAL_STATE } from '../../../src/signals/schema.ts'
import type { Member } from '../../support/node.ts'
import { explored } from '../log-world.ts'
import { aConsoleWorld, type ConsoleWorld, type SignedInPerson } from './world.ts'

let w: ConsoleWorld
let apple: Member
let banana: Member
let auditor: Member
let council: Uuid
const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
const DAY = 86_400_000
/** The clock of the node runs ahead, so that a whole day of its log is over. */
let ahead = 0
const clock = () => new Date(Date.now() + ahead)

beforeAll(async () => {
  w = await aConsoleWorld(clock)
  const { node } = w
  apple = await node.member('apple')
  banana = await node.member('banana')
  auditor = await node.member('owl', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  for (const role of ROLES)
    await w.aPerson(role, ['lead', 'partner_admin', 'analyst'].includes(role) ? 'apple' : 'office', [role])
  council = await w.aPerson('Nia', 'council', ['governance'])
  const audience = await apple.audience('fruit', 'banana')
  const items = await Promise.all(
    Array.from({ length: 6 }, (_, i) => apple.item({ type: 'url', raw: `https://bad.example/${i}` }, audience)),
  )
  await apple.client.submit(await apple.sign(items))
  await explored(node)
  ahead = 2 * DAY
})
/** Whatever was done here, the log of it passes. */
afterAll(async () => {
  await explored(w.node)
  expect(await auditFails('all')).toEqual([])
  expect(await auditFails('forged', await forgedReport())).toEqual([
    expect.stringMatching(/^16 FAIL: entry \d+: holds\.placed: the report says 99, the log makes \d+$/),
  ])
  await w.node.end()
  rmSync(folder, { recursive: true, force: true })
})

const as = (role: Role): Promise<SignedInPerson> => w.signedIn(role)
const get = async (role: Role, path: string) => w.ask(path, { cookie: (await as(role)).cookie })
const post = async (role: Role, path: string, form: Readonly<Record<string, string>> = {}) =>
  w.send(await as(role), path, form)
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** What a person proposed last, decided by somebody of governance of another organisation. */
async function decided(action: string, by: Uuid = council): Promise<void> {
  const { participants } = w.node.parts
  const open = (await participants.openRequests()).filter((one) => one.action === action)
  const request = open.at(-1)?.request_id
  if (request === undefined) throw new Error(`nobody asked for ${action}`)
  await participants.approve(request, council, clock())
  await participants.execute(request, by)
}

/** As `aldis log export --records` and `aldis audit` do it; what did not pass of the checks from 5 on. */
async function auditFails(name: string, forged?: Report): Promise<string[]> {
  const dir = join(folder, name)
  await exportSnapshot(auditor.client, dir)
  const head = await auditor.home.advance(auditor.client)
  const { vkey } = auditor.home.pinned()
  const { size } = await exportLog({ source: nodeLog(auditor.client), vkey, head, dir })
  await exportRecords(auditor.client, { dir, size })
  await exportReports(auditor.client, dir)
  if (forged !== undefined) writeFileSync(join(dir, 'reports', 'forged.json'), JSON.stringify(forged))
  const { findings } = await auditLog({
    ...{ hash: sha256, source: folderLog(dir), pinned: { key: openVkey(vkey), verify: verifyEd25519 } },
    ...{ now: clock(), kept: [], records: folderRecords(dir) },
  })
  return findings.flatMap(({ check, result, says }) =>
    check < 5 || result === 'PASS' ? [] : [`${check} ${result}: ${says}`],
  )
}

/** A report with another figure than the log makes, which two organisations publish all the same. */
async function forgedReport(): Promise<Report> {
  const { reports } = await auditor.client.reports()
  const honest = await auditor.client.report(reports[0]?.digest ?? '')
  const figures = honest.figures.map((one) => (one.id === 'holds.placed' ? { ...one, value: 99 } : one))
  const forged = { ...honest, figures }
  const payload = {
    ...honest.period,
    log_size: Number(honest.checkpoint.split('\n')[1]),
    digest: sha256(bytesOf(forged)).toString('hex'),
  }
  await w.node.parts.participants.propose('report.publish', payload, (await as('governance')).person)
  await decided('report.publish')
  await explored(w.node)
  return forged
}

describe('a page of governance', () => {
  const PAGES: readonly [path: string, roles: readonly Role[]][] = [
    ['/reports', ['governance', 'observer']],
    ['/anomalies', ['governance']],
    ['/anomalies/source', ['governance']],
    ['/retention', ['governance', 'node_admin']],
    ['/registers/subjects', ['governance']],
    ['/registers/government', ['governance']],
    ['/registers/agreements', ['governance', 'node_admin']],
    ['/log/readers', ['governance']],
  ]
  const cases = PAGES.flatMap(([path, roles]) => ROLES.map((role) => [path, role, roles.includes(role)] as const))
  test.for(cases)('%s is open to %s: %s', async ([path, role, isOpen]) => {
    expect((await get(role, path)).status).toBe(isOpen ? 200 : 404)
  })
})

describe('a transparency report', () => {
  const draft = async (from: string, to: string) => post('governance', '/reports/draft', { from, to })

  async function made(): Promise<string> {
    const [from, to] = [dayOf(Date.now() - 30 * DAY), dayOf(Date.now() + DAY)]
    expect((await draft(from, to)).status).toBe(303)
    await expect
      .poll(async () => (await get('governance', '/reports')).text, { timeout: 20_000 })
      .toContain('is computed')
    const digest = /\/reports\/([0-9a-f]{64})/.exec((await get('governance', '/reports')).text)?.[1]
    if (digest === undefined) throw new Error('no report')
    return digest
  }

  test('is made from the log, shown with charts and tables, and given as files', async () => {
    const digest = await made()
    const page = (await get('governance', `/reports/${digest}`)).text
    expect(page).toContain('Signals shared')
    expect(page).toMatch(/<svg role="img" width="320" height="10"/)
    expect(page).not.toContain('style=')
    const csv = await get('governance', `/reports/${digest}/file?form=csv`)
    expect(csv.text).toContain('signals.shared,signals,type,url,6,,,\r\n')
    const json = JSON.parse((await get('governance', `/reports/${digest}/file?form=json`)).text) as { format: string }
    expect(json.format).toBe('aldis-report/2')
    const html = await get('governance', `/reports/${digest}/file?form=html`)
    expect(html.headers['content-disposition']).toContain('attachment')
    for (const form of ['pdf', 'constructor'])
      expect((await get('governance', `/reports/${digest}/file?form=${form}`)).status).toBe(400)
  })

  test('is governance’s alone until another organisation approves it; then everybody’s, and the audit recomputes it', async () => {
    const digest = await made()
    expect((await get('observer', `/reports/${digest}`)).status).toBe(404)
    await expect(apple.client.report(digest)).rejects.toMatchObject({ code: 'not-found' })
    expect((await post('observer', `/reports/${digest}/publish`)).status).toBe(404)
    expect((await post('governance', `/reports/${digest}/publish`)).headers.location).toBe('/requests')
    await decided('report.publish')
    expect((await get('observer', `/reports/${digest}`)).status).toBe(200)
    const { reports } = await apple.client.reports()
    expect(reports.map((one) => one.digest)).toContain(digest)
    expect((await apple.client.report(digest)).figures.length).toBeGreaterThan(10)
  })

  test.for([
    ['2020-01-01', '2026-01-01'],
    ['2026-01-02', '2026-01-01'],
    ['2026-04-31', '2026-05-02'],
    ['yesterday', '2026-05-02'],
    [dayOf(Date.now()), dayOf(Date.now() + 30 * DAY)],
  ])('from %s to %s is refused, and no look at the log is recorded', async ([from, to]) => {
    const looks = () =>
      w.node.t.owner.selectFrom('prov_record').select('event_id').where('kind', '=', 'audit.read').execute()
    const before = (await looks()).length
    expect((await draft(from ?? '', to ?? '')).status).toBe(422)
    expect((await looks()).length).toBe(before)
  })
})

describe('an anomaly', () => {
  /** A past of ten days in which an organisation shared one signal a day, and a present in which it shares many. */
  async function found(actor: string): Promise<string> {
    const { owner } = w.node.t
    const today = Math.floor(clock().getTime() / DAY) * DAY
    const of = (back: number, items: bigint) => ({
      ...{ log_id: 1, hour: new Date(today - back * DAY), actor, kind: 'signal.submitted', entries: 1, items },
    })
    await owner
      .insertInto('activity_hour')
      .values([...Array.from({ length: 10 }, (_, i) => of(i + 1, 1n)), of(0, 500n)])
      .execute()
    await w.node.parts.anomalies.look()
    const row = await owner
      .selectFrom('anomaly_case')
      .select('case_id')
      .where('rule', '=', 'volume')
      .where('subject', '=', actor)
      .executeTakeFirstOrThrow()
    return row.case_id
  }
  const stateOf = async (id: string) => (await w.node.parts.anomalies.list()).find((one) => one.id === id)?.state

  test('is told once a day, with what was measured, what is usual and from which number on', async () => {
    const id = await found('cherry')
    expect(await w.node.parts.anomalies.look()).toBe(0)
    const { text } = await get('governance', '/anomalies')
    const article = text.slice(text.indexOf(`anomaly-${id}`))
    expect(article).toContain('cherry shared signals: far more than on its usual days')
    expect(article).toMatch(/measured<\/dt><dd>500 signals<\/dd><dt>usual<\/dt><dd>1<\/dd><dt>told from<\/dt><dd>100</)
  })

  test('is looked at and closed with a reason; each move is an entry, and the log passes its audit', async () => {
    const id = await found('date')
    expect((await post('governance', `/anomalies/${id}/look`)).status).toBe(303)
    expect((await post('governance', `/anomalies/${id}/look`)).status).toBe(409)
    expect(await stateOf(id)).toBe('looked_at')
    const close = (form: Record<string, string>) => post('governance', `/anomalies/${id}/close`, form)
    expect((await close({ reason: 'other' })).status).toBe(422)
    const raw = await close({ reason: 'explained', note: 'ask me at somebody@mail.example' })
    expect([raw.status, raw.text.includes('raw-identifier')]).toEqual([422, true])
    expect((await close({ reason: 'punished' })).status).toBe(422)
    expect(await stateOf(id)).toBe('looked_at')
    expect((await close({ reason: 'explained', note: 'a campaign that they told us of' })).status).toBe(303)
    expect((await close({ reason: 'explained' })).status).toBe(409)
    expect(await stateOf(id)).toBe('closed')
    expect((await post('governance', `/anomalies/${crypto.randomUUID()}/look`)).status).toBe(404)
  })

  test('is the attempt to approve what one has proposed oneself, which is refused as before', async () => {
    const { participants } = w.node.parts
    const { person } = await as('governance')
    const { request_id } = await participants.propose(
      'signals.erase',
      {
        ...{ participant: 'apple', signals: [crypto.randomUUID() as Uuid], basis: 'subject_request' },
      },
      person,
    )
    await expect(participants.approve(request_id, person, clock())).rejects.toMatchObject({ code: 'self-approval' })
    const cases = await w.node.parts.anomalies.list()
    expect(cases).toContainEqual(expect.objectContaining({ rule: 'self_approval', subject: 'office', measured: 1 }))
  })
})

describe('a hold of what a source shares', () => {
  const since = () => `${dayOf(Date.now() - DAY)}T00:00:00Z`
  const held = async () =>
    (await w.node.t.owner.selectFrom('signal').select('signal_id').where('state', '=', 4).execute()).length

  test('is counted first, takes two persons, holds every one, and is undone the same way', async () => {
    const preview = await get('governance', `/anomalies/source?participant=apple&since=${since()}`)
    const live = await w.node.t.owner.selectFrom('signal').select('signal_id').where('state', '=', 1).execute()
    expect(preview.text).toContain(`<strong>${live.length}</strong> live signals of apple`)
    const form = { participant: 'apple', since: since() }
    expect((await post('governance', '/anomalies/source/hold', form)).headers.location).toBe('/requests')
    expect(await held()).toBe(0)
    await decided('source.hold')
    expect(await held()).toBe(live.length)
    await post('governance', '/anomalies/source/release', { participant: 'apple' })
    await decided('source.release')
    expect(await held()).toBe(0)
  })
  test.for([
    ['?participant=nobody&since=2026-11-20T00:00:00Z', 404],
    ['?participant=apple', 422],
    ['?participant=apple&since=yesterday', 422],
  ] as const)('asked for with %s is refused with %i', async ([query, status]) => {
    expect((await get('governance', `/anomalies/source${query}`)).status).toBe(status)
  })
  test('that is proposed wrongly is refused with its status', async () => {
    const form = { participant: 'apple', since: 'yesterday' }
    expect((await post('governance', '/anomalies/source/hold', form)).status).toBe(422)
  })
})

describe('the pause of a feed', () => {
  const pausedOf = async (feed: string) =>
    (await w.node.parts.participants.pausableFeeds()).find((one) => one.feed === feed)?.paused
  test('shows first what it keeps from whom, takes two persons, and is undone the same way', async () => {
    const { text } = await get('governance', '/anomalies/feeds')
    const feed = (await w.node.parts.participants.pausableFeeds()).find(({ label }) => label === 'fruit')?.feed ?? ''
    const part = text.slice(text.indexOf(`feed-${feed}`))
    expect(part).toMatch(/would get nothing<\/dt><dd>apple, banana<\/dd><dt>entries so far<\/dt><dd>[0-9]+</)
    const ask = (path: string, form: Record<string, string>) => post('governance', `/anomalies/feeds/${path}`, form)
    expect((await ask('pause', { feed, reason: 'because' })).status).toBe(422)
    expect((await ask('pause', { feed, reason: 'anomaly' })).headers.location).toBe('/requests')
    expect(await pausedOf(feed)).toBeUndefined()
    await decided('feed.pause')
    expect(await pausedOf(feed)).toMatchObject({ reason: 'anomaly' })
    expect((await get('governance', '/anomalies/feeds')).text).toContain('Propose to resume it')
    await ask('resume', { feed })
    await decided('feed.resume')
    expect(await pausedOf(feed)).toBeUndefined()
  })
})

describe('a legal hold', () => {
  const place = (what: string) =>
    post('governance', '/retention/hold', { participant: 'banana', what, reason: 'audit' })
  const placed = async () =>
    await w.node.t.owner.selectFrom('legal_hold').select(['hold_id', 'what']).where('lifted_at', 'is', null).execute()

  test('keeps reads from the purge and signals from an erasure until two persons lift it', async () => {
    const { participants } = w.node.parts
    expect((await place('all')).headers.location).toBe('/requests')
    expect(await placed()).toEqual([])
    await decided('hold.place')
    const [hold] = await placed()
    expect(hold?.what).toBe('all')
    const refused = await post('governance', '/retention/purge', { participant: 'banana' })
    expect([refused.status, refused.text.includes('hold-placed')]).toEqual([409, true])
    expect((await post('governance', '/retention/purge', { participant: 'apple' })).status).toBe(303)

    const { person } = await as('governance')
    const erasure = { participant: 'banana', signals: [crypto.randomUUID() as Uuid], basis: 'subject_request' }
    const { request_id } = await participants.propose('signals.erase', erasure, person)
    await participants.approve(request_id, council, clock())
    await expect(participants.execute(request_id, council)).rejects.toMatchObject({ code: 'hold-placed' })

    expect((await get('node_admin', '/retention')).text).toContain('Propose to lift')
    expect((await post('governance', '/retention/lift', { hold: hold?.hold_id ?? '' })).status).toBe(303)
    await decided('hold.lift')
    expect(await placed()).toEqual([])
    expect((await post('governance', '/retention/purge', { participant: 'banana' })).status).toBe(303)
    await expect(participants.execute(request_id, council)).rejects.toMatchObject({ code: 'not-found' })
  })
  test.for([
    ['/retention/hold', { participant: 'banana', what: 'everything', reason: 'audit' }, 422],
    ['/retention/hold', { participant: 'banana', what: 'all', reason: 'because' }, 422],
    ['/retention/purge', { participant: 'nobody' }, 404],
  ] as const)('%s with %o is refused with %i', async ([path, form, status]) => {
    expect((await post('governance', path, form)).status).toBe(status)
  })
})

describe('a request of a person', () => {
  const today = () => dayOf(clock().getTime())
  async function received(): Promise<Uuid> {
    const { headers } = await post('governance', '/registers/subjects/receive', { kind: 'erasure', received: today() })
    return String(headers.location).split('/').at(-1) as Uuid
  }
  const act = (id: string, path: string, form: Record<string, string> = {}) =>
    post('governance', `/registers/subjects/${id}/${path}`, form)

  test('is matched by keys, erased by two persons, acknowledged, certified and closed, step by step', async () => {
    const audience = await apple.audience(`fruit of ${crypto.randomUUID().slice(0, 8)}`, 'banana')
    const item = await apple.item({ type: 'media_hash', algorithm: 'sha256', hash: 'ab'.repeat(32) }, audience)
    await apple.client.submit(await apple.sign([item]))
    await explored(w.node)
    const id = await received()
    expect((await act(id, 'match', { lines: 'not a key' })).status).toBe(422)
    expect((await act(id, 'match', { lines: 'ab'.repeat(32) })).status).toBe(303)
    const page = await get('governance', `/registers/subjects/${id}`)
    expect(page.text).toContain('1 signal of apple')
    expect((await act(id, 'close', { outcome: 'erased' })).status).toBe(409)
    const participant = /name="participant" value="([0-9a-f-]{36})"/.exec(page.text)?.[1] ?? ''
    expect((await act(id, 'erase', { participant })).status).toBe(303)
    await decided('signals.erase')
    const after = (await get('governance', `/registers/subjects/${id}`)).text
    const event = /erasures\/([0-9a-f-]{36})\/certificate/.exec(after)?.[1] ?? ''
    expect(after).toContain('Certificate of erasure')
    await explored(w.node)
    const { text } = await get('governance', `/registers/erasures/${event}/certificate`)
    const certificate = parseCertificate(text)
    if (certificate === undefined) throw new Error('no certificate')
    const verified = checkReceipt(certificate.receipt, openVkey(apple.home.pinned().vkey))
    expect([verified.passed, certificateFaults(certificate, verified.fields)]).toEqual([true, []])
    expect(certificateFaults({ ...certificate, signals: 9 }, verified.fields)).toEqual([
      'n is another than the entry says',
    ])
    expect((await act(id, 'close', { outcome: 'erased' })).status).toBe(303)
    expect((await act(id, 'match', { lines: 'ab'.repeat(32) })).status).toBe(409)
  })
  test('whose search finds more after an erasure is erased once that is gone as well', async () => {
    const key = 'cd'.repeat(32)
    const audience = await apple.audience(`fruit of ${crypto.randomUUID().slice(0, 8)}`, 'banana')
    const share = async () => {
      const item = await apple.item({ type: 'media_hash', algorithm: 'sha256', hash: key }, audience)
      await apple.client.submit(await apple.sign([item]))
      await explored(w.node)
    }
    const id = await received()
    const found = async () => {
      expect((await act(id, 'match', { lines: key })).status).toBe(303)
      return (await get('governance', `/registers/subjects/${id}`)).text
    }
    await share()
    const participant = /name="participant" value="([0-9a-f-]{36})"/.exec(await found())?.[1] ?? ''
    expect((await act(id, 'erase', { participant })).status).toBe(303)
    await decided('signals.erase')
    expect((await act(id, 'erase', { participant })).status).toBe(409)
    await share()
    expect(await found()).toContain('Not everything is erased')
    expect((await act(id, 'close', { outcome: 'erased' })).status).toBe(409)
    expect((await act(id, 'erase', { participant })).status).toBe(303)
    await decided('signals.erase')
    expect((await act(id, 'close', { outcome: 'erased' })).status).toBe(303)
    expect((await act(id, 'erase', { participant })).status).toBe(409)
  })
  test('is closed as nothing found after a search that found nothing, and only then', async () => {
    const shared = w.node.t.owner.selectFrom('signal').select('signal_key').where('state', '<>', SIGNAL_STATE.erased)
    const key = (await shared.executeTakeFirstOrThrow()).signal_key.toString('hex')
    const close = async (id: string) => {
      const { status, text } = await act(id, 'close', { outcome: 'nothing_found' })
      return [status, /nothing was searched yet|signals were found/i.exec(text)?.[0]]
    }
    const [some, none] = [await received(), await received()]
    expect(await close(some)).toEqual([409, 'Nothing was searched yet'])
    expect((await act(some, 'match', { lines: key })).status).toBe(303)
    expect(await close(some)).toEqual([409, 'Signals were found'])
    expect((await act(none, 'match', { lines: '12'.repeat(32) })).status).toBe(303)
    expect(await close(none)).toEqual([303, undefined])
  })
  test('has a month, and two more once, with a reason', async () => {
    const id = await received()
    const due = async () =>
      (
        await w.node.t.owner
          .selectFrom('subject_request')
          .select('due_at')
          .where('request_id', '=', id)
          .executeTakeFirstOrThrow()
      ).due_at
    const first = await due()
    expect((await act(id, 'extend', { reason: 'tired' })).status).toBe(422)
    expect((await act(id, 'extend', { reason: 'complex' })).status).toBe(303)
    expect((await due()).getTime() - first.getTime()).toBeGreaterThan(58 * DAY)
    expect((await act(id, 'extend', { reason: 'complex' })).status).toBe(409)
  })
  test('that is to come, or is none, is refused', async () => {
    const tomorrow = dayOf(clock().getTime() + DAY)
    const path = '/registers/subjects/receive'
    expect((await post('governance', path, { kind: 'erasure', received: tomorrow })).status).toBe(422)
    expect((await post('governance', path, { kind: 'gossip', received: today() })).status).toBe(422)
    expect((await get('governance', `/registers/subjects/${crypto.randomUUID()}`)).status).toBe(404)
    expect((await get('governance', `/registers/erasures/${crypto.randomUUID()}/certificate`)).status).toBe(404)
  })
})

describe('a request of an authority', () => {
  const form = (change: Record<string, string> = {}) => ({
    ...{ country: 'IE', kind: 'provide_data', asked: '3', basis: 'dsa_art_10', reference: 'file 12 of 2026' },
    ...{ received: dayOf(Date.now() - DAY), ...change },
  })
  const receive = (change: Record<string, string> = {}) =>
    post('governance', '/registers/government/receive', form(change))

  test('is entered without data, closed by two persons, and told to everybody in numbers', async () => {
    expect((await receive()).status).toBe(303)
    const page = await get('governance', '/registers/government')
    const request = /<option value="([0-9a-f-]{36})"/.exec(page.text)?.[1] ?? ''
    const end = { request, outcome: 'partly', n: '1' }
    expect((await post('governance', '/registers/government/close', end)).headers.location).toBe('/requests')
    await decided('government.close')
    const row = await w.node.t.owner
      .selectFrom('government_request')
      .select(['outcome', 'disclosed'])
      .where('request_id', '=', request as Uuid)
      .executeTakeFirstOrThrow()
    expect(row).toEqual({ outcome: 'partly', disclosed: 1 })
    await post('governance', '/registers/government/close', end)
    await expect(decided('government.close')).rejects.toMatchObject({ code: 'not-found' })
  })
  test.for([
    [{ country: 'Ireland' }, 'validation-failed'],
    [{ asked: '-1' }, 'validation-failed'],
    [{ reference: 'about somebody@mail.example' }, 'raw-identifier'],
    [{ received: '2999-01-01' }, 'validation-failed'],
  ] as const)('with %o is refused', async ([change, code]) => {
    const { status, text } = await receive(change)
    expect([status, text.includes(code)]).toEqual([422, true])
  })
})

describe('who read a signal', () => {
  test('is told exactly, with a receipt that opens that one item', async () => {
    const audience = await apple.audience(`read ${crypto.randomUUID().slice(0, 8)}`, 'banana')
    const items = await Promise.all(
      ['read', 'unread'].map((name) => apple.item({ type: 'url', raw: `https://bad.example/${name}` }, audience)),
    )
    const [read, unread] = items
    if (read === undefined || unread === undefined) throw new Error('two signals')
    await apple.client.submit(await apple.sign([read]))
    await explored(w.node)
    const { feeds } = await banana.client.feeds()
    const feed = feeds.find((one) => one.audience === audience)?.feed as Uuid
    await banana.client.events(feed, { wait: 5 })
    await apple.client.submit(await apple.sign([unread]))
    await explored(w.node)

    const page = await get('governance', `/log/readers?signal=${read.signal}`)
    expect(page.text).toMatch(/<td>banana<\/td>/)
    const proof = /href="(\/log\/readers\/proof\?[^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? ''
    // It can be asked for read by read, without the page.
    const looks = async () =>
      (await w.node.t.owner.selectFrom('prov_record').select('event_id').where('kind', '=', 'audit.read').execute())
        .length
    const before = await looks()
    const { text } = await get('governance', proof)
    expect(await looks()).toBe(before + 1)
    const verified = checkReceipt(text, openVkey(apple.home.pinned().vkey))
    expect(verified.passed).toBe(true)
    expect(verified.item).toMatchObject({ signal: read.signal, source: 'apple', reader: 'banana' })
    expect((await get('governance', `/log/readers?signal=${unread.signal}`)).text).toContain('Nobody obtained it')
    const other = proof.replace(read.signal, unread.signal)
    expect((await get('governance', other)).status).toBe(404)
  })
  test('is told past a batch of which there is no proof any more, which is counted', async () => {
    const { signal_id } = await w.node.t.owner.selectFrom('signal').select('signal_id').executeTakeFirstOrThrow()
    const { pools, authority } = w.node.parts
    const rows = [2n, 1n].map((index) => ({ index, event: crypto.randomUUID(), actor: 'banana', at: clock() }))
    const asked: string[] = []
    const whoRead = createWhoRead({
      ...{ projector: pools.projector, participants: () => authority.participants(), auditing: async () => {} },
      explorer: { rows: async () => rows as never },
      ledger: {
        itemReceipt: async (_, event) => {
          asked.push(event)
          if (event === rows[0]?.event) throw new Refusal('not-found')
          return { outcome: 'none' }
        },
      },
    })
    const by = {} as never
    expect(await whoRead.readers(by, signal_id)).toMatchObject({ reads: [], looked: 2, lost: 1 })
    expect(asked).toEqual(rows.map(({ event }) => event))
  })
  test.for([
    [`?signal=${crypto.randomUUID()}`, 404],
    ['?signal=one', 400],
    [`?signal=${crypto.randomUUID()}&below=x`, 400],
  ] as const)('for %s is refused with %i', async ([query, status]) => {
    expect((await get('governance', `/log/readers${query}`)).status).toBe(status)
  })
})

describe('the change log', () => {
  test('is public: versions of policies under the hash that the log names, and exactly their bytes', async () => {
    const { text, status } = await w.ask('/changes')
    expect(status).toBe(200)
    expect(text).toContain('/changes/taxonomy/1')
    const body = await w.ask('/changes/taxonomy/1')
    expect(text).toContain(sha256(body.text).toString('hex'))
    expect((await w.ask('/changes/taxonomy/99')).status).toBe(404)
  })
  test('has versions of the agreement, which are in force from their day on', async () => {
    const { participants } = w.node.parts
    const agreement = { v: 1, label: 'v3', sha256: 'ab'.repeat(32), effective_from: '2026-01-01T00:00:00Z' }
    const propose = async (body: object) => {
      const policy = { kind: 'agreement', version: 3, body: JSON.stringify(body) }
      await participants.propose('policy.publish', policy, w.node.ada)
      await decided('policy.publish', w.node.ada)
    }
    await expect(propose({ ...agreement, sha256: 'short' })).rejects.toMatchObject({ code: 'validation-failed' })
    await propose(agreement)
    expect((await participants.policies()).find(({ kind }) => kind === 'agreement')?.agreement?.label).toBe('v3')
    const page = (await get('governance', '/registers/agreements')).text
    expect(page).toContain('v3 is in force since 2026-01-01')
    expect(page).toContain('<td>apple</td>')
  })
})

test('the matrix shows what was shared in the period before, beside', async () => {
  const to = dayOf(Date.now() + 8 * DAY)
  const from = dayOf(Date.now() + 2 * DAY)
  const { text } = await get('governance', `/log/matrix?from=${from}&to=${to}`)
  expect(text).toMatch(/<span class="matrix-before" aria-hidden="true">[1-9]\d* ↓<\/span>/)
})
