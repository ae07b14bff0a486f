import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { EXIT, faultOf } from '../../../src/cli/exit.ts'
import { GROUPS } from '../../../src/cli/groups.ts'
import { addCommands } from '../../../src/cli/registry.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { CHECKLIST } from '../../../src/participants/checklist.ts'
import type { ListedOnboarding } from '../../../src/participants/onboarding.ts'
import { aTestNode, type Member, type TestNode } from '../../support/node.ts'
import { settled } from '../../support/settled.ts'

const DAY = 86_400_000
const SCOPES = [
  ...(['signals:submit', 'feed:read', 'lookup:evaluate', 'provenance:read'] as const),
  ...(['feedback:write', 'review:work'] as const),
]

let n: TestNode
let banana: Member
let gov: Uuid
const folder = mkdtempSync(join(tmpdir(), 'aldis-administering-'))
/** Days of the node's log are over: reports are of nothing else. */
const clock = (): Date => new Date(Date.now() - 3 * DAY)

beforeAll(async () => {
  n = await aTestNode({ clock, env: { REVIEW_GRACE_SECONDS: '0' } })
  const { participants, anomalies } = n.parts
  gov = (await participants.addPerson(n.ada, { name: 'Gia', organisation: 'council' })).person_id
  await n.decide('role.grant', { person: gov, role: 'governance' })
  await participants.addPerson(n.ada, { name: 'Cy', organisation: 'office' })
  // From here on governance approves admissions.
  const admit = async (slug: string): Promise<Member> => {
    const payload = { slug, name: slug, kind: 'platform' }
    const { request_id } = await participants.propose('participant.admit', payload, n.ada)
    await participants.approve(request_id, gov, clock())
    await participants.execute(request_id, n.ada)
    return n.enrolled(slug, SCOPES)
  }
  const apple = await admit('apple')
  banana = await admit('banana')
  await acted(apple, banana)
  await anomalies.attempted('office')
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

/** One signal of the first, on which the second acts by law. */
async function acted(source: Member, by: Member): Promise<void> {
  const item = await source.item({ type: 'url', raw: 'https://bad.example/a' }, await source.everybody())
  await source.client.submit(await source.sign([item]))
  const key = item.type === 'url' ? item.value.sha256 : ''
  const hit = {
    source: source.slug,
    signal: item.signal,
    key,
    count: 1,
    last_at: `${clock().toISOString().slice(0, 19)}Z`,
  }
  const id = await vi.waitFor(
    async () => {
      const { results } = await by.client.reportHits({ hits: [hit] })
      const found = results[0]?.case
      if (found === undefined) throw new Error('the signal has not come yet')
      return found as Uuid
    },
    { timeout: 20_000, interval: 200 },
  )
  const { token, version } = await by.client.cases.claim(id, { operator: 'ann' })
  const verdict = { verdict: 'confirmed_action_taken', reason: 'law' } as const
  const counts = { content_removed: 2, accounts_actioned: 1 }
  const decision = newId(clock())
  await by.client.cases.decide(id, { operator: 'ann', decision, token, version, ...verdict, counts })
  await vi.waitFor(
    async () => {
      const one = await by.client.cases.one(id)
      await by.client.receipt(one.decisions?.[0]?.event ?? '')
    },
    { timeout: 20_000, interval: 200 },
  )
}

interface Ran {
  code: number
  out: string
  err: string
}

/** Runs a command as `main.ts` does, on the node's settings. */
async function aldis(...args: readonly string[]): Promise<Ran> {
  const { dataDir, configDir } = n.parts.config
  const settings = { DATABASE_URL: n.t.url('owner'), DATA_DIR: dataDir, CONFIG_DIR: configDir }
  for (const [name, value] of Object.entries({ ...settings, LOG_ORIGIN: n.parts.origin })) vi.stubEnv(name, value)
  const said: Record<'out' | 'err', string[]> = { out: [], err: [] }
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.out.push(String(text)) > 0)
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.err.push(String(text)) > 0)
  let code = 0
  try {
    const program = new Command('aldis').option('--json').option('--home <dir>').exitOverride()
    const words = ['--home', banana.home.dir, ...args]
    await addCommands(program, GROUPS, words)
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    const fault = error instanceof CommanderError ? { code: 2, says: '' } : faultOf(error)
    code = fault.code
    said.err.push(fault.says)
  } finally {
    out.mockRestore()
    err.mockRestore()
    vi.unstubAllEnvs()
  }
  return { code, out: said.out.join(''), err: said.err.join('') }
}
const json = async <T>(...args: readonly string[]): Promise<T> => {
  const { code, out, err } = await aldis('--json', ...args)
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as T
}
const approved = async (request: string): Promise<void> => {
  expect(await aldis('approve', request, '--by', gov)).toMatchObject({ code: 0 })
  expect(await aldis('execute', request, '--by', n.ada)).toMatchObject({ code: 0 })
}

