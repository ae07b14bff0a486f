import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ABSOLUTE_MS, IDLE_MS, STEP_UP_MS } from '../../../src/console/schema.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { ROLES, type Role } from '../../../src/participants/schema.ts'
import { aConsoleWorld, type ConsoleWorld, type SignedInPerson } from './world.ts'

const START = Date.now()
let passed = 0
const clock = (): Date => new Date(START + passed)

let w: ConsoleWorld
let request: Uuid
let colleague: Uuid

beforeAll(async () => {
  w = await aConsoleWorld(clock)
  for (const role of ROLES) await w.aPerson(role, role === 'partner_admin' ? 'apple' : 'office', [role])
  colleague = await w.aPerson('Ann', 'apple', ['analyst'])
  const { participants } = w.node.parts
  const payload = { slug: 'banana', name: 'Banana', kind: 'platform' }
  request = (await participants.propose('participant.admit', payload, w.node.ada)).request_id
})
afterAll(() => w.node.end())

const as = (role: Role): Promise<SignedInPerson> => w.signedIn(role)

describe('a route', () => {
  const PAGES: readonly [path: () => string, roles: readonly Role[]][] = [
    [() => '/requests', ['node_admin', 'governance']],
    [() => `/requests/${request}`, ['node_admin', 'governance']],
    [() => '/people', ['partner_admin', 'node_admin']],
    [() => `/people/${colleague}`, ['partner_admin']],
    [() => '/log', ROLES],
    [() => '/settings', ROLES],
  ]
  const cases = PAGES.flatMap(([path, roles], i) => ROLES.map((role) => [i, role, roles.includes(role), path] as const))
  test.for(cases)('%i is open to %s: %s', async ([, role, isOpen, path]) => {
    const { cookie } = await as(role)
    const { status, text } = await w.ask(path(), { cookie })
    expect(status).toBe(isOpen ? 200 : 404)
    if (!isOpen) expect(text).not.toContain('Banana')
  })
  test('that is not there, and one that is for others, look alike', async () => {
    const { cookie } = await as('analyst')
    const plain = (text: string): string =>
      text.replaceAll(/request <code>[^<]*<\/code>/g, '').replaceAll(/as of [^ ]*/g, '')
    const [absent, foreign] = [await w.ask('/people/nobody', { cookie }), await w.ask('/requests', { cookie })]
    expect(plain(absent.text)).toBe(plain(foreign.text))
  })
  test('leads who is not signed in to the sign-in, and answers 401 to what a page asks on its own', async () => {
    const opened = await w.ask('/requests?x=1')
    expect(opened).toMatchObject({ status: 303, headers: { location: '/sign-in?to=%2Frequests%3Fx%3D1' } })
    const asked = await w.ask('/requests', { headers: { 'hx-request': 'true', 'hx-request-type': 'partial' } })
    expect(asked.status).toBe(401)
  })
})

describe('what is sent with each page', () => {
  test('is a policy without anything inline, and that nobody keeps it', async () => {
    const { headers, text } = await w.ask('/settings', { cookie: (await as('lead')).cookie })
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
    expect(headers).toMatchObject({
      ...{ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' },
      ...{ 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin' },
    })
    expect(text).not.toMatch(/<style|style=|<script(?![^>]* src=)|\son[a-z]+=|javascript:|hx-on/)
  })
  test('are files under names of their content, which never change', async () => {
    const { text } = await w.ask('/sign-in')
    const css = /href="(\/assets\/console\.[0-9a-f]{16}\.css)"/.exec(text)?.[1] ?? ''
    const answer = await w.ask(css)
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'public, max-age=31536000, immutable', 'content-type': 'text/css; charset=utf-8' },
    })
    expect((await w.ask('/assets/console.css')).status).toBe(404)
    expect((await w.ask('/assets/..%2fapp.tsx')).status).toBe(404)
  })
  test('goes to the one name that the console has', async () => {
    const headers = { host: 'evil.example' }
    expect(await w.ask('/log', { headers })).toMatchObject({
      status: 307,
      headers: { location: `${w.node.console}/log` },
    })
    expect((await w.ask('/sign-out', { method: 'POST', headers, body: '' })).status).toBe(403)
  })
})

