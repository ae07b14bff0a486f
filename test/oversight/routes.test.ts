import { Command } from 'commander'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { oversightCommands, retentionText } from '../../src/cli/participant/oversight.ts'
import { newId } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { explored } from '../console/log-world.ts'
import { type Caller, callerOf, changesNothing, expectRefusal, NEVER, quiet } from '../security/world.ts'
import type { Member } from '../support/node.ts'
import { anOversightWorld, type OversightWorld } from './world.ts'

let w: OversightWorld
const callers: Caller[] = []
const asking = new Map<string, Caller>()
beforeAll(async () => {
  w = await anOversightWorld()
  const { n, apple, council, owl, dove } = w
  for (const [who, member] of Object.entries({ apple, council, owl, dove })) asking.set(who, known(callerOf(n, member)))
})
afterAll(async () => {
  for (const one of callers) one.close()
  await w.n.end()
})

function known(caller: Caller): Caller {
  callers.push(caller)
  return caller
}
const ask = (who: string, path: string, headers: Readonly<Record<string, string>> = {}) => {
  const by = asking.get(who)
  if (by === undefined) throw new Error(`nobody is ${who}`)
  return by.ask({ path, headers })
}
const json = async (path: string) => {
  const { status, text } = await ask('council', path)
  expect(status, text).toBe(200)
  return JSON.parse(text)
}
const looks = async (): Promise<number> =>
  (await w.n.t.owner.selectFrom('prov_record').select('event_id').where('kind', '=', 'audit.read').execute()).length

const LISTS = [
  ['/v1/onboardings', 'onboardings', 'onboarding'],
  ['/v1/approvals', 'approvals', 'request'],
  ['/v1/anomalies', 'cases', 'case'],
  ['/v1/subject-requests', 'requests', 'request'],
  ['/v1/government-requests', 'requests', 'request'],
] as const
const RECORDED = [...LISTS.map(([path]) => path), '/v1/erasures', '/v1/retention', '/v1/onboardings/:one'] as const
const GOVERNANCE = [...RECORDED, '/v1/anomalies/rules'] as const
const PUBLISHED = ['/v1/policies', '/v1/policies/taxonomy/1'] as const
const pathOf = (route: string): string => route.replace(':one', w.onboarding)

describe('who reads what governance works with', () => {
  const cases = [
    ...GOVERNANCE.flatMap((route) =>
      ['apple', 'owl', 'dove', 'council'].map((who) => [who, route, who === 'dove' || who === 'council'] as const),
    ),
    ...PUBLISHED.flatMap((route) =>
      ['apple', 'owl', 'dove', 'council'].map((who) => [who, route, who !== 'dove'] as const),
    ),
  ]
  test.for(cases)('%s reads %s: %s', async ([who, route, may]) => {
    if (may) expect((await ask(who, pathOf(route))).status).toBe(200)
    else expectRefusal(await changesNothing(w.n.t, () => ask(who, pathOf(route))), 'scope-missing')
  })
  test('only an observer can hold the scope', async () => {
    await expect(w.n.enrolled('apple', ['governance:read'])).rejects.toMatchObject({ code: 'policy-refused' })
  })
  test('what is not there is not found, and to whom it is none of their business it looks like what is', async () => {
    const absent = [
      `/v1/onboardings/${NEVER}`,
      '/v1/onboardings/pear',
      '/v1/policies/taxonomy/9',
      '/v1/policies/fruit/1',
    ]
    for (const path of absent) expectRefusal(await changesNothing(w.n.t, () => ask('council', path)), 'not-found')
    const withoutId = ({ text }: { text: string }) => text.replace(/"request_id":"[^"]*"/, '')
    const there = await ask('owl', pathOf('/v1/onboardings/:one'))
    expect(withoutId(there)).toBe(withoutId(await ask('owl', `/v1/onboardings/${NEVER}`)))
  })
  test('nothing is changed there, whatever the method', async () => {
    const by = asking.get('council')
    for (const route of [...GOVERNANCE, ...PUBLISHED])
      for (const method of ['POST', 'PUT']) {
        const call = { method, path: pathOf(route), headers: { 'content-type': 'application/json' }, body: '{}' }
        const answer = await changesNothing(w.n.t, async () => by?.ask(call))
        expect([404, 405], `${method} ${route}`).toContain(answer?.status)
      }
  })
})

