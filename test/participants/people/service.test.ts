import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { loginDigest } from '../../../src/participants/login.ts'
import type { Role } from '../../../src/participants/schema.ts'
import { aWorld, type World } from '../world.ts'

const ISSUER = 'https://id.apple.example'
const refused = (code: string) => ({ code })

let w: World
let pam: Uuid
beforeAll(async () => {
  w = await aWorld()
  pam = await aPerson('apple', 'partner_admin')
})
afterAll(() => w.end())

let made = 0
async function aPerson(organisation: string, ...roles: Role[]): Promise<Uuid> {
  made += 1
  const { person_id } = await w.service.addPerson(w.ada, { name: `Person ${made}`, organisation })
  for (const role of roles) await w.service.grantRole(w.ada, { person: person_id, role })
  return person_id
}
const rolesOf = async (person: Uuid) => (await w.service.listPeople()).find((one) => one.person_id === person)?.roles
const aSubject = (): string => `subject-${++made}`

describe('a login', () => {
  test('is given by a node administrator, found by issuer and subject, and stands in the log without its name', async () => {
    const person = await aPerson('apple', 'analyst')
    const name = { issuer: ISSUER, subject: aSubject() }
    const { login_id } = await w.service.giveLogin(w.ada, { person, ...name })
    expect(await w.service.findLogin(name)).toMatchObject({ login_id, person_id: person, roles: ['analyst'] })
    const row = await w.t.owner.selectFrom('login').selectAll().where('login_id', '=', login_id).executeTakeFirst()
    expect(row).toMatchObject({ ...name, ended_at: null })
    expect(loginDigest(login_id, name)).not.toBe(loginDigest(login_id, { ...name, subject: 'another' }))
    expect((await w.events()).some(({ kind }) => kind === 'login.given')).toBe(true)
  })
  test('is one person at a time', async () => {
    const name = { issuer: ISSUER, subject: aSubject() }
    await w.service.giveLogin(w.ada, { person: await aPerson('apple'), ...name })
    const second = await aPerson('banana')
    await expect(w.service.giveLogin(w.ada, { person: second, ...name })).rejects.toMatchObject(
      refused('state-conflict'),
    )
  })
  test('that was ended is nobody, and may be given again', async () => {
    const name = { issuer: ISSUER, subject: aSubject() }
    const person = await aPerson('apple')
    const { login_id } = await w.service.giveLogin(w.ada, { person, ...name })
    await w.service.endLogin(w.ada, login_id)
    expect(await w.service.findLogin(name)).toBeUndefined()
    await expect(w.service.endLogin(w.ada, login_id)).rejects.toMatchObject(refused('not-found'))
    await w.service.giveLogin(w.ada, { person, ...name })
    expect(await w.service.findLogin(name)).toMatchObject({ person_id: person })
  })
  test('is given by nobody else', async () => {
    const login = { person: await aPerson('apple'), issuer: ISSUER, subject: aSubject() }
    await expect(w.service.giveLogin(pam, login)).rejects.toMatchObject(refused('person-unknown'))
  })
  test.for([
    ['http://id.apple.example', 'a'],
    ['https://id.apple.example/?x=1', 'a'],
    ['no url', 'a'],
    [ISSUER, ''],
    [ISSUER, 'a\nb'],
    [ISSUER, 'a'.repeat(256)],
  ])('of issuer %j and subject %j is refused', async ([issuer = '', subject = '']) => {
    const login = { person: pam, issuer, subject }
    await expect(w.service.giveLogin(w.ada, login)).rejects.toMatchObject(refused('validation-failed'))
  })
})

describe('an administrator of a partner', () => {
  test('adds colleagues and gives them the roles of a partner', async () => {
    const { person_id } = await w.service.addPerson(pam, { name: 'Ann', organisation: 'apple' })
    await w.service.grantRole(pam, { person: person_id, role: 'analyst' })
    await w.service.grantRole(pam, { person: person_id, role: 'lead' })
    await w.service.endRole(pam, { person: person_id, role: 'lead' })
    expect(await rolesOf(person_id)).toEqual(['analyst'])
  })
  test('has nothing to do with others', async () => {
    const person = await aPerson('banana', 'analyst')
    await expect(w.service.addPerson(pam, { name: 'X', organisation: 'banana' })).rejects.toMatchObject(
      refused('person-unknown'),
    )
    await expect(w.service.grantRole(pam, { person, role: 'lead' })).rejects.toMatchObject(refused('not-found'))
    await expect(w.service.endRole(pam, { person, role: 'analyst' })).rejects.toMatchObject(refused('not-found'))
    await expect(w.service.endPerson(pam, person)).rejects.toMatchObject(refused('not-found'))
  })
  test('gives no role of the programme, and ends none', async () => {
    const person = await aPerson('apple')
    for (const role of ['node_admin', 'governance', 'observer'] as const)
      await expect(w.service.grantRole(pam, { person, role })).rejects.toMatchObject(refused('policy-refused'))
  })
  test('changes nothing of itself', async () => {
    await expect(w.service.grantRole(pam, { person: pam, role: 'analyst' })).rejects.toMatchObject(
      refused('policy-refused'),
    )
    await expect(w.service.endPerson(pam, pam)).rejects.toMatchObject(refused('policy-refused'))
  })
  test('is one no more once its role has ended', async () => {
    const other = await aPerson('apple', 'partner_admin')
    await w.service.endRole(pam, { person: other, role: 'partner_admin' })
    await expect(w.service.addPerson(other, { name: 'X', organisation: 'apple' })).rejects.toMatchObject(
      refused('person-unknown'),
    )
  })
})