describe('a form', () => {
  const add = { name: 'New' }
  const own = { 'sec-fetch-site': 'same-origin' }
  test('takes the token of the session and the origin of the console', async () => {
    const who = await as('partner_admin')
    const other = await as('lead')
    const { cookie, csrf } = who
    const sent = (form: Record<string, string>, headers: object) =>
      w.ask('/people/add', { method: 'POST', cookie, form: { ...add, ...form }, headers: { ...headers } })
    expect((await sent({ csrf }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await sent({ csrf }, {})).status).toBe(403)
    expect((await sent({ csrf: other.csrf }, own)).status).toBe(403)
    expect((await sent({}, own)).status).toBe(403)
    expect((await w.node.parts.participants.listPeople()).some(({ name }) => name === 'New')).toBe(false)
    expect((await sent({ csrf }, { origin: w.node.console })).status).toBe(303)
  })
  test('is nothing but a form', async () => {
    const { cookie, csrf } = await as('partner_admin')
    const headers = { ...own, 'content-type': 'application/json' }
    const json = await w.ask('/people/add', { method: 'POST', cookie, headers, body: JSON.stringify({ csrf, ...add }) })
    expect(json.status).toBe(415)
  })
  test('that is pressed twice does its work once', async () => {
    const who = await as('partner_admin')
    const once = newId(clock())
    expect((await w.send(who, '/people/add', { name: 'Twice', once })).status).toBe(303)
    const again = await w.send(who, '/people/add', { name: 'Twice', once })
    expect(again.status).toBe(409)
    expect(again.text).toContain('sent already')
    const people = await w.node.parts.participants.listPeople()
    expect(people.filter(({ name }) => name === 'Twice')).toHaveLength(1)
  })
  test('that is refused comes back with what was typed, and may be sent again', async () => {
    const who = await as('partner_admin')
    const once = newId(clock())
    const long = 'x'.repeat(121)
    const refused = await w.send(who, '/people/add', { name: long, once })
    expect(refused.status).toBe(422)
    expect(refused.text).toContain(`value="${long}"`)
    expect((await w.send(who, '/people/add', { name: 'Mended', once })).status).toBe(303)
  })
  test('of a look keeps the look and nothing else', async () => {
    const who = await as('observer')
    const kept = await w.send(who, '/settings/look', { theme: 'dark', density: 'roomy', keys: 'off' })
    expect(String(kept.headers['set-cookie'])).toContain('__Host-look=dark.roomy.off')
    expect((await w.send(who, '/settings/look', { theme: 'pink', density: 'roomy', keys: 'off' })).status).toBe(422)
  })
})

describe('an approval', () => {
  test('takes a step-up, not a sign-in alone', async () => {
    const who = await as('governance')
    const refused = await w.send(who, `/requests/${request}/approve`)
    expect(refused.status).toBe(403)
    expect(refused.text).toContain('step-up-missing')
  })
  test('of one own is refused, whoever else one is', async () => {
    const { participants } = w.node.parts
    const admin = await w.signedIn('node_admin', { stepUp: true })
    const payload = { slug: 'own', name: 'Own', kind: 'platform' }
    const { request_id } = await participants.propose('participant.admit', payload, admin.person)
    const refused = await w.send(admin, `/requests/${request_id}/approve`)
    expect(refused.text).toContain('self-approval')
    expect((await participants.requestFor(admin.person, request_id))?.votes).toEqual([])
  })
  test('counts for five minutes after the step-up', async () => {
    const { participants } = w.node.parts
    const payload = { slug: 'late', name: 'Late', kind: 'platform' }
    const { request_id } = await participants.propose('participant.admit', payload, w.node.ada)
    const who = await w.signedIn('governance', { stepUp: true })
    passed += STEP_UP_MS
    expect((await w.send(who, `/requests/${request_id}/approve`)).text).toContain('step-up-missing')
  })
  test('that was decided is listed by pages, from a row on', async () => {
    const { cookie } = await as('governance')
    const after = '00000000-0000-7000-8000-000000000000'
    const { status, text } = await w.ask(`/requests?after=${after}`, { cookie })
    expect([status, text.includes('Nothing was decided before'), text.includes('First page')]).toEqual([
      200,
      true,
      true,
    ])
    expect((await w.ask('/requests?after=nonsense', { cookie })).status).toBe(400)
  })
  test('of what is not there is as if there were nothing', async () => {
    const who = await w.signedIn('governance', { stepUp: true })
    expect((await w.send(who, `/requests/${newId(clock())}/approve`)).status).toBe(404)
    expect((await w.send(who, '/requests/nonsense/approve')).status).toBe(404)
  })
})

describe('a session', () => {
  const isOpen = async ({ cookie }: SignedInPerson) => (await w.ask('/settings', { cookie })).status === 200

  test('ends after half an hour, which what a page asks on its own does not prolong', async () => {
    const who = await w.signedIn('lead')
    passed += IDLE_MS - 60_000
    expect((await w.ask('/session', { cookie: who.cookie })).headers['session-seconds']).toBe('60')
    passed += 60_000
    const over = await w.ask('/settings', { cookie: who.cookie })
    expect(over).toMatchObject({ status: 303, headers: { location: '/sign-in?to=%2Fsettings&ended=idle' } })
  })
  test('is not prolonged by a page that goes away, nor by one that asks how far a job is; letting go is somebody’s doing', async () => {
    const token = newId(clock())
    const asked: Record<string, (who: SignedInPerson) => Promise<{ status: number }>> = {
      left: (who) => w.send(who, `/cases/${token}/left`, { token }),
      progress: (who) => w.ask(`/bulk/jobs/${token}/progress`, { cookie: who.cookie }),
      leave: (who) => w.send(who, `/cases/${token}/leave`, { token }),
    }
    const found: unknown[] = []
    for (const [name, ask] of Object.entries(asked)) {
      const who = await w.signedIn('analyst')
      passed += IDLE_MS - 60_000
      const { status } = await ask(who)
      passed += 60_000
      found.push([name, status, await isOpen(who)])
    }
    expect(found).toEqual([
      ['left', 204, false],
      ['progress', 404, false],
      ['leave', 404, true],
    ])
  })
  test('keeps its cookie whatever a request that came without it, or late with the one before, is told', async () => {
    const posted = await w.ask('/settings/look', {
      method: 'POST',
      form: {},
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    const late = await w.ask('/session', { cookie: '__Host-sid=before', headers: { 'sec-fetch-mode': 'cors' } })
    const opened = await w.ask('/settings', { cookie: '__Host-sid=before' })
    expect([posted.status, late.status, opened.status]).toEqual([401, 401, 303])
    for (const { headers } of [posted, late, opened]) expect(headers['set-cookie']).toBeUndefined()
  })
  test('is prolonged by the person', async () => {
    const who = await w.signedIn('lead')
    passed += IDLE_MS - 1
    expect((await w.ask('/session/stay', { cookie: who.cookie })).status).toBe(204)
    passed += IDLE_MS - 1
    expect(await isOpen(who)).toBe(true)
  })
  test('ends after ten hours', async () => {
    const who = await w.signedIn('lead')
    for (let at = 0; at < ABSOLUTE_MS; at += IDLE_MS - 1) {
      expect(await isOpen(who)).toBe(true)
      passed += IDLE_MS - 1
    }
    expect(await isOpen(who)).toBe(false)
  })
  test('is kept as the hash of its cookie alone', async () => {
    const who = await w.signedIn('lead')
    const rows = await w.node.t.owner.selectFrom('console_session').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(who.cookie.slice('__Host-sid='.length))
  })
  test('is ended from another one, at once', async () => {
    const here = await w.signedIn('lead')
    const known = new Set((await w.sessions.list(here.person)).map(({ session_id }) => session_id))
    const there = await w.signedIn('lead')
    const other = (await w.sessions.list(here.person)).find(({ session_id }) => !known.has(session_id))
    expect((await w.send(here, '/settings/end-session', { session: other?.session_id ?? '' })).status).toBe(303)
    expect(await isOpen(there)).toBe(false)
    expect(await isOpen(here)).toBe(true)
  })
  test('of somebody else is not there to be ended', async () => {
    const [mine, theirs] = [await w.signedIn('lead'), await w.signedIn('analyst')]
    const [session] = await w.sessions.list(theirs.person)
    expect((await w.send(mine, '/settings/end-session', { session: session?.session_id ?? '' })).status).toBe(404)
    expect(await isOpen(theirs)).toBe(true)
  })
  test('has another cookie once its roles are others, and what was granted only then', async () => {
    const person = await w.aPerson('Grown', 'apple', ['analyst'])
    const who = await w.signedIn('Grown', { claimed: ['analyst', 'partner_admin'] })
    expect((await w.ask('/people', { cookie: who.cookie })).status).toBe(404)
    await w.node.parts.participants.grantRole(w.node.ada, { person, role: 'partner_admin' })
    const headers = { 'sec-fetch-mode': 'navigate' }
    const grown = await w.ask('/people', { cookie: who.cookie, headers })
    expect(grown.status).toBe(200)
    const renewed = /__Host-sid=([^;]+)/.exec(String(grown.headers['set-cookie']))?.[0]
    expect(renewed).not.toBe(who.cookie)
    expect(await isOpen(who)).toBe(false)
    expect((await w.ask('/people', { cookie: renewed })).status).toBe(200)
  })
  test('has no role that the identity provider does not claim', async () => {
    const who = await w.signedIn('governance', { claimed: [] })
    expect((await w.ask('/requests', { cookie: who.cookie })).status).toBe(404)
    expect((await w.ask('/', { cookie: who.cookie })).text).toContain('You have no role at present')
  })
  test('ends with its login', async () => {
    const { participants } = w.node.parts
    await w.aPerson('Brief', 'apple', ['analyst'])
    const who = await w.signedIn('Brief')
    const login = (await participants.listLogins()).find(({ person_id }) => person_id === who.person)
    if (login === undefined) throw new Error('no login')
    await participants.endLogin(w.node.ada, login.login_id)
    expect((await w.ask('/settings', { cookie: who.cookie })).headers.location).toContain('ended=access_ended')
  })
  test('is over once the person has signed out', async () => {
    const who = await w.signedIn('lead')
    const out = await w.send(who, '/sign-out')
    expect(out).toMatchObject({ status: 303, headers: { location: '/signed-out?from=demo' } })
    expect(await isOpen(who)).toBe(false)
  })
})

describe('the sign-in', () => {
  test('begins with code, PKCE, state and nonce, by a redirect that no form makes', async () => {
    const { status, headers } = await w.ask('/sign-in/demo?to=/log')
    expect(status).toBe(302)
    const { searchParams, origin } = new URL(headers.location ?? '')
    expect(origin).toBe(w.node.issuer)
    expect(Object.fromEntries(searchParams)).toMatchObject({
      ...{ response_type: 'code', code_challenge_method: 'S256', scope: 'openid' },
      redirect_uri: `${w.node.console}/sign-in/demo/callback`,
    })
    for (const name of ['state', 'nonce', 'code_challenge']) expect(searchParams.get(name)?.length).toBeGreaterThan(20)
  })
  test('that was not begun here is refused', async () => {
    const answer = await w.ask('/sign-in/demo/callback?code=x&state=y')
    expect(answer.status).toBe(403)
    expect(answer.text).toContain('sign-in-refused')
  })
  test('takes an answer of its own identity provider alone', async () => {
    const begun = await w.ask('/sign-in/demo')
    const state = new URL(begun.headers.location ?? '').searchParams.get('state') ?? ''
    const cookie = String(begun.headers['set-cookie']).split(';')[0] ?? ''
    const iss = encodeURIComponent('https://evil.example')
    const answer = await w.ask(`/sign-in/demo/callback?code=x&state=${state}&iss=${iss}`, { cookie })
    expect(answer.status).toBe(403)
  })
  test.for([['https://evil.example'], ['//evil.example'], ['/\\evil.example']])(
    'leads to no other place: %s',
    async ([to]) => {
      const { text } = await w.ask(`/sign-in?to=${encodeURIComponent(to ?? '')}`)
      expect(text).not.toContain('evil')
    },
  )
  test('knows no other provider', async () => {
    expect((await w.ask('/sign-in/other')).status).toBe(404)
  })
})

test('nothing of cookies, tokens or names is in the log of the node', async () => {
  const who = await as('partner_admin')
  const logged = w.node.logged()
  for (const secret of [who.cookie, who.csrf, 'Twice', 'Mended']) expect(logged).not.toContain(secret)
})
