import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { enroll, makeTlsKey } from '../../../src/client/enroll.ts'
import { makeSigningKey, openSigningKey } from '../../../src/client/signing-key.ts'
import { ROLES, type Role } from '../../../src/participants/schema.ts'
import { MATRIX, routesOf, WHO, type Who } from './matrix.ts'
import { aConsoleWorld, type ConsoleWorld, type SignedInPerson } from './world.ts'

const START = Date.now()
let passed = 0
const clock = (): Date => new Date(START + passed)

const PARTNERS: ReadonlySet<Role> = new Set(['partner_admin', 'lead', 'analyst'])

let w: ConsoleWorld
beforeAll(async () => {
  w = await aConsoleWorld(clock)
  await w.node.decide('participant.admit', { slug: 'apple', name: 'Apple House', kind: 'platform' })
  await w.node.decide('participant.admit', { slug: 'birch', name: 'Birch Social', kind: 'platform' })
  await w.node.decide('participant.admit', { slug: 'cedar', name: 'Cedar', kind: 'platform' })
  await w.node.enrolled('apple')
  await w.node.enrolled('birch')
  for (const role of ROLES) await w.aPerson(role, PARTNERS.has(role) ? 'apple' : 'office', [role])
  await w.aPerson('third', 'office', ['node_admin'])
  await w.aPerson('of-cedar', 'cedar', ['lead'])
  await w.aPerson('watches-from-cedar', 'cedar', ['observer'])
})
afterAll(() => w.node.end())

const as = (role: Role, stepUp = false): Promise<SignedInPerson> => w.signedIn(role, { stepUp })
const page = async (role: Role, path: string, stepUp = false) => {
  const { cookie } = await as(role, stepUp)
  return w.ask(path, { cookie })
}
const keyOf = async (slug: string) => {
  const found = (await w.node.parts.participants.directory()).find((one) => one.slug === slug)
  return found?.credentials[0]?.credential ?? ''
}

describe('the directory', () => {
  test('tells everybody names, kinds and status, and keys to those who administer', async () => {
    for (const role of ROLES) {
      const { status, text } = await page(role, '/participants')
      expect([role, status]).toEqual([role, 200])
      expect(text).toContain('Birch Social')
      expect(text.includes('href="/participants/birch"')).toBe(role === 'node_admin' || role === 'governance')
      expect(text.includes('href="/participants/apple"')).toBe(
        ['node_admin', 'governance', 'partner_admin'].includes(role),
      )
    }
  })
  test('counts what was sent for governance, and records that it looked', async () => {
    expect((await page('governance', '/participants')).text).toContain('Received')
    expect((await page('node_admin', '/participants')).text).not.toContain('Received')
  })
  test('shows the keys of an organisation with when they end', async () => {
    const { text } = await page('governance', '/participants/birch')
    expect(text.includes('more than 60 d')).toBe(true)
    expect((await page('partner_admin', '/participants/apple')).status).toBe(200)
    expect((await page('partner_admin', '/participants/birch')).status).toBe(404)
    expect((await page('lead', '/participants/apple')).status).toBe(404)
    expect((await page('governance', '/participants/nobody')).status).toBe(404)
  })
})

describe('to cut somebody off', () => {
  test('shows first what it touches, and asks for a fresh sign-in', async () => {
    const { text } = await page('node_admin', '/participants/birch/suspend')
    expect(text).toContain('What it touches')
    expect(text).toContain('Confirm it is you')
    const who = await as('node_admin')
    const refused = await w.send(who, '/participants/birch/suspend', { reason: 'key_theft' })
    expect(refused.status).toBe(403)
    expect(w.node.parts.authority.participantBySlug('birch')?.status).toBe('active')
  })
  test('takes one person, who names a reason, and another reviews it', async () => {
    const who = await as('node_admin', true)
    const { cookie } = await w.signedIn('of-cedar')
    expect((await w.ask('/queue', { cookie })).status).toBe(200)
    const watcher = await w.signedIn('watches-from-cedar')
    expect((await w.ask('/log/entries', { cookie: watcher.cookie })).status).toBe(200)
    expect((await w.send(who, '/participants/cedar/suspend', { reason: 'boredom' })).status).toBe(422)
    expect((await w.send(who, '/participants/cedar/suspend', { reason: 'key_theft' })).status).toBe(303)
    expect(w.node.parts.authority.participantBySlug('cedar')?.status).toBe('suspended')
    expect((await w.ask('/queue', { cookie })).status).toBe(404)
    for (const path of ['/log/entries', '/reports', '/participants'])
      expect([path, (await w.ask(path, { cookie: watcher.cookie })).status]).toEqual([path, 404])
    // What it would do is no longer to be done.
    expect((await page('node_admin', '/participants/cedar/suspend')).status).toBe(404)
    passed += 60_000
    expect((await page('governance', '/requests')).text).toMatch(/Review an act of one person.*waits, due in 23 h/s)
    passed += 25 * 3_600_000
    expect((await page('governance', '/requests')).text).toMatch(/overdue for 1 h/)
  })
  test('ends one key at once, and says how many go on', async () => {
    const id = await keyOf('apple')
    const path = `/participants/apple/credentials/${id}/revoke`
    expect((await page('node_admin', path)).text).toContain('it cannot connect until a new one is enrolled')
    expect((await page('governance', path)).status).toBe(404)
    expect((await w.send(await as('node_admin', true), path, { reason: 'key_theft' })).status).toBe(303)
    expect((await page('node_admin', '/participants/apple')).text).toContain('revoked')
    expect((await page('node_admin', path)).status).toBe(404)
  })
})