describe('a look', () => {
  test.for(RECORDED)('at %s is recorded before it is answered', async (route) => {
    const before = await looks()
    expect((await ask('council', pathOf(route))).status).toBe(200)
    expect(await looks()).toBe(before + 1)
  })
  test.for(RECORDED)('at %s that cannot be recorded is not answered', async (route) => {
    const { owner } = w.n.t
    await sql.raw('revoke insert on prov_record from aldis_app').execute(owner)
    const answer = await ask('council', pathOf(route)).finally(() =>
      sql.raw('grant insert on prov_record to aldis_app').execute(owner),
    )
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain(w.onboarding)
  })
  test('at rules and policies is none, for nothing in them is about anybody', async () => {
    const before = await looks()
    for (const path of ['/v1/anomalies/rules', ...PUBLISHED]) expect((await ask('council', path)).status).toBe(200)
    expect(await looks()).toBe(before)
  })
  test('is found in the log under who looked', async () => {
    await json('/v1/erasures')
    await explored(w.n)
    const { entries } = await w.owl.client.logEntries({ q: 'kind:audit.read actor:council' })
    expect(entries.length).toBeGreaterThan(0)
  })
})

describe('what is told', () => {
  test('has no person, and nothing that one wrote', async () => {
    for (const route of GOVERNANCE) {
      const { text } = await ask('council', pathOf(route))
      for (const secret of w.secrets) expect(text, `${route} tells ${secret}`).not.toContain(secret)
    }
  })
  test('of an onboarding is what the console shows of it', async () => {
    const one = await json(pathOf('/v1/onboardings/:one'))
    expect(one).toMatchObject({
      ...{ participant: 'pear', kind: 'platform', outcome: null, missing: ['appeals', 'human_review', 'retention'] },
      items: [{ item: 'agreement', state: 'accepted', version: 'v3', digest: 'ab'.repeat(32) }],
    })
    const { onboardings } = await json('/v1/onboardings')
    expect(onboardings).toContainEqual(one)
  })
  test('of approvals is what waits, by the digest that the log has, and no longer once it is decided', async () => {
    const { participants, clock } = w.n.parts
    const request = await participants.propose(
      'participant.admit',
      { slug: 'nut', name: 'Nut', kind: 'observer' },
      w.n.ada,
    )
    const waiting = async () =>
      (await json('/v1/approvals')).approvals.find((one: { request: string }) => one.request === request.request_id)
    expect(await waiting()).toMatchObject({
      ...{ action: 'participant.admit', digest: request.digest, state: 'short', organisation: 'office', votes: [] },
    })
    expect(sha256(request.payload).toString('base64url')).toBe(request.digest)
    await participants.approve(request.request_id, w.gia, clock())
    expect(await waiting()).toMatchObject({ state: 'ready', votes: [{ organisation: 'office', verdict: 'approve' }] })
    await participants.execute(request.request_id, w.n.ada)
    expect(await waiting()).toBeUndefined()
  })
  test('of an anomaly is its rule with threshold and what is usual', async () => {
    const { cases } = await json('/v1/anomalies')
    const { rules } = await json('/v1/anomalies/rules')
    const states = cases.map((one: { state: string; reason: string | null }) => `${one.state} ${one.reason}`)
    expect(new Set(states)).toEqual(new Set(['open null', 'closed explained']))
    for (const one of cases) {
      expect(one).toMatchObject({ rule: 'self_approval', measured: 1, baseline: 0, threshold: 1 })
      expect(rules.map(({ rule }: { rule: string }) => rule)).toContain(one.rule)
    }
  })
  test('of retention is the policy in force, what the next purge takes, and every hold', async () => {
    const state = await json('/v1/retention')
    const url = { type: 'url', default_days: expect.any(Number), maximum_days: expect.any(Number) }
    expect(state.policy).toMatchObject({ version: 1, signals: expect.arrayContaining([url]) })
    expect(state.preview).toMatchObject({ reads: [], uploads: [], refusals: { days: expect.any(Number) } })
    expect(state.holds).toMatchObject([{ participant: 'apple', what: 'reads', reason: 'audit', lifted_at: null }])
  })
  test('of registers is codes and clocks', async () => {
    const { erasures } = await json('/v1/erasures')
    expect(erasures).toMatchObject([{ source: 'apple', basis: 'court_order', signals: 1 }])
    expect(JSON.stringify(erasures)).not.toContain(w.erasedSignal)
    const { requests } = await json('/v1/government-requests')
    expect(requests[0]).toMatchObject({
      country: 'FR',
      kind: 'provide_data',
      asked: 3,
      basis: 'dsa_art_10',
      outcome: null,
    })
    expect(requests[0]).not.toHaveProperty('reference')
    const subjects = (await json('/v1/subject-requests')).requests
    expect(subjects[0]).toMatchObject({ kind: 'objection', outcome: null, closed_at: null })
    expect(Date.parse(subjects[0].due_at)).toBeGreaterThan(Date.parse(subjects[0].received_at))
  })
})

