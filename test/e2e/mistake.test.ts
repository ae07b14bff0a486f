import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { auditLog } from '../../src/audit/audit.ts'
import { mediaKey } from '../../src/client/derive.ts'
import { exportLog } from '../../src/client/log-export.ts'
import { folderLog, nodeLog } from '../../src/client/log-source.ts'
import { mirroredEvents, mirroredFeeds } from '../../src/client/mirror-reader.ts'
import { exportRecords, exportSnapshot, folderRecords } from '../../src/client/record-files.ts'
import { openVkey } from '../../src/client/verify.ts'
import type { ReviewVerdict } from '../../src/feedback/schema.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import type { Role } from '../../src/participants/schema.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { type ConsoleWorld, consoleWorldOf, type SignedInPerson } from '../console/routes/world.ts'
import { aConsoleNode, type ConsoleNode } from '../support/browser.ts'
import { CLI } from '../support/cli.ts'
import type { Member } from '../support/node.ts'
import { settled } from '../support/settled.ts'

const HASH = 'ab'.repeat(32)
const KEY = mediaKey('sha256', HASH)
const PATIENCE = { timeout: 40_000, interval: 100 }
const SCOPES = [
  ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'provenance:read'] as const),
  ...(['feedback:write', 'review:work'] as const),
]
const SLUGS = ['banana', 'cherry', 'date', 'elder'] as const

/** Somebody of each organisation who looks at its screens. */
const PEOPLE = [['apple', 'lead'], ...SLUGS.map((slug) => [slug, 'analyst'] as const)] as const