describe('an organisation that joins', () => {
  const idIn = (location: unknown): string => String(location).split('/').at(-1) ?? ''
  /** Whoever may do it, signed in a moment ago. */
  const decide = async (location: unknown, approver: string, executor = 'node_admin'): Promise<string> => {
    const id = idIn(location)
    expect((await w.send(await w.signedIn(approver, { stepUp: true }), `/requests/${id}/approve`)).status).toBe(303)
    const done = await w.send(await w.signedIn(executor, { stepUp: true }), `/requests/${id}/execute`)
    expect(done.status).toBe(200)
    return done.text
  }

  test('shows its checklist, is admitted by two, presents a key, and is let in when its fingerprint was told', async () => {
    const [admin, gov] = [await as('node_admin'), await as('governance')]
    const begun = await w.send(admin, '/onboarding/open', { name: 'Dove', slug: 'dove', kind: 'platform' })
    expect(begun.status).toBe(303)
    const id = idIn(begun.headers.location)
    const digest = 'ab'.repeat(32)
    const early = await w.send(admin, `/onboarding/${id}/admission`, { probation_days: '30' })
    expect(early.status).toBe(303)
    for (const item of ['agreement', 'appeals', 'human_review', 'retention']) {
      const more = item === 'agreement' ? { version: 'v3', signatory: 'general counsel' } : {}
      expect((await w.send(gov, `/onboarding/${id}/provide`, { item, digest })).status).toBe(404)
      expect((await w.send(admin, `/onboarding/${id}/provide`, { item, digest: 'x', ...more })).status).toBe(422)
      expect((await w.send(admin, `/onboarding/${id}/provide`, { item, digest, ...more })).status).toBe(303)
      const judgement = { item, digest, verdict: 'accepted' }
      expect((await w.send(admin, `/onboarding/${id}/judge`, judgement)).status).toBe(404)
      expect((await w.send(gov, `/onboarding/${id}/judge`, judgement)).status).toBe(303)
    }
    const asked = await w.send(admin, `/onboarding/${id}/admission`, { probation_days: '30' })
    await decide(asked.headers.location, 'governance')
    expect((await page('node_admin', '/participants/dove')).text).toMatch(/probation.*then two persons decide/s)

    const invitation = await w.ask('/participants/dove/invite', {
      ...{ method: 'POST', cookie: admin.cookie, headers: { 'sec-fetch-site': 'same-origin' } },
      body: `csrf=${admin.csrf}&label=main&scopes%5B%5D=signals%3Asubmit&scopes%5B%5D=feed%3Aread`,
    })
    expect(invitation.status).toBe(303)
    const shown = await decide(invitation.headers.location, 'third')
    const code = /[0-9a-f]{16}\.[a-z2-7]{32}/.exec(shown)?.[0] ?? ''
    const tls = await makeTlsKey()
    const result = await enroll({ origin: w.node.enrol, code, tls, signing: openSigningKey(makeSigningKey()) })
    expect(result.awaits_read_back).toBe(true)
    const waiting = await page('node_admin', '/participants/dove')
    expect(waiting.text).toMatch(/A key of main waits/)
    expect(waiting.text.includes(tls.spki)).toBe(false)
    const form = { credential: result.credential, fingerprint: 'cd'.repeat(32) }
    const wrong = await w.send(admin, '/participants/dove/read-back', form)
    expect([wrong.status, wrong.text.includes('fingerprint-mismatch')]).toEqual([422, true])
    const told = { ...form, fingerprint: tls.spki }
    expect((await w.send(admin, '/participants/dove/read-back', told)).status).toBe(303)
    expect(w.node.parts.authority.find(tls.spki)?.status).toBe('active')
    // The conformance run is still missing.
    const end = await w.send(admin, '/participants/dove/end-probation')
    const request = idIn(end.headers.location)
    await w.send(await as('governance', true), `/requests/${request}/approve`)
    const refused = await w.send(await as('node_admin', true), `/requests/${request}/execute`)
    expect([refused.status, refused.text.includes('a conformance run that passed')]).toEqual([409, true])
  })
})