describe('a page', () => {
  test.for(LISTS)(
    'of %s goes on where the one before ended, the newest first, whatever comes meanwhile',
    async ([path, name, id]) => {
      const ids = (page: Record<string, Record<string, string>[]>) => page[name]?.map((row) => row[id])
      const all = await json(path)
      const whole = ids(all) ?? []
      expect(whole.length).toBeGreaterThanOrEqual(3)
      expect(whole).toEqual([...whole].sort().reverse())
      expect(all.next).toBeNull()
      const first = await json(`${path}?limit=2`)
      expect(ids(first)).toEqual(whole.slice(0, 2))
      if (path === '/v1/anomalies') await w.n.parts.anomalies.attempted(`later-${newId(new Date())}`)
      const rest = await json(`${path}?limit=200&after=${first.next}`)
      expect(ids(rest)).toEqual(whole.slice(2))
      expect(rest.next).toBeNull()
      expect(ids(await json(`${path}?after=${NEVER}`))).toEqual([])
    },
  )
  test('of erasures is cut over all sources', async () => {
    const { participants } = w.n.parts
    expect((await participants.directory()).length).toBeGreaterThan(1)
    const first = await json('/v1/erasures?limit=1')
    expect([first.erasures.length, first.next]).toEqual([1, null])
    expect((await json(`/v1/erasures?after=${first.erasures[0].erasure}`)).erasures).toEqual([])
  })
  test.for(['limit=0', 'limit=201', 'limit=x', 'after=1', 'cursor=1', `after=${NEVER}&after=${NEVER}`])(
    'that is asked for with %s is refused, and no look is recorded',
    async (query) => {
      for (const [path] of LISTS)
        expectRefusal(await changesNothing(w.n.t, () => ask('council', `${path}?${query}`)), 'invalid-query')
    },
  )
})