describe('aldis onboardings', () => {
  test('takes an organisation from its opening to the request for its admission', async () => {
    const file = join(folder, 'document.pdf')
    writeFileSync(file, 'what was shown')
    const digest = createHash('sha256').update('what was shown').digest('hex')
    const opened = ['open', 'quince', '--name', 'Quince', '--by', n.ada]
    const { onboarding } = await json<{ onboarding: Uuid }>('onboardings', ...opened)
    expect(await aldis('onboardings', ...opened)).toMatchObject({ code: 5 })
    for (const item of CHECKLIST) {
      const agreement = item === 'agreement' ? ['--agreement', 'v3', '--signatory', 'general counsel'] : []
      const provided = ['provide', onboarding, item, '--file', file, ...agreement, '--by', n.ada]
      expect(await json('onboardings', ...provided)).toMatchObject({ item, state: 'provided', digest })
      const by = item === 'appeals' ? ['--digest', digest] : ['--file', file]
      expect(await aldis('onboardings', 'judge', onboarding, item, 'accepted', ...by, '--by', gov)).toEqual({
        ...{ code: 0, err: '', out: `${item} accepted\n` },
      })
    }
    const listed = await json<{ onboardings: ListedOnboarding[] }>('onboardings')
    expect(listed.onboardings.find((one) => one.onboarding === onboarding)).toMatchObject({ missing: [] })
    expect((await aldis('onboardings')).out).toMatch(
      new RegExp(`^${onboarding} +quince +platform +open +complete$`, 'm'),
    )
    const { out } = await aldis('onboardings', 'show', onboarding)
    expect(out).toMatch(new RegExp(`^agreement +accepted +${digest} +v3 +general counsel$`, 'm'))
    expect(out).toContain(`aldis admit quince --name 'Quince' --kind platform --onboarding ${onboarding}`)
    const admission = ['admit', 'quince', '--name', 'Quince', '--onboarding', onboarding, '--by', n.ada]
    await approved((await json<{ request: string }>(...admission)).request)
    expect((await json<ListedOnboarding>('onboardings', 'show', onboarding)).outcome).toBe('admitted')
  })
  test('judges the document that is named, and none that was shown since', async () => {
    const { onboarding } = await json<{ onboarding: Uuid }>(
      ...['onboardings', 'open', 'medlar', '--name', 'Medlar', '--by', n.ada],
    )
    const provide = (digest: string) =>
      aldis('onboardings', 'provide', onboarding, 'retention', '--digest', digest, '--by', n.ada)
    const judge = (digest: string, by = gov) =>
      aldis('onboardings', 'judge', onboarding, 'retention', 'returned', '--digest', digest, '--by', by)
    await provide('ab'.repeat(32))
    expect(await provide('cd'.repeat(32))).toMatchObject({ code: 0 })
    expect(await judge('ab'.repeat(32))).toMatchObject({ code: 5, err: expect.stringContaining('shown since') })
    expect(await judge('cd'.repeat(32), n.ada)).toMatchObject({ code: 3 })
    // As PowerShell writes a digest.
    expect(await judge('CD'.repeat(32))).toMatchObject({ code: 0 })
    expect(await aldis('onboardings', 'abandon', onboarding, '--by', n.ada)).toMatchObject({ code: 0 })
    expect((await aldis('onboardings', 'show', onboarding)).out).toMatch(/^medlar +platform +abandoned$/m)
  })
  test.for([
    ['no document', ['provide', newId(new Date()), 'appeals', '--by', newId(new Date())], 78],
    ['a document that is missing', ['provide', newId(new Date()), 'appeals', '--file', '/none', '--by', 'x'], 78],
    ['a digest that was cut', ['provide', newId(new Date()), 'appeals', '--digest', 'ab'.repeat(31), '--by', 'x'], 78],
    ['an item that is none', ['provide', newId(new Date()), 'lunch', '--by', 'x'], 2],
    ['a name that is none', ['open', 'Not A Slug', '--name', 'x', '--by', newId(new Date())], 1],
    ['one that there is none of', ['show', newId(new Date())], 4],
  ] as const)('refuses %s', async ([, args, code]) => {
    expect(await aldis('onboardings', ...args)).toMatchObject({ code, out: '' })
  })
})