let n: ConsoleNode
let screens: ConsoleWorld
let apple: Member
let owl: Member
let item: SignalItem
/** What a lead withdraws in the console. */
let another: SignalItem
let folder: string
const members = new Map<string, Member>()
const cases = new Map<string, Uuid>()
const people = new Map<string, SignedInPerson>()
const member = (slug: string): Member => members.get(slug) ?? expect.fail(`no ${slug}`)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-mistake-'))
  n = await aConsoleNode({ env: { REVIEW_GRACE_SECONDS: '0' } })
  screens = consoleWorldOf(n, systemClock)
  apple = await n.member('apple', { scopes: SCOPES })
  for (const slug of SLUGS) members.set(slug, await n.member(slug, { scopes: SCOPES }))
  for (const [organisation, role] of PEOPLE) await joins(organisation, role)
  owl = await n.member('owl', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  item = await apple.item({ type: 'media_hash', algorithm: 'sha256', hash: HASH }, await apple.everybody())
  another = await apple.item(
    { type: 'media_hash', algorithm: 'sha256', hash: 'cd'.repeat(32) },
    await apple.everybody(),
  )
  const { submission } = await apple.client.submit(await apple.sign([item, another]))
  await apple.client.receipt(submission ?? '')
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

const command = ({ home }: Member, args: readonly string[]) => [CLI, '--home', home.dir, ...args]
/** The command line as a process of its own, in the folder of a member. */
const aldis = (by: Member, ...args: readonly string[]): Promise<number> =>
  new Promise((resolve) => execFile(process.execPath, command(by, args), (error) => resolve(Number(error?.code ?? 0))))

const allSync = async (...args: readonly string[]): Promise<void> => {
  const codes = await Promise.all([...members.values()].map((by) => aldis(by, 'sync', ...args)))
  expect(codes).toEqual(SLUGS.map(() => 0))
}

/** Ends without any chance to tidy up, as soon as something new of the node is on its disk. */
function killedWhileSyncing(by: Member): Promise<void> {
  const written = (): number => mirrored(by).reduce((sum, { bytes }) => sum + bytes, 0)
  const before = written()
  const child: ChildProcess = spawn(process.execPath, command(by, ['sync', '--acknowledge']), { stdio: 'ignore' })
  const watch = setInterval(() => {
    if (written() > before) child.kill('SIGKILL')
  }, 1)
  return new Promise((resolve) =>
    child.once('close', () => {
      clearInterval(watch)
      resolve()
    }),
  )
}

const mirrored = ({ home }: Member) => mirroredFeeds(join(home.dir, 'feeds'))
/** What a mirror says of the signal, in its order. */
async function mirror(by: Member, of = item): Promise<string[]> {
  const types: string[] = []
  for (const feed of mirrored(by))
    for await (const { event } of mirroredEvents(feed, { after: undefined, programme: 'orchard' }))
      if ('signal' in event && event.signal === of.signal && /^signal\./.test(event.type)) types.push(event.type)
  return types
}

async function reports(by: Member, count: number): Promise<Uuid> {
  const hit = { source: 'apple', signal: item.signal, key: KEY, count, last_at: '2026-11-26T15:00:00Z' }
  const { results } = await by.client.reportHits({ hits: [hit] })
  return results[0]?.case as Uuid
}

async function decides(by: Member, id: Uuid, verdict: ReviewVerdict, reason: string): Promise<void> {
  const { token, version } = await by.client.cases.claim(id, { operator: 'ann' })
  const decision = newId(new Date())
  await by.client.cases.decide(id, { operator: 'ann', decision, token, version, verdict, reason })
  await vi.waitFor(async () => {
    const { decisions } = await by.client.cases.one(id)
    expect(decisions?.find((one) => one.decision === decision)?.standing).toBe('released')
  }, PATIENCE)
}

async function joins(organisation: string, role: Role): Promise<void> {
  await n.persona({ name: organisation, organisation, roles: [role] })
  people.set(organisation, await screens.signedIn(organisation))
}

/** The words of a page, as somebody of an organisation sees it. */
async function page(organisation: string, path: string): Promise<string> {
  const { status, text } = await screens.ask(path, { cookie: people.get(organisation)?.cookie })
  const words = text.replaceAll(/<(script|style|head)[\s\S]*?<\/\1>/g, '').replaceAll(/<[^>]+>/g, ' ')
  return `${status} ${words.replaceAll(/\s+/g, ' ')}`
}
const casePage = (slug: string): Promise<string> => page(slug, `/cases/${cases.get(slug)}`)

const opinions = (by: Member) => by.client.opinions('apple', item.signal)
const stateOf = async (): Promise<string> => (await apple.client.own(item.signal)).state

describe('a signal that was a mistake', { shuffle: false, timeout: 240_000 }, () => {
  test('reaches four organisations; one acts on it, and two find that it is wrong', async () => {
    await allSync('--wait', '30')
    for (const by of members.values()) expect(await mirror(by)).toEqual(['signal.created'])
    for (const [slug, by] of members) cases.set(slug, await reports(by, 1))
    await decides(member('banana'), cases.get('banana') as Uuid, 'confirmed_action_taken', 'own_policy')
    await vi.waitFor(
      async () => expect(await opinions(member('cherry'))).toMatchObject({ standing: 'confirmed' }),
      PATIENCE,
    )
    for (const slug of ['cherry', 'date'])
      await decides(member(slug), cases.get(slug) as Uuid, 'not_violating', 'policy_differs')
    const told = { standing: 'disputed', outcomes: { confirmed_action_taken: 1, not_violating: 2 } }
    await vi.waitFor(async () => expect(await opinions(member('elder'))).toMatchObject(told), PATIENCE)
    expect(await stateOf()).toBe('live')
  })

  test('is held for all by the third that finds so, whose claim brings the case of who acted back', async () => {
    await decides(member('elder'), cases.get('elder') as Uuid, 'not_violating', 'false_match')
    await vi.waitFor(async () => expect(await stateOf()).toBe('held'), PATIENCE)
    await vi.waitFor(async () => {
      const { state, triggers } = await member('banana').client.cases.one(cases.get('banana') as Uuid)
      expect([state, triggers?.map(({ kind }) => kind)]).toEqual(['open', ['private_hit', 'dispute']])
    }, PATIENCE)
    await settled(n.t)
    expect(await aldis(member('banana'), 'sync')).toBe(0)
    expect(await mirror(member('banana'))).toEqual(['signal.created', 'signal.held'])
  })

  test('is corrected by who acted on it, which all recipients see in the counts', async () => {
    await decides(member('banana'), cases.get('banana') as Uuid, 'not_violating', 'false_match')
    const told = { standing: 'disputed', outcomes: { not_violating: 4 }, answered: 4 }
    for (const by of members.values())
      await vi.waitFor(async () => expect(await opinions(by)).toMatchObject(told), PATIENCE)
    await settled(n.t)
    const figures = await member('banana').client.cases.figures()
    expect(figures).toMatchObject({ decided: { not_violating: 1 }, corrected: 1 })
    for (const slug of SLUGS) {
      expect(await casePage(slug), slug).toMatch(/4 answered: disputed, 2 open disputes\. 4 Not violating /)
    }
    expect(await casePage('banana')).toMatch(
      /Confirmed, action taken: .* It was disputed .* Not violating here: false match/,
    )
    expect(await page('apple', `/submissions/${item.signal}`)).toMatch(
      /State Held Disputed .* 4 of 4 known to have what you said last .* False match , by banana, .* by elder, /,
    )
  })

  test('is withdrawn by its source, and every mirror ends it, also one whose process was killed in between', async () => {
    const { disputes } = await apple.client.disputes({ side: 'received' })
    for (const { dispute } of disputes) await apple.client.answerDispute(dispute, { result: 'confirmed' })
    expect(await aldis(apple, 'withdraw', item.signal, '--reason', 'mistaken')).toBe(0)
    expect(await stateOf()).toBe('withdrawn')
    await vi.waitFor(async () => {
      const { feeds } = await member('date').client.feeds()
      const shared = feeds.find(({ kind }) => kind === 'audience')?.feed as Uuid
      const { events } = await member('date').client.events(shared, {})
      expect(events.map(({ type }) => type)).toContain('signal.withdrawn')
    }, PATIENCE)
    await killedWhileSyncing(member('elder'))
    const ends = ['signal.created', 'signal.held', 'signal.withdrawn']
    await allSync('--acknowledge')
    for (const by of members.values()) expect(await mirror(by)).toEqual(ends)
    for (const slug of ['cherry', 'date', 'elder']) {
      const { state } = await member(slug).client.cases.one(cases.get(slug) as Uuid)
      expect(state, slug).not.toBe('awaiting_second')
    }
  })

  test('another is withdrawn by a person alone, in the console, and each mirror takes the word for what it is', async () => {
    const lead = people.get('apple') ?? expect.fail('no lead')
    const path = `/submissions/${another.signal}`
    expect(await page('apple', `${path}/withdraw`)).toMatch(/4 organisations; 4 known to have it/)
    const { status } = await screens.send(lead, `${path}/withdraw`, { reason: 'mistaken', revision: '1' })
    expect(status).toBe(303)
    expect(await page('apple', path)).toMatch(/State Withdrawn .* a person, in the console/)
    await settled(n.t)
    await allSync('--acknowledge')
    for (const by of members.values()) expect(await mirror(by, another)).toEqual(['signal.created', 'signal.withdrawn'])
  })

  test('is erased by two persons, from the node and from every mirror, and each acknowledges', async () => {
    await n.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'subject_request' })
    await vi.waitFor(async () => {
      const [erasure] = await n.parts.erasures.list()
      expect(erasure?.missing).toEqual([...SLUGS])
    }, PATIENCE)
    await settled(n.t)
    await allSync('--acknowledge')
    for (const by of members.values()) expect(onDisk(by)).not.toContain(HASH)
    await vi.waitFor(async () => {
      const [erasure] = await n.parts.erasures.list()
      expect(erasure).toMatchObject({ missing: [], acknowledged: [...SLUGS] })
    }, PATIENCE)
    await joins('council', 'governance')
    await settled(n.t)
    const [sent, shared, disputed, log] = await Promise.all([
      page('apple', `/submissions/${item.signal}`),
      page('council', '/log/matrix'),
      page('council', '/log/matrix?measure=disputed'),
      page('council', '/log/entries?q=kind%3Aerasure'),
    ])
    expect(sent).toMatch(/State Erased .* What it said was erased\. .* Answered: It is right: we were wrong/)
    expect(shared).toContain('apple banana cherry date elder Sum apple · 2 0 ↑ 2 0 ↑ 2 0 ↑ 2 0 ↑ 8 0 ')
    expect(disputed).toContain('apple banana cherry date elder Sum apple · 1 0 0 1 2 ')
    expect(log).toMatch(/ 1 shown of 1 .* Signals erased erasure apple Verified by server at /)
    for (const slug of SLUGS) expect(await casePage(slug), slug).not.toContain(HASH)
    expect(sent).not.toContain(HASH)
  })

  test('leaves a log that passes its audit, and histories that every one of them verifies', async () => {
    const dir = join(folder, 'audit')
    await exportSnapshot(owl.client, dir)
    const head = await owl.home.advance(owl.client)
    const { size } = await exportLog({ source: nodeLog(owl.client), vkey: owl.home.pinned().vkey, head, dir })
    await exportRecords(owl.client, { dir, size })
    expect(await failing((line) => line)).toEqual([])
    const verified = [apple, member('banana'), member('elder')].map((by) => aldis(by, 'history', '--verify'))
    expect(await Promise.all(verified)).toEqual([0, 0, 0])
  })

  test.each<[string, (line: string) => string, string]>([
    [
      'an inbox in which another is said to have spoken',
      (line) => line.replace(/("of":"feed-entry @apple 1".*"source":)"banana"/, '$1"date"'),
      '13 FAIL',
    ],
    [
      'an inbox in which something is said of another revision',
      (line) => line.replace(/("of":"feed-entry @elder 1".*"revision":)1/, '$12'),
      '13 FAIL',
    ],
    [
      'an inbox that is named as the one of another',
      (line) => line.replace('"feed @elder"', '"feed @date"'),
      '14 FAIL',
    ],
  ])('%s fails it', async (_, change, fault) => {
    expect(await failing(change)).toContain(fault)
  })
})

/** What an audit of the export does not pass, with the lines of its snapshot changed. */
async function failing(change: (line: string) => string): Promise<string[]> {
  const dir = join(folder, 'audit')
  const { records, snapshot } = folderRecords(dir)
  const changed = async function* () {
    for await (const line of snapshot?.() ?? []) yield change(line)
  }
  const { findings } = await auditLog({
    ...{ hash: sha256, source: folderLog(dir), now: new Date(), kept: [] },
    pinned: { key: openVkey(owl.home.pinned().vkey), verify: verifyEd25519 },
    records: { records, snapshot: changed },
  })
  const wrong = findings.filter(({ check, result }) => check !== 2 && check !== 4 && result !== 'PASS')
  return wrong.map(({ check, result }) => `${check} ${result}`)
}

/** Everything that a member has on its disk. */
const onDisk = ({ home }: Member): string =>
  readdirSync(home.dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    .join('\n')