describe('who may see', () => {
  test('is answered by rule for every participant, of what a source would share', async () => {
    const audience = w.node.parts.authority.audiencesOf(participantOf('birch')).find(({ kind }) => kind === 'programme')
    const path = `/sight?source=birch&tlp=red&type=url&audience=${audience?.audience_id}`
    const { status, text } = await page('governance', path)
    expect(status).toBe(200)
    expect(text).toMatch(/would not take it from this source.*tlp-refused/s)
    expect(text).toMatch(/rule 7: the TLP level may go to such an audience/)
    expect(text).toMatch(/rule 3: is the source/)
    expect((await page('lead', path)).status).toBe(404)
    const wrong = await page('node_admin', '/sight?source=birch')
    expect([wrong.status, wrong.text.includes('filter-value')]).toEqual([400, true])
    const absent = `/sight?source=birch&signal=${participantOf('birch')}`
    expect((await page('node_admin', absent)).status).toBe(404)
  })
})

const participantOf = (slug: string) => {
  const found = w.node.parts.authority.participantBySlug(slug)
  if (found === undefined) throw new Error(`there is no ${slug}`)
  return found.participant_id
}

describe('a group', () => {
  const idIn = (location: unknown): string => String(location).split('/').at(-1) ?? ''
  const post = async (path: string, fields: readonly (readonly [string, string])[]) => {
    const { cookie, csrf } = await as('node_admin')
    const body = new URLSearchParams([['csrf', csrf], ...fields.map(([a, b]): [string, string] => [a, b])]).toString()
    return w.ask(path, { method: 'POST', cookie, headers: { 'sec-fetch-site': 'same-origin' }, body })
  }
  const decided = async (location: unknown) => {
    const path = `/requests/${idIn(location)}`
    expect((await w.send(await as('governance', true), `${path}/approve`)).status).toBe(303)
    return w.send(await as('node_admin', true), `${path}/execute`)
  }

  test('is made, previewed, changed at a set time, and taken back, by two', async () => {
    const made = await post('/groups/make', [
      ...([
        ['name', 'Grove'],
        ['slug', 'grove'],
        ['mode', 'full'],
      ] as const),
      ...([
        ['members[]', 'apple'],
        ['members[]', 'birch'],
      ] as const),
    ])
    expect((await decided(made.headers.location)).status).toBe(200)
    expect((await page('governance', '/groups')).text).toMatch(/Grove.*apple, birch/s)
    expect((await page('governance', '/groups/grove')).status).toBe(200)
    expect((await page('observer', '/groups')).status).toBe(404)

    const preview = await post('/groups/grove/preview', [['members[]', 'birch']])
    expect(preview.text).toMatch(/What would change.*apple.*keeps what was received/s)
    const leave = [['leave[]', 'apple']] as const
    const wrong = await post('/groups/grove/change', [...leave, ['effective_at', '2020-01-01T00:00:00Z']])
    expect([wrong.status, wrong.text.includes('a time that is yet to come')]).toEqual([422, true])
    const at = `${new Date(clock().getTime() + 3_600_000).toISOString().slice(0, 19)}Z`
    const asked = await post('/groups/grove/change', [...leave, ['effective_at', at]])
    const request = `/requests/${idIn(asked.headers.location)}`
    expect((await page('governance', request)).text).toMatch(/takes effect.*What it changes.*apple, birch.*birch/s)
    expect((await w.send(await as('governance', true), `${request}/approve`)).status).toBe(303)
    expect((await page('governance', '/requests')).text).toMatch(/approved, in 59 min|approved, in 1 h/)
    expect((await w.send(await as('node_admin'), `${request}/cancel`)).status).toBe(303)
    expect((await page('governance', request)).text).toMatch(/taken back/)
  })
  test('whose change was carried out is brought back by another request', async () => {
    const tomorrow = `${new Date(clock().getTime() + 86_400_000).toISOString().slice(0, 19)}Z`
    const later = await post('/groups/make', [
      ['name', 'Thicket'],
      ['slug', 'thicket'],
      ['mode', 'full'],
      ['effective_at', tomorrow],
    ])
    expect((await page('governance', `/requests/${idIn(later.headers.location)}`)).text).toContain('takes effect')
    const made = await post('/groups/make', [
      ...([
        ['name', 'Copse'],
        ['slug', 'copse'],
        ['mode', 'full'],
        ['members[]', 'birch'],
        ['effective_at', ''],
      ] as const),
    ])
    await decided(made.headers.location)
    const asked = await post('/groups/copse/change', [['join[]', 'apple']])
    await decided(asked.headers.location)
    const back = await w.send(await as('node_admin'), `/requests/${idIn(asked.headers.location)}/undo`)
    expect(back.status).toBe(303)
    expect((await page('governance', `/requests/${idIn(back.headers.location)}`)).text).toMatch(/leave.*apple/s)
    const ended = await post('/groups/copse/end', [])
    await decided(ended.headers.location)
    expect((await page('governance', '/groups/copse')).status).toBe(404)
  })
})