describe('aldis retention', () => {
  test('tells what is due and what is held, and a hold is placed and lifted by two', async () => {
    expect(await aldis('retention')).toMatchObject({ code: 0, err: '' })
    const asked = ['hold', 'banana', '--what', 'reads', '--reason', 'litigation', '--by', n.ada]
    await approved((await json<{ request: string }>('retention', ...asked)).request)
    const { holds } = await json<{ holds: { id: string; what: string; liftedAt?: string }[] }>('retention')
    const [hold] = holds
    expect(hold).toMatchObject({ what: 'reads', reason: 'litigation' })
    expect((await aldis('retention')).out).toMatch(new RegExp(`^hold ${hold?.id} +reads +litigation +placed$`, 'm'))
    await approved((await json<{ request: string }>('retention', 'lift', hold?.id ?? '', '--by', n.ada)).request)
    expect((await aldis('retention')).out).not.toContain(hold?.id)
  })
  test.for([
    ['a reason that is none', ['hold', 'banana', '--reason', 'because', '--by', 'x'], 2],
    ['nobody who asks', ['hold', 'banana', '--reason', 'litigation'], 2],
    ['a person without a role', ['hold', 'banana', '--reason', 'litigation', '--by', newId(new Date())], 3],
  ] as const)('refuses %s', async ([, args, code]) => {
    expect(await aldis('retention', ...args)).toMatchObject({ code })
  })
})

describe('aldis government', () => {
  const received = (by: Uuid, ...more: readonly string[]) => [
    ...['government', 'receive', '--country', 'IE', '--kind', 'provide_data', '--asked', '3', '--basis', 'dsa_art_10'],
    ...['--reference', 'IE 2026 17', '--received', '2026-11-20', '--by', by, ...more],
  ]
  test('has a request from its receipt to its end', async () => {
    const { request } = await json<{ request: string }>(...received(gov))
    expect((await aldis('government')).out).toMatch(new RegExp(`^${request} +IE +\\w+ +3 +dsa_art_10 +open$`, 'm'))
    const close = ['government', 'close', request, '--outcome', 'partly', '--given', '1', '--by', n.ada]
    await approved((await json<{ request: string }>(...close)).request)
    const { requests } = await json<{ requests: object[] }>('government')
    expect(requests).toContainEqual(
      expect.objectContaining({ id: request, country: 'IE', closed: expect.objectContaining({ outcome: 'partly' }) }),
    )
    expect((await aldis('government')).out).toMatch(new RegExp(`^${request} .*partly, 1$`, 'm'))
  })
  test('is written by governance alone, in codes', async () => {
    expect(await aldis(...received(n.ada))).toMatchObject({ code: 3, out: '' })
    expect(await aldis(...received(gov, '--country', 'Ireland'))).toMatchObject({ code: 1, out: '' })
    expect(await aldis(...received(gov, '--asked', 'many'))).toMatchObject({ code: 2, out: '' })
  })
})

describe('aldis anomalies', () => {
  test('tells cases with their threshold, and they are looked at and closed once', async () => {
    const { cases } = await json<{ cases: { id: string; rule: string }[] }>('anomalies', '--look')
    const one = cases.find(({ rule }) => rule === 'self_approval')
    expect(one).toMatchObject({ subject: 'office', measured: 1, baseline: 0, threshold: 1, state: 'open' })
    const row = async () => (await aldis('anomalies')).out.split('\n').find((line) => line.startsWith(one?.id ?? '-'))
    expect(await row()).toMatch(
      / open +office +Approvals of what one had asked for oneself +1 attempts; usual 0, told from 1 on$/,
    )
    expect(await aldis('anomalies', 'look', one?.id ?? '', '--by', n.ada)).toMatchObject({ code: 3 })
    expect(await aldis('anomalies', 'look', one?.id ?? '', '--by', gov)).toEqual({ code: 0, err: '', out: 'done\n' })
    const close = (...words: string[]) => aldis('anomalies', 'close', one?.id ?? '', ...words, '--by', gov)
    expect(await close('--reason', 'other')).toMatchObject({ code: 1 })
    expect(await close('--reason', 'explained')).toMatchObject({ code: 0 })
    expect(await close('--reason', 'explained')).toMatchObject({ code: 5 })
    expect(await row()).toMatch(/ closed /)
  })
  test('has networks of keys to look at from every connection that a participant opened', async () => {
    const { sightings } = n.parts
    await sightings.flush()
    const used = await sightings.networks(clock().toISOString().slice(0, 10))
    expect(used.map(({ fresh, known }) => ({ fresh, known }))).toEqual(Array(2).fill({ fresh: 1, known: 0 }))
  })
  test('asks for the hold of a source and for its release, which another person approves', async () => {
    const hold = ['anomalies', 'hold', 'apple', '--since', '2020-01-01T00:00:00Z', '--by', n.ada]
    const { request } = await json<{ request: string }>(...hold)
    expect((await aldis('requests')).out).toContain(request)
    await approved(request)
    expect(await aldis('anomalies', 'release', 'apple', '--by', n.ada)).toMatchObject({
      ...{ code: 0, err: '' },
      out: expect.stringContaining('source.release  {"participant":"apple"}'),
    })
    expect(await aldis('anomalies', 'hold', 'apple', '--since', 'long ago', '--by', n.ada)).toMatchObject({ code: 1 })
  })
})