describe('whoever leaves', () => {
  test('loses roles and logins at once, and comes back as somebody else alone', async () => {
    const person = await aPerson('apple', 'analyst', 'lead')
    const name = { issuer: ISSUER, subject: aSubject() }
    await w.service.giveLogin(w.ada, { person, ...name })
    await w.service.endPerson(pam, person)
    expect(await w.service.findLogin(name)).toBeUndefined()
    expect((await w.service.listPeople()).find((one) => one.person_id === person)).toMatchObject({
      active: false,
      roles: [],
    })
    await expect(w.service.grantRole(w.ada, { person, role: 'analyst' })).rejects.toMatchObject(refused('not-found'))
    await expect(w.service.endPerson(pam, person)).rejects.toMatchObject(refused('not-found'))
  })
  test('leaves two node administrators behind', async () => {
    await expect(w.service.endPerson(w.ada, w.ben)).rejects.toMatchObject(refused('policy-refused'))
  })
  test('leaves a person of governance behind: no administrator alone takes its place', async () => {
    const own = await aWorld()
    const governor = async (name: string): Promise<Uuid> => {
      const { person_id } = await own.service.addPerson(own.ada, { name, organisation: 'council' })
      await own.decide('role.grant', { person: person_id, role: 'governance' })
      return person_id
    }
    const last = { code: 'policy-refused', detail: expect.stringContaining('grant the role to another first') }
    const gil = await governor('Gil')
    const before = (await own.events()).length
    await expect(own.service.endRole(own.ada, { person: gil, role: 'governance' })).rejects.toMatchObject(last)
    await expect(own.service.endPerson(own.ada, gil)).rejects.toMatchObject(last)
    expect((await own.events()).length).toBe(before)
    const kim = await governor('Kim')
    await own.service.endRole(own.ada, { person: gil, role: 'governance' })
    await own.service.endPerson(own.ada, gil)
    await expect(own.service.endPerson(own.ada, kim)).rejects.toMatchObject(last)
    expect((await own.service.listPeople()).find(({ person_id }) => person_id === kim)?.roles).toEqual(['governance'])
    await own.end()
  })
})

describe('the list of requests', () => {
  test('shows what somebody may decide and what has come of it, and nothing to who decides nothing', async () => {
    const payload = { slug: 'listed', name: 'Listed', kind: 'platform' }
    const { request_id } = await w.service.propose('participant.admit', payload, w.ada)
    const seenBy = (person: Uuid) => w.service.requestFor(person, request_id)
    expect(await seenBy(w.ada)).toMatchObject({ ballot: 'self', standing: 'short', votes: [], mayExecute: false })
    expect(await seenBy(w.ben)).toMatchObject({ ballot: 'allowed', standing: 'short' })
    expect(await seenBy(pam)).toBeUndefined()
    await w.service.approve(request_id, w.ben, w.now())
    expect(await seenBy(w.ben)).toMatchObject({ ballot: 'voted', standing: 'ready', mayExecute: true })
    expect((await seenBy(w.ada))?.votes).toMatchObject([{ approver: w.ben, verdict: 'approve' }])
    await w.service.execute(request_id, w.ada)
    expect(await seenBy(w.ben)).toMatchObject({ ballot: 'executed', standing: 'executed' })
    expect(await w.service.endedRequestsFor(pam, { limit: 1 })).toEqual({ rows: [], next: undefined })
  })
  test('has all that waits, however much came after it; what has ended is listed by pages, the newest first', async () => {
    const payload = { slug: 'waits', name: 'Waits', kind: 'platform' }
    const { request_id: waits } = await w.service.propose('participant.admit', payload, w.ada)
    const { request_id: before } = await w.service.propose('participant.admit', payload, w.ada)
    await w.service.cancel(before, w.ada)
    w.pass(1_000)
    // As many newer ones as a list could be cut at.
    await sql`
      insert into approval_request
      select gen_random_uuid(), action, payload, digest, requested_by, requested_org, other_org, needed, ${w.now()}, expires_at, null, last_event, null
      from approval_request, generate_series(1, 200) where request_id = ${waits}`.execute(w.t.owner)
    w.pass(1_000)
    const { request_id: after } = await w.service.propose('participant.admit', payload, w.ada)
    await w.service.cancel(after, w.ada)
    const open = (await w.service.requestsFor(w.ben)).map(({ request_id }) => request_id)
    expect(open).toContain(waits)
    expect(open).not.toContain(before)
    const first = await w.service.endedRequestsFor(w.ben, { limit: 1 })
    expect(first.rows).toMatchObject([{ request_id: after, standing: 'cancelled' }])
    const second = await w.service.endedRequestsFor(w.ben, { after: first.next, limit: 1 })
    expect(second.rows).toMatchObject([{ request_id: before, standing: 'cancelled' }])
  })
})