describe('the matrix of routes', () => {
  const consoleApp = () => {
    const app = w.node.node.shutdown.listeners[2]
    if (app === undefined) throw new Error('the node has no console')
    // A shutdown closes listeners and knows no more of them.
    return app as FastifyInstance
  }
  /** Ends the session that asks, and what a log without witnesses has none of. */
  const SKIPPED: ReadonlySet<string> = new Set(['POST /sign-out', 'GET /log/1/policy'])
  const UUID = '01a21a9c-0000-7000-8000-000000000000'
  /** Where a path has a parameter that everybody who is let in finds something under. */
  const sampled = async () => {
    const { participants, authority } = w.node.parts
    const { request_id } = await participants.propose('participant.resume', { participant: 'apple' }, w.node.ada)
    const of = { slug: `elm-${Date.now()}`, name: 'Elm', kind: 'platform' } as const
    const { onboarding } = await participants.openOnboarding(w.node.ada, of)
    const key = authority.credentials().find(({ slug, status }) => slug === 'birch' && status === 'active')
    return [
      ['/requests/:id', `/requests/${request_id}`],
      ['/onboarding/:id', `/onboarding/${onboarding}`],
      ['/participants/:slug/credentials/:id', `/participants/birch/credentials/${key?.credential}`],
      ['/participants/:slug/suspend', '/participants/birch/suspend'],
    ] as const
  }

  test('has a row for every route that the console serves, and none for others', () => {
    expect(routesOf(consoleApp())).toEqual([...MATRIX.keys()].sort())
  })
  test('holds for every role, and for nobody: open, or as if there were nothing', async () => {
    await w.aPerson('none', 'office', [])
    const samples = await sampled()
    const { host } = new URL(w.node.console)
    let asked = 0
    const ask = (route: string, who?: SignedInPerson) => {
      const [method = 'GET', path = ''] = route.split(' ')
      const sample = samples.find(([prefix]) => path.startsWith(prefix))
      const url = (sample === undefined ? path : path.replace(sample[0], sample[1]))
        .replaceAll(/:\w+/g, UUID)
        .replace('*', '/x')
      asked += 1
      // As many a second as one address may.
      if (asked % 40 === 0) passed += 1_000
      return consoleApp().inject({
        ...{ method: method as 'GET' | 'POST', url },
        headers: {
          ...{ host, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' },
          ...(who !== undefined && { cookie: who.cookie }),
        },
        // What no form has: nothing is done by it.
        ...(method === 'POST' && { payload: new URLSearchParams({ csrf: who?.csrf ?? '', stray: 'x' }).toString() }),
      })
    }
    const people = new Map<Who, SignedInPerson>()
    for (const who of WHO) people.set(who, await w.signedIn(who))
    const wrong: string[] = []
    for (const [route, may] of MATRIX) {
      const nobody = (await ask(route)).statusCode
      const shut = route.startsWith('GET') ? 303 : 401
      if (!route.endsWith('*') && (may === 'everybody') === (nobody === shut)) wrong.push(`nobody ${route}: ${nobody}`)
      const isDeep = route.includes(':') && !samples.some(([prefix]) => route.includes(prefix))
      for (const [who, person] of people) {
        const isOpen = may === 'everybody' || may.includes(who)
        if (isOpen && (isDeep || route.endsWith('*') || SKIPPED.has(route))) continue
        const { statusCode } = await ask(route, person)
        if (isOpen === (statusCode === 404)) wrong.push(`${who} ${route}: ${statusCode}`)
      }
    }
    expect(wrong).toEqual([])
  }, 90_000)
})