describe('aldis anomalies feeds', () => {
  test('tells whom a pause would keep what from, and a pause is asked for, decided by two and ended', async () => {
    const { feeds } = await json<{ feeds: { feed: string; kind: string }[] }>('anomalies', 'feeds')
    const feed = feeds.find(({ kind }) => kind === 'programme')?.feed ?? ''
    const row = async () => (await aldis('anomalies', 'feeds')).out.split('\n').find((line) => line.startsWith(feed))
    expect(await row()).toMatch(/ programme +.* [23] members +[0-9]+ entries$/)
    await approved(
      (await json<{ request: string }>('anomalies', 'pause', feed, '--reason', 'anomaly', '--by', n.ada)).request,
    )
    expect(await row()).toMatch(/ paused since .*: anomaly$/)
    // The node, another process, reads it within two seconds.
    const told = async () => expect((await aldis('sync')).err).toContain('is paused by the programme')
    await vi.waitFor(told, { timeout: 20_000, interval: 200 })
    await approved((await json<{ request: string }>('anomalies', 'resume', feed, '--by', n.ada)).request)
    expect(await row()).toMatch(/entries$/)
    expect(await aldis('anomalies', 'pause', feed, '--reason', 'mood', '--by', n.ada)).toMatchObject({ code: 2 })
  })
})

describe('aldis report dsa', () => {
  const day = (back: number): string => new Date(Date.now() - back * DAY).toISOString().slice(0, 10)
  const dsa = (...args: readonly string[]) => ['report', 'dsa', '--from', day(4), '--to', day(1), ...args]

  test('tells what the verified history knows, and writes the tables of the template', async () => {
    expect(await aldis(...dsa())).toMatchObject({ code: 78, err: expect.stringContaining('aldis history') })
    expect(await aldis('history')).toMatchObject({ code: 0 })
    expect((await aldis(...dsa())).out).toMatch(/^5_own_initiative_illegal +Visibility restriction Removal +2$/m)
    const out = join(folder, 'dsa')
    const told = await json<{ files: string[]; tables: object[] }>(...dsa('--out', out, '--service', 'Banana'))
    expect(told).toMatchObject({
      ...{ format: 'aldis-dsa/1', participant: 'banana', ground_not_told: { decisions: 0 } },
      tables: [{ table: '5_own_initiative_illegal' }, {}, {}, {}],
    })
    const [head = '', row = ''] = readFileSync(told.files[0] ?? '', 'utf8').split('\r\n')
    expect(head).toMatch(/^Applicability,Service,Reporting period,Category of illegal content,/)
    expect(row).toMatch(new RegExp(`^All,Banana,${day(4)}/${day(2)},STATEMENT_CATEGORY_PROTECTION_OF_MINORS,,3,,2,,`))
  })
  test.for([
    ['a period that is not over', ['--to', day(-2)], 78],
    ['a period that is not of whole days', ['--from', `${day(4)}T06:00:00Z`], 78],
    ['a day that is none', ['--from', '2026-02-30'], 2],
  ] as const)('refuses %s', async ([, args, code]) => {
    expect(await aldis(...dsa(...args))).toMatchObject({ code, out: '' })
  })
})

describe('aldis log recount', () => {
  test('counts what is kept again, and ends with 7 where it is other than the log', async () => {
    await settled(n.t)
    expect(await aldis('log', 'recount')).toMatchObject({ code: 0, out: expect.stringContaining('says the same') })
    const fact = (from: string, to: string) => sql`update report_facts set facts = replace(facts, ${from}, ${to})`
    await fact('"platform"', '"observer"').execute(n.t.owner)
    const { out, err } = await aldis('log', 'recount')
    const code = process.exitCode
    process.exitCode = undefined
    await fact('"observer"', '"platform"').execute(n.t.owner)
    expect([code, out]).toEqual([EXIT.unverified, expect.stringMatching(/again: \d+ differences/)])
    expect(err).toMatch(/facts: entries \d+ to \d+ say something else than the log/)
  })
})