describe('what is asked for again and again', () => {
  test.for([...PUBLISHED, '/v1/anomalies/rules'])('%s is not sent twice', async (path) => {
    const { headers, text } = await ask('council', path)
    const etag = headers.etag ?? ''
    expect(etag).toBe(`"${sha256(text).toString('hex')}"`)
    const again = await ask('council', path, { 'if-none-match': etag })
    expect([again.status, again.text]).toEqual([304, ''])
    expect((await ask('council', path, { 'if-none-match': '"other"' })).status).toBe(200)
  })
  test('a version of a policy is the bytes that the log names', async () => {
    const { policies } = await json('/v1/policies')
    for (const { kind, version, digest } of policies)
      expect((await ask('council', `/v1/policies/${kind}/${version}`)).headers.etag).toBe(`"${digest}"`)
  })
  test.for(RECORDED)('%s has no tag: that it is unchanged is told by a recorded look alone', async (route) => {
    const before = await looks()
    const { headers, status } = await ask('council', pathOf(route), { 'if-none-match': '*' })
    expect([status, headers.etag]).toEqual([200, undefined])
    expect(await looks()).toBe(before + 1)
  })
})

describe('aldis oversight', () => {
  async function aldis(member: Member, ...line: string[]): Promise<Record<string, unknown>[]> {
    const program = new Command('aldis').exitOverride().option('--json').option('--home <dir>')
    oversightCommands(program)
    const told: string[] = []
    const write = process.stdout.write
    process.stdout.write = (text: string | Uint8Array): boolean => told.push(String(text)) > 0
    try {
      await program.parseAsync(['--json', '--home', member.home.dir, 'oversight', ...line], { from: 'user' })
    } finally {
      process.stdout.write = write
    }
    return told.flatMap((text) => text.split('\n').filter((one) => one !== '')).map((one) => JSON.parse(one))
  }
  test.for(LISTS)('tells %s a line a row', async ([path, name]) => {
    const rows = (await json(path))[name]
    expect(await aldis(w.council, path.slice('/v1/'.length))).toEqual(rows)
    expect(await aldis(w.council, path.slice('/v1/'.length), '--limit', '2')).toEqual(rows.slice(0, 2))
  })
  test('tells the rest as the API does', async () => {
    expect(await aldis(w.council, 'erasures')).toEqual((await json('/v1/erasures')).erasures)
    expect(await aldis(w.council, 'onboarding', w.onboarding)).toMatchObject([{ onboarding: w.onboarding }])
    expect(await aldis(w.council, 'retention')).toMatchObject([{ policy: { version: 1 } }])
    expect(await aldis(w.council, 'rules')).toEqual((await json('/v1/anomalies/rules')).rules)
    expect(await aldis(w.apple, 'policies')).toEqual((await json('/v1/policies')).policies)
    expect(await w.apple.client.oversight.policy('taxonomy', 1)).toContain('"')
    await expect(aldis(w.owl, 'erasures')).rejects.toMatchObject({ code: 'scope-missing' })
    await quiet(w.n.t)
  })
})

test('what aldis oversight tells of retention is for people to read, with what is kept from the purge', () => {
  const nothing = { reads: [], signals: [], refusals: { n: 0, days: 90 }, uploads: [], requests: [] }
  const policy = { version: 2, read_days: 730, signals: [{ type: 'url', default_days: 90, maximum_days: 365 }] }
  expect(retentionText({ policy, preview: nothing, run: null, holds: [] }).split('\n')).toEqual([
    'Policy 2, in force:',
    'url    90 days   365 at most',
    'reads  730 days',
    'The next purge takes nothing.',
    'No purge since the node started.',
    'No legal holds.',
  ])
  const [placed_at, started_at] = ['2026-11-01T00:00:00.000Z', '2026-11-27T03:00:00.000Z']
  const held = { hold: newId(new Date()), participant: 'apple', what: 'reads', reason: 'litigation', placed_at }
  const text = retentionText({
    policy,
    preview: { ...nothing, reads: [{ participant: 'apple', n: 7, kept: true }] },
    run: { started_at, finished_at: null, removed: 3, done: 1, of: 2, failed: true },
    holds: [{ ...held, lifted_at: null }],
  })
  expect(text).toContain('reads of apple  7  kept by a hold')
  expect(text).toContain(`The last purge goes on since ${started_at}: 3 removed, 1 of 2 organisations, failed.`)
  expect(text).toContain(`${held.hold}  apple  reads  litigation  placed`)
})
