import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/db/connect.ts'
import type { FeedDirectory } from '../../src/feeds/directory.ts'
import type { PeerDirectory } from '../../src/http/peer.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { ActionName } from '../../src/participants/action.ts'
import { createAuthority } from '../../src/participants/authority.ts'
import { initProgramme } from '../../src/participants/bootstrap.ts'
import { enrolmentProof, signingKeyProof } from '../../src/participants/schema.ts'
import { anEnrolment, aRequest, aSigner } from './keys.ts'
import { aWorld, NODE_SPKI, NOON, PROGRAMME, TAXONOMY, type World } from './world.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const refused = (code: string) => ({ code })

let w: World
beforeAll(async () => {
  w = await aWorld()
})
afterAll(() => w.end())

let made = 0
const aSlug = (): string => {
  made += 1
  return `fruit-${made}`
}
const epoch = async () => (await w.t.app.selectFrom('authority_epoch').select('epoch').executeTakeFirstOrThrow()).epoch
const rows = async (what: Promise<{ length: number }>) => (await what).length
/** Proposed by Ada, approved by Ben, not executed. */
const approved = async (action: ActionName, payload: unknown): Promise<Uuid> => {
  const { request_id } = await w.service.propose(action, payload, w.ada)
  await w.service.approve(request_id, w.ben, w.now())
  return request_id
}
/** The audience that all of the programme share, whichever place it has among those of a participant. */
const programmeOf = (authority: Pick<World['authority'], 'audiencesOf'>, participant: Uuid) =>
  authority.audiencesOf(participant).find(({ kind }) => kind === 'programme')
const anAdmission = (slug = aSlug()) => ({ slug, name: slug, kind: 'platform' })

describe('bootstrap', () => {
  const init = (change: object = {}) =>
    initProgramme({ admin: w.t.admin, clock: w.clock, recorder: w.recorder }, { ...PROGRAMME, ...change })

  test('makes two administrators, an audience with its feed, and policies, all recorded', async () => {
    const fresh = await aWorld()
    expect((await fresh.events()).map(({ kind }) => kind).sort()).toEqual([
      ...['audience.changed', 'person.added', 'person.added'],
      ...['policy.published', 'policy.published', 'role.changed', 'role.changed'],
    ])
    const people = await fresh.service.listPeople()
    expect(people.map(({ name, roles }) => [name, roles])).toEqual([
      ['Ada', ['node_admin']],
      ['Ben', ['node_admin']],
    ])
    expect(await rows(fresh.t.owner.selectFrom('feed_head').selectAll().execute())).toBe(1)
    expect(fresh.authority.policy('taxonomy')).toMatchObject({ version: 1, body: TAXONOMY })
    await fresh.end()
  })
  test('again with the same names changes nothing', async () => {
    const before = await rows(w.events())
    expect(await init()).toMatchObject({
      created: false,
      programme_id: w.programme.programme_id,
      admins: [w.ada, w.ben],
    })
    expect(await rows(w.events())).toBe(before)
  })
  test.for(['slug', 'trust_domain'])('again with another %s is refused by that name', async (name) => {
    await expect(init({ [name]: 'another' })).rejects.toMatchObject({
      code: 'state-conflict',
      detail: expect.stringContaining(name),
    })
  })
  test('again with another administrator is refused', async () => {
    const admins = [PROGRAMME.admins[0], { name: 'Eve', organisation: 'orchard-office' }] as const
    await expect(init({ admins })).rejects.toMatchObject(refused('state-conflict'))
  })
  test('of one person twice, or of an origin with a path, is refused', async () => {
    await expect(init({ admins: [PROGRAMME.admins[0], PROGRAMME.admins[0]] })).rejects.toMatchObject(
      refused('validation-failed'),
    )
    await expect(init({ node_origin: 'https://node.example.org/' })).rejects.toMatchObject(refused('validation-failed'))
  })
})

describe('people', () => {
  const add = (name: string, organisation = 'orchard-office') => w.service.addPerson(w.ada, { name, organisation })

  test("an administrator adds a person and gives a partner's role, alone", async () => {
    const { person_id } = await add('Cleo', 'apple-house')
    await w.service.grantRole(w.ada, { person: person_id, role: 'analyst' })
    expect((await w.service.listPeople()).find((one) => one.person_id === person_id)?.roles).toEqual(['analyst'])
    await w.service.endRole(w.ben, { person: person_id, role: 'analyst' })
    expect((await w.service.listPeople()).find((one) => one.person_id === person_id)?.roles).toEqual([])
  })
  test.for(['node_admin', 'governance', 'observer'] as const)('%s is given by two', async (role) => {
    const { person_id } = await add(`for ${role}`)
    await expect(w.service.grantRole(w.ada, { person: person_id, role })).rejects.toMatchObject(
      refused('approval-missing'),
    )
  })
  test('who is no administrator does nothing here', async () => {
    const { person_id } = await add('Dan')
    const attempts = [
      w.service.addPerson(person_id, { name: 'Eve', organisation: 'orchard-office' }),
      w.service.grantRole(person_id, { person: person_id, role: 'lead' }),
      w.service.endRole(person_id, { person: w.ada, role: 'node_admin' }),
      w.service.propose('participant.admit', anAdmission(), person_id),
      w.service.suspend(person_id, { participant: 'apple', reason: 'test' }),
    ]
    for (const outcome of await Promise.allSettled(attempts))
      expect(outcome).toMatchObject({ status: 'rejected', reason: refused('person-unknown') })
  })
  test('an administrator is given no role that reads signals', async () => {
    const attempt = w.service.grantRole(w.ada, { person: w.ben, role: 'analyst' })
    await expect(attempt).rejects.toMatchObject(refused('policy-refused'))
  })
  test('an administrator grants itself no role, and another does', async () => {
    const grant = { person: w.ada, role: 'partner_admin' } as const
    const before = await rows(w.events())
    await expect(w.service.grantRole(w.ada, grant)).rejects.toMatchObject(refused('policy-refused'))
    expect(await rows(w.events())).toBe(before)
    await w.service.grantRole(w.ben, grant)
    await w.service.endRole(w.ben, grant)
  })
  test('the last two administrators stay', async () => {
    await expect(w.service.endRole(w.ada, { person: w.ben, role: 'node_admin' })).rejects.toMatchObject(
      refused('policy-refused'),
    )
  })
  test('the log names a person by id, never by name', async () => {
    await add('Xanthippe Unmistakable')
    const dump = await sql<{ all: string }>`select string_agg(r::text, '') as all from prov_record r`.execute(w.t.owner)
    expect(dump.rows[0]?.all).not.toContain('Xanthippe')
  })
})

describe('approvals', () => {
  test('one proposes, another approves, then it is done and recorded', async () => {
    const slug = aSlug()
    expect(await w.recorded(() => w.admit(slug))).toEqual([
      ...['approval.executed', 'approval.given', 'approval.requested', 'participant.admitted'],
    ])
    expect(w.authority.participantBySlug(slug)).toMatchObject({ kind: 'platform', status: 'active' })
  })
  test('the act stands in the log after the approval', async () => {
    const request = await approved('participant.admit', anAdmission())
    const given = await w.t.owner
      .selectFrom('approval')
      .select('last_event')
      .where('request_id', '=', request)
      .executeTakeFirstOrThrow()
    await w.service.execute(request, w.ben)
    const after = await w.t.owner
      .selectFrom('prov_outbox')
      .select('after')
      .where('after', '=', given.last_event)
      .execute()
    expect(after).toHaveLength(2)
  })
  test('the proposer does not approve', async () => {
    const { request_id } = await w.service.propose('participant.admit', anAdmission(), w.ada)
    await expect(w.service.approve(request_id, w.ada, w.now())).rejects.toMatchObject(refused('self-approval'))
    await expect(w.service.execute(request_id, w.ada)).rejects.toMatchObject(refused('approval-missing'))
  })
  test('a sign-in of more than five minutes does not count', async () => {
    const { request_id } = await w.service.propose('participant.admit', anAdmission(), w.ada)
    const stale = new Date(w.now().getTime() - 5 * MINUTE)
    await expect(w.service.approve(request_id, w.ben, stale)).rejects.toMatchObject(refused('approval-refused'))
  })
  test('two that execute at once do it once', async () => {
    const slug = aSlug()
    const request = await approved('participant.admit', anAdmission(slug))
    const both = await Promise.allSettled([w.service.execute(request, w.ada), w.service.execute(request, w.ben)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find((one) => one.status === 'rejected')?.reason).toMatchObject(refused('approval-refused'))
    expect(await rows(w.t.owner.selectFrom('participant').select('slug').where('slug', '=', slug).execute())).toBe(1)
  })
  test('a rejection says why, to whoever may see the request; words that name a person are refused with nothing decided', async () => {
    const { request_id } = await w.service.propose('participant.admit', anAdmission(), w.ada)
    const votes = async () => (await w.service.requestFor(w.ada, request_id))?.votes ?? []
    const raw = w.service.reject(request_id, w.ben, w.now(), 'ask fig@mail.example')
    await expect(raw).rejects.toMatchObject({ code: 'raw-identifier', errors: [{ pointer: '/note' }] })
    expect(await votes()).toEqual([])
    await w.service.reject(request_id, w.ben, w.now(), 'its agreement is of last year')
    expect(await votes()).toMatchObject([{ verdict: 'reject', note: 'its agreement is of last year' }])
    expect(JSON.stringify(await w.events())).not.toContain('of last year')
  })
  test('a rejection ends the request, also after an approval', async () => {
    const { person_id } = await w.service.addPerson(w.ada, { name: 'Fay', organisation: 'orchard-office' })
    await w.decide('role.grant', { person: person_id, role: 'node_admin' })
    const request = await approved('participant.admit', anAdmission())
    await w.service.reject(request, person_id, w.now())
    await expect(w.service.execute(request, w.ada)).rejects.toMatchObject(refused('approval-refused'))
    await w.service.endRole(w.ada, { person: person_id, role: 'node_admin' })
  })
  test('a rejection that comes while the act is under way waits, and is too late', async () => {
    const { person_id } = await w.service.addPerson(w.ada, { name: 'Gus', organisation: 'orchard-office' })
    await w.decide('role.grant', { person: person_id, role: 'node_admin' })
    const request = await approved('participant.admit', anAdmission())
    const [done, late] = await Promise.allSettled([
      w.service.execute(request, w.ada),
      new Promise((go) => setTimeout(go, 5)).then(() => w.service.reject(request, person_id, w.now())),
    ])
    // Whichever held the row first wins, and the other is told.
    expect([done.status, late.status].sort()).toEqual(['fulfilled', 'rejected'])
    const lost = done.status === 'rejected' ? done.reason : late.status === 'rejected' ? late.reason : undefined
    expect(lost).toMatchObject(refused('approval-refused'))
    await w.service.endRole(w.ada, { person: person_id, role: 'node_admin' })
  })
  test('an approver that lost the role in between approves nothing', async () => {
    const { person_id } = await w.service.addPerson(w.ada, { name: 'Hal', organisation: 'orchard-office' })
    await w.decide('role.grant', { person: person_id, role: 'node_admin' })
    const { request_id } = await w.service.propose('participant.admit', anAdmission(), w.ada)
    await w.service.approve(request_id, person_id, w.now())
    await w.service.endRole(w.ben, { person: person_id, role: 'node_admin' })
    await expect(w.service.execute(request_id, w.ada)).rejects.toMatchObject(refused('approval-missing'))
  })
  test('a payload that was changed in the database is not executed', async () => {
    const request = await approved('participant.admit', anAdmission())
    await w.t.owner.transaction().execute(async (tx) => {
      await sql`alter table approval_request drop constraint approval_request_check`.execute(tx)
      await sql`update approval_request set payload = replace(payload, 'platform', 'observer') where request_id = ${request}`.execute(
        tx,
      )
    })
    await expect(w.service.execute(request, w.ada)).rejects.toMatchObject(refused('approval-refused'))
  })
  test('after three days it is too late', async () => {
    const other = await aWorld()
    const { request_id } = await other.service.propose('participant.admit', anAdmission(), other.ada)
    await other.service.approve(request_id, other.ben, other.now())
    other.pass(3 * DAY)
    await expect(other.service.execute(request_id, other.ada)).rejects.toMatchObject(refused('approval-refused'))
    expect(await other.service.openRequests()).toEqual([])
    await other.end()
  })
  test('an act that was committed is answered as done also where this process cannot read it yet', async () => {
    const other = await aWorld()
    await other.admit('apple')
    await sql`revoke select on authority_epoch from aldis_app`.execute(other.t.owner)
    const code = await other.code('apple')
    expect(code).toMatch(/^[0-9a-f]{16}\./)
    await other.service.suspend(other.ada, { participant: 'apple', reason: 'key_theft' })
    expect(other.stale).not.toEqual([])
    expect(other.authority.participantBySlug('apple')?.status).toBe('active')
    await sql`grant select on authority_epoch to aldis_app`.execute(other.t.owner)
    await other.authority.refresh()
    expect(other.authority.participantBySlug('apple')?.status).toBe('suspended')
    await other.end()
  })
  test('a payload of another shape is refused when it is proposed, by its member', async () => {
    const attempt = w.service.propose('participant.admit', { ...anAdmission(), kind: 'government' }, w.ada)
    await expect(attempt).rejects.toMatchObject({ code: 'validation-failed', errors: [{ pointer: '/payload/kind' }] })
    const wider = w.service.propose('participant.admit', { ...anAdmission(), extra: 1 }, w.ada)
    await expect(wider).rejects.toMatchObject(refused('validation-failed'))
  })
  test('an act that fails leaves its request open and nothing changed', async () => {
    const slug = aSlug()
    await w.admit(slug)
    const request = await approved('participant.admit', anAdmission(slug))
    const before = await rows(w.events())
    await expect(w.service.execute(request, w.ada)).rejects.toMatchObject(refused('state-conflict'))
    expect(await rows(w.events())).toBe(before)
    expect((await w.service.openRequests()).map(({ request_id }) => request_id)).toContain(request)
  })
  test("where somebody holds governance, administrators no longer approve each other's admissions", async () => {
    const other = await aWorld()
    const { person_id } = await other.service.addPerson(other.ada, { name: 'Gov', organisation: 'council' })
    await other.decide('role.grant', { person: person_id, role: 'governance' })
    const { request_id } = await other.service.propose('participant.admit', anAdmission(), other.ada)
    await expect(other.service.approve(request_id, other.ben, other.now())).rejects.toMatchObject(
      refused('person-unknown'),
    )
    await other.service.approve(request_id, person_id, other.now())
    await other.service.execute(request_id, other.ada)
    await other.end()
  })
})

describe('people of a participant that is suspended', () => {
  /** A programme whose administrators admitted the council, with people of governance of these organisations. */
  async function governedBy(...organisations: string[]) {
    const other = await aWorld()
    await other.admit('council', 'observer')
    const people: Uuid[] = []
    for (const organisation of organisations) {
      const { person_id } = await other.service.addPerson(other.ada, { name: `Gov of ${organisation}`, organisation })
      await approvedBy(other, people[0] ?? other.ben, 'role.grant', { person: person_id, role: 'governance' })
      people.push(person_id)
    }
    return { other, people }
  }
  async function approvedBy(other: World, by: Uuid, ...[action, payload]: Parameters<World['decide']>) {
    const { request_id } = await other.service.propose(action, payload, other.ada)
    await other.service.approve(request_id, by, other.now())
    await other.service.execute(request_id, other.ada)
  }

  test('propose, answer and carry out nothing, and what they approved counts again once it is let in', async () => {
    const { other, people } = await governedBy('orchard-office', 'council')
    const [eve = other.ada, gov = other.ada] = people
    const { request_id } = await other.service.propose('participant.admit', anAdmission(), other.ada)
    await other.service.approve(request_id, gov, other.now())
    await other.service.suspend(other.ben, { participant: 'council', reason: 'key_theft' })
    await expect(other.service.execute(request_id, other.ada)).rejects.toMatchObject(refused('approval-missing'))
    const next = await other.service.propose('participant.admit', anAdmission(), other.ada)
    for (const by of [gov, other.ben])
      await expect(other.service.approve(next.request_id, by, other.now())).rejects.toMatchObject(
        refused('person-unknown'),
      )
    await expect(other.service.cancel(next.request_id, gov)).rejects.toMatchObject(refused('person-unknown'))
    expect(await other.service.requestsFor(gov)).toEqual([])
    // What they were granted is still theirs, and shown.
    expect((await other.service.listPeople()).find(({ person_id }) => person_id === gov)?.roles).toEqual(['governance'])
    await approvedBy(other, eve, 'participant.resume', { participant: 'council' })
    await other.service.execute(request_id, other.ada)
    await other.end()
  })
  test('are never the last who hold a role that somebody must hold: it is granted to another first', async () => {
    const { other, people } = await governedBy('council')
    const suspend = () => other.service.suspend(other.ben, { participant: 'council', reason: 'key_theft' })
    expect(await other.recorded(() => expect(suspend()).rejects.toMatchObject(refused('policy-refused')))).toEqual([])
    expect(other.authority.participantBySlug('council')?.status).toBe('active')
    const { person_id } = await other.service.addPerson(other.ada, { name: 'Eve', organisation: 'orchard-office' })
    await approvedBy(other, people[0] ?? other.ada, 'role.grant', { person: person_id, role: 'governance' })
    await suspend()
    await expect(other.service.endRole(other.ben, { person: person_id, role: 'governance' })).rejects.toMatchObject(
      refused('policy-refused'),
    )
    await other.end()
  })
})

describe('participants', () => {
  test("one that is admitted has an inbox and is in the programme's audience; an observer only the inbox", async () => {
    const [platform, observer] = [await w.admit(aSlug()), await w.admit(aSlug(), 'observer')]
    expect(
      w.authority
        .feedsOf(platform)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['audience', 'inbox'])
    expect(w.authority.feedsOf(observer).map(({ kind }) => kind)).toEqual(['inbox'])
    const everybody = programmeOf(w.authority, platform)
    expect(everybody?.kind).toBe('programme')
    expect(everybody && w.authority.mayShareInto(platform, everybody.audience_id)).toBe(true)
    expect(everybody && w.authority.mayShareInto(observer, everybody.audience_id)).toBe(false)
  })
  test('suspension takes one person, shows at once, and two end it', async () => {
    const slug = aSlug()
    await w.admit(slug)
    const before = await epoch()
    await w.service.suspend(w.ben, { participant: slug, reason: 'key_theft' })
    expect(await epoch()).toBe(before + 1n)
    expect(w.authority.participantBySlug(slug)?.status).toBe('suspended')
    await expect(w.service.suspend(w.ben, { participant: slug, reason: 'key_theft' })).rejects.toMatchObject(
      refused('state-conflict'),
    )
    await w.decide('participant.resume', { participant: slug })
    expect(w.authority.participantBySlug(slug)?.status).toBe('active')
  })
  test('suspension by another process shows after the next look', async () => {
    const slug = aSlug()
    const id = await w.admit(slug)
    const enrolled = await w.service.enrol(await anEnrolment(await w.code(slug)))
    const spki = await spkiOf(enrolled.credential)
    const other = createAuthority({ db: w.t.app, clock: w.clock, intervalMs: 20 })
    const told: string[] = []
    await other.refresh()
    other.onChange((pin) => told.push(pin))
    other.start()
    await w.service.suspend(w.ada, { participant: slug, reason: 'test' })
    await expect.poll(() => other.find(spki)?.participant_status).toBe('suspended')
    expect(told).toEqual([spki])
    const everybody = programmeOf(other, id)
    expect(everybody && other.mayShareInto(id, everybody.audience_id)).toBe(false)
    await other.stop()
  })
  test('a participant that leaves loses keys and audiences, and keeps its place until then', async () => {
    const slug = aSlug()
    const id = await w.admit(slug)
    const { credential, kid } = await w.service.enrol(await anEnrolment(await w.code(slug)))
    const spki = await spkiOf(credential)
    await w.decide('group.create', { slug: `g-${slug}`, name: 'G', mode: 'full', members: [slug] })
    await w.decide('participant.offboard', { participant: slug, reason: 'own_wish' })
    expect(w.authority.find(spki)).toMatchObject({ status: 'revoked', participant_status: 'left' })
    expect(w.authority.signingKey(id, kid)).toBeUndefined()
    expect(w.authority.signingKeys(id).map(({ status }) => status)).toEqual(['retired'])
    expect(w.authority.audiencesOf(id)).toEqual([])
    expect(w.authority.feedsOf(id).flatMap(({ kind, until_seq }) => (kind === 'audience' ? [until_seq] : []))).toEqual([
      0n,
      0n,
    ])
    const resumed = await approved('participant.resume', { participant: slug })
    await expect(w.service.execute(resumed, w.ada)).rejects.toMatchObject(refused('state-conflict'))
  })
  test('nobody is admitted as the node, or under a name in use', async () => {
    const request = await approved('participant.admit', anAdmission('node'))
    await expect(w.service.execute(request, w.ada)).rejects.toMatchObject(refused('policy-refused'))
  })
})

describe('groups', () => {
  const position = (audience: Uuid, next_seq: bigint) =>
    w.t.owner.updateTable('feed_head').set({ next_seq }).where('feed_id', '=', w.authority.feedOf(audience)).execute()
  const placeOf = (participant: Uuid, audience: Uuid) =>
    w.authority.feedsOf(participant).find(({ audience_id }) => audience_id === audience)

  test('who joins sees the whole history, who leaves sees what there was, who comes back sees all again', async () => {
    const [first, second, group] = [aSlug(), aSlug(), aSlug()]
    await w.admit(first)
    const joiner = await w.admit(second)
    await w.decide('group.create', { slug: group, name: group, mode: 'full', members: [first] })
    const audience = w.authority.groupAudience(group)?.audience_id ?? newId(NOON)
    await position(audience, 8n)
    await w.decide('group.change', { group, join: [second], leave: [], history: 'included' })
    expect(placeOf(joiner, audience)).toMatchObject({ from_seq: 1n, until_seq: null })
    await position(audience, 12n)
    await w.decide('group.change', { group, join: [], leave: [second] })
    expect(placeOf(joiner, audience)).toMatchObject({ from_seq: 1n, until_seq: 11n })
    expect(w.authority.mayShareInto(joiner, audience)).toBe(false)
    w.pass(1)
    await w.decide('group.change', { group, join: [second], leave: [], history: 'included' })
    expect(placeOf(joiner, audience)).toMatchObject({ from_seq: 1n, until_seq: null })
  })
  test('a member does not join, a stranger does not leave, an observer is in no group', async () => {
    const [member, observer, group] = [aSlug(), aSlug(), aSlug()]
    await w.admit(member)
    await w.admit(observer, 'observer')
    await w.decide('group.create', { slug: group, name: group, mode: 'full', members: [member] })
    for (const [join, leave, code] of [
      [[member], [], 'state-conflict'],
      [[], [observer], 'state-conflict'],
      [[observer], [], 'validation-failed'],
      [['nobody-here'], [], 'validation-failed'],
    ] as const) {
      const request = await approved('group.change', { group, join: [...join], leave: [...leave] })
      await expect(w.service.execute(request, w.ada)).rejects.toMatchObject(refused(code))
    }
  })
  test('a key epoch whose time is over is retired, though nobody said so', async () => {
    const [not_before, not_after] = ['2026-02-01T00:00:00Z', '2026-03-01T11:59:59Z']
    await w.decide('hash-profile.publish', { kid: 'winter', suite: 'hmac-sha256', not_before, not_after })
    expect(w.authority.hashProfile('winter')?.status).toBe('retired')
    expect(w.authority.hashProfiles().find(({ kid }) => kid === 'winter')?.status).toBe('retired')
  })
  test('a collection is held by two persons, once, and released by two', async () => {
    const collection = { region: 'DE', legal_basis: 'terms_of_service', surface: 'private' } as const
    expect(await w.recorded(() => w.decide('collection.hold', { ...collection, held: true }))).toContain(
      'collection.held',
    )
    expect(w.authority.held(collection)).toBe(true)
    expect(w.authority.held({ ...collection, surface: 'public' })).toBe(false)
    const again = await approved('collection.hold', { ...collection, held: true })
    await expect(w.service.execute(again, w.ada)).rejects.toMatchObject(refused('state-conflict'))
    await w.decide('collection.hold', { ...collection, held: false })
    expect(w.authority.held(collection)).toBe(false)
  })
  test('a sealed audience takes what has a match key, and its feed is known as sealed', async () => {
    const [owner, other] = [aSlug(), aSlug()]
    const me = await w.admit(owner)
    await w.admit(other)
    const id = newId(NOON)
    await w.service.openAudience(me, id, { label: 'Sealed', mode: 'sealed', members: [other] })
    await w.decide('group.create', { slug: `g-${owner}`, name: 'G', mode: 'sealed', members: [owner] })
    const group = w.authority.groupAudience(`g-${owner}`)?.audience_id ?? id
    expect([id, group].map((one) => w.authority.isSealed(w.authority.feedOf(one)))).toEqual([true, true])
    expect(w.authority.sealedFeeds()).toEqual(expect.arrayContaining([w.authority.feedOf(id)]))
    const everybody = programmeOf(w.authority, me)
    expect(w.authority.isSealed(w.authority.feedOf(everybody?.audience_id ?? id))).toBe(false)
    const refusal = (type: string) => w.authority.shareRefusal(me, { audience: id, tlp: 'amber', type })
    expect(['email', 'url', 'media_hash'].map(refusal)).toEqual([undefined, undefined, undefined])
    expect(['keyword_pattern', 'tactic', 'relation'].map(refusal)).toEqual(Array(3).fill('audience-sealed'))
  })
  test('a participant makes a named audience, and its record is its own', async () => {
    const [owner, other, stranger] = [aSlug(), aSlug(), aSlug()]
    const me = await w.admit(owner)
    await w.admit(other)
    const third = await w.admit(stranger)
    const before = await epoch()
    const named = { label: 'Two of us', mode: 'full', members: [other] } as const
    const id = newId(NOON)
    const { created, audience: info } = await w.service.openAudience(me, id, { ...named, members: [other] })
    expect([created, info.audience]).toEqual([true, id])
    expect(info).toMatchObject({ kind: 'named', may_share: true, members: [owner, other].sort() })
    expect(await epoch()).toBe(before + 1n)
    expect(w.authority.mayShareInto(third, info.audience)).toBe(false)
    const record = await w.t.owner.selectFrom('prov_record').select('kind').where('participant_id', '=', me).execute()
    expect(record).toEqual([{ kind: 'audience.changed' }])
    expect(w.authority.shareRefusal(me, { audience: info.audience, tlp: 'red', type: 'email' })).toBeUndefined()
    expect(w.authority.shareRefusal(third, { audience: info.audience, tlp: 'red', type: 'email' })).toBe(
      'audience-unknown',
    )
    const everybody = programmeOf(w.authority, third)
    if (everybody === undefined) throw new Error('no audience')
    expect(w.authority.shareRefusal(me, { audience: everybody.audience_id, tlp: 'red', type: 'url' })).toBe(
      'tlp-refused',
    )
  })
})

describe('a named audience', () => {
  test('that is asked for again changes nothing, not even the epoch, and is answered as before', async () => {
    const [owner, other] = [aSlug(), aSlug()]
    const me = await w.admit(owner)
    await w.admit(other)
    const id = newId(NOON)
    const ask = () => w.service.openAudience(me, id, { label: 'Two of us', mode: 'full', members: [other] })
    const first = await ask()
    const before = await epoch()
    expect(await w.recorded(async () => expect(await ask()).toEqual({ ...first, created: false }))).toEqual([])
    expect(await epoch()).toBe(before)
  })
  test('is made once by those who ask for it at once', async () => {
    const [owner, other] = [aSlug(), aSlug()]
    const me = await w.admit(owner)
    await w.admit(other)
    const id = newId(NOON)
    const before = await epoch()
    const both = await Promise.all(
      [1, 2].map(() => w.service.openAudience(me, id, { label: 'Two of us', mode: 'full', members: [other] })),
    )
    expect(both.map(({ created }) => created).sort()).toEqual([false, true])
    expect(await epoch()).toBe(before + 1n)
  })
  test('keeps its mode: its owner is told by name, and nothing changes', async () => {
    const [owner, other] = [aSlug(), aSlug()]
    const [me, stranger] = [await w.admit(owner), await w.admit(other)]
    const id = newId(NOON)
    for (const [mode, wanted] of [
      ['sealed', 'full'],
      ['full', 'sealed'],
    ] as const) {
      const named = { label: `A ${mode} one`, members: [other] }
      const own = mode === 'sealed' ? id : newId(NOON)
      await w.service.openAudience(me, own, { ...named, mode })
      const change = w.service.openAudience(me, own, { ...named, mode: wanted })
      await expect(change).rejects.toMatchObject(refused('audience-mode-fixed'))
      expect(w.authority.audience(own)?.mode).toBe(mode)
    }
    const others = w.service.openAudience(stranger, id, { label: 'A sealed one', mode: 'full', members: [owner] })
    await expect(others).rejects.toMatchObject(refused('state-conflict'))
  })
  test('is told apart from one of another owner in no way but that its id is taken', async () => {
    const [owner, other] = [aSlug(), aSlug()]
    const [me, stranger] = [await w.admit(owner), await w.admit(other)]
    const id = newId(NOON)
    const named = { label: 'Two of us', mode: 'full', members: [other] } as const
    await w.service.openAudience(me, id, { ...named, members: [other] })
    const said = (by: Uuid, label: string) =>
      w.service.openAudience(by, id, { ...named, label, members: [owner] }).catch((error: unknown) => String(error))
    expect(await said(stranger, named.label)).toContain('state-conflict')
    expect(await said(stranger, named.label)).toBe(await said(me, 'Another name'))
  })
})

describe('publications', () => {
  test('a hash profile is made, published once, and retired', async () => {
    const profile = {
      kid: 'hmac-2026-1',
      suite: 'hmac-sha256',
      not_before: '2026-03-01T00:00:00Z',
      not_after: '2026-06-01T00:00:00Z',
    } as const
    await w.decide('hash-profile.publish', profile)
    expect(w.hashKeys.filter((kid) => kid === profile.kid)).toEqual([profile.kid])
    expect(w.authority.hashProfile('hmac-2026-1')).toMatchObject({ status: 'active', suite: 'hmac-sha256' })
    const again = await approved('hash-profile.publish', profile)
    await expect(w.service.execute(again, w.ada)).rejects.toMatchObject(refused('state-conflict'))
    await w.decide('hash-profile.retire', { kid: 'hmac-2026-1' })
    expect(w.authority.hashProfile('hmac-2026-1')?.status).toBe('retired')
  })
  test('a report is published by governance of two organisations, once its period is over', async () => {
    const own = await aWorld()
    const govern = async (name: string, organisation: string): Promise<Uuid> => {
      const { person_id } = await own.service.addPerson(own.ada, { name, organisation })
      const { request_id } = await own.service.propose('role.grant', { person: person_id, role: 'governance' }, own.ada)
      await own.service.approve(request_id, own.ben, own.now())
      await own.service.execute(request_id, own.ada)
      return person_id
    }
    const [gil, gus, kim] = [
      await govern('Gil', 'council'),
      await govern('Gus', 'council'),
      await govern('Kim', 'assembly'),
    ]
    const instant = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`
    const now = own.now().getTime()
    const report = { from: instant(now - 86_400_000), to: instant(now - 1_000), log_size: 9, digest: 'ab'.repeat(32) }
    await expect(own.service.propose('report.publish', report, own.ada)).rejects.toMatchObject(
      refused('person-unknown'),
    )
    const { request_id } = await own.service.propose('report.publish', report, gil)
    await expect(own.service.approve(request_id, gus, own.now())).rejects.toMatchObject(refused('self-approval'))
    await own.service.approve(request_id, kim, own.now())
    await own.service.execute(request_id, gil)
    const second = await own.service.propose('report.publish', { ...report, format: 'aldis-report/2' }, gil)
    await own.service.approve(second.request_id, kim, own.now())
    await own.service.execute(second.request_id, gil)
    expect((await own.said('report.published', 'queries')).toSorted()).toEqual(['aldis-report/1', 'aldis-report/2'])
    const early = await own.service.propose('report.publish', { ...report, to: instant(now + 86_400_000) }, gil)
    await own.service.approve(early.request_id, kim, own.now())
    await expect(own.service.execute(early.request_id, gil)).rejects.toMatchObject(refused('validation-failed'))
    await own.end()
  })
  test("a policy's version goes up, and the older one stays known", async () => {
    const body = '{"version":2,"categories":[]}'
    await w.decide('policy.publish', { kind: 'taxonomy', version: 2, body })
    expect(w.authority.policy('taxonomy')?.body).toBe(body)
    expect(w.authority.policy('taxonomy', 1)?.body).toBe(TAXONOMY)
    const older = await approved('policy.publish', { kind: 'taxonomy', version: 2, body })
    await expect(w.service.execute(older, w.ada)).rejects.toMatchObject(refused('state-conflict'))
    const broken = await approved('policy.publish', { kind: 'taxonomy', version: 3, body: '{"a":1,"a":2}' })
    await expect(w.service.execute(broken, w.ada)).rejects.toMatchObject(refused('json-strict'))
  })
  test.for(['taxonomy', 'retention'] as const)(
    'a %s policy that no submission could be read by is not published',
    async (kind) => {
      const request = await approved('policy.publish', { kind, version: 99, body: '{}' })
      const [current, events] = [w.authority.policy(kind), await rows(w.events())]
      await expect(w.service.execute(request, w.ada)).rejects.toMatchObject(refused('validation-failed'))
      expect([w.authority.policy(kind), await rows(w.events())]).toEqual([current, events])
    },
  )
})

const spkiOf = async (credential: string): Promise<string> => {
  const row = await w.t.owner
    .selectFrom('credential')
    .select('spki')
    .where('credential_id', '=', credential as Uuid)
    .executeTakeFirstOrThrow()
  return row.spki.toString('hex')
}

describe('enrolment', () => {
  const member = async (): Promise<{ id: Uuid; slug: string }> => {
    const slug = aSlug()
    return { id: await w.admit(slug), slug }
  }

  test('pins the key, registers the signing key, and is recorded', async () => {
    const { id, slug } = await member()
    const code = await w.code(slug)
    const request = await anEnrolment(code)
    let credential = ''
    const kinds = await w.recorded(async () => {
      const result = await w.service.enrol(request)
      expect(result).toMatchObject({ participant: slug, uri: `spiffe://orchard.example/participant/${slug}` })
      credential = result.credential
    })
    expect(kinds).toEqual(['credential.enrolled', 'credential.enrolled'])
    expect(w.authority.find(await spkiOf(credential))).toMatchObject({
      ...{
        participant: id,
        slug,
        status: 'active',
        participant_status: 'active',
        scopes: ['signals:submit', 'feed:read'],
      },
      not_after: new Date(w.now().getTime() + 90 * DAY),
    })
    expect(w.authority.signingKeys(id)).toMatchObject([{ alg: 'Ed25519', status: 'active' }])
  })
  test('the code is not kept, only its digest', async () => {
    const { slug } = await member()
    const code = await w.code(slug)
    expect(code.startsWith(`${NODE_SPKI.slice(0, 16)}.`)).toBe(true)
    const dump = await sql<{ all: string }>`select string_agg(e::text, '') as all from enrolment e`.execute(w.t.owner)
    expect(dump.rows[0]?.all).not.toContain(code.slice(17))
  })
  test('a code works once, also for two at once', async () => {
    const { slug } = await member()
    const code = await w.code(slug)
    const both = await Promise.allSettled([
      w.service.enrol(await anEnrolment(code)),
      w.service.enrol(await anEnrolment(code)),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(w.service.enrol(await anEnrolment(code))).rejects.toMatchObject(refused('enrolment-refused'))
  })
  test('a code ends after 30 minutes', async () => {
    const { slug } = await member()
    const code = await w.code(slug)
    w.pass(30 * MINUTE)
    await expect(w.service.enrol(await anEnrolment(code))).rejects.toMatchObject(refused('enrolment-refused'))
  })
  test('the fifth faulty request uses the code up, and each is recorded', async () => {
    const { slug } = await member()
    const code = await w.code(slug)
    const good = await anEnrolment(code)
    const kinds = await w.recorded(async () => {
      for (let n = 0; n < 5; n += 1) {
        const fault = n % 2 === 0 ? { proof: 'A'.repeat(86) } : { csr_pem: 'apple' }
        const code = n % 2 === 0 ? 'signature-invalid' : 'certificate-request-refused'
        await expect(w.service.enrol({ ...good, ...fault })).rejects.toMatchObject(refused(code))
      }
    })
    expect(kinds).toEqual(Array(5).fill('anomaly.acted'))
    await expect(w.service.enrol(good)).rejects.toMatchObject(refused('enrolment-refused'))
  })
  test('four faulty requests leave a fifth that is good', async () => {
    const { slug } = await member()
    const good = await anEnrolment(await w.code(slug))
    for (let n = 0; n < 4; n += 1) await expect(w.service.enrol({ ...good, csr_pem: 'apple' })).rejects.toThrow()
    await w.service.enrol(good)
  })
  test('an invented code, and one of another node, are refused alike', async () => {
    const { slug } = await member()
    const code = await w.code(slug)
    for (const other of [`${code.slice(0, -1)}${code.endsWith('a') ? 'b' : 'a'}`, `${'0'.repeat(16)}${code.slice(16)}`])
      await expect(w.service.enrol(await anEnrolment(other))).rejects.toMatchObject(refused('enrolment-refused'))
  })
  test('a proof for another TLS key is none', async () => {
    const { slug } = await member()
    const code = await w.code(slug)
    const signer = aSigner()
    const [mine, thiefs] = [await aRequest(), await aRequest()]
    const proof = signer.sign(enrolmentProof(code, mine.pin))
    const attempt = w.service.enrol({ code, csr_pem: thiefs.pem, signing_jwk: signer.jwk, proof })
    await expect(attempt).rejects.toMatchObject(refused('signature-invalid'))
  })
  test('a participant suspended meanwhile does not enrol', async () => {
    const { slug } = await member()
    const code = await w.code(slug)
    await w.service.suspend(w.ada, { participant: slug, reason: 'test' })
    await expect(w.service.enrol(await anEnrolment(code))).rejects.toMatchObject(refused('enrolment-refused'))
  })
  test('scopes that the kind cannot have are refused when the code is opened', async () => {
    const slug = aSlug()
    await w.admit(slug, 'observer')
    const request = await approved('credential.enrol', { participant: slug, label: 'main', scopes: ['signals:submit'] })
    await expect(w.service.execute(request, w.ada)).rejects.toMatchObject(refused('policy-refused'))
  })
  test('a second key of a label overlaps 14 days with the first; a third is refused', async () => {
    const { slug } = await member()
    const first = await w.service.enrol(await anEnrolment(await w.code(slug)))
    w.pass(DAY)
    await w.service.enrol(await anEnrolment(await w.code(slug)))
    const old = w.authority.find(await spkiOf(first.credential))
    expect(old).toMatchObject({ status: 'active', not_after: new Date(w.now().getTime() + 14 * DAY) })
    const third = anEnrolment(await w.code(slug))
    await expect(w.service.enrol(await third)).rejects.toMatchObject(refused('policy-refused'))
    await w.service.enrol(await anEnrolment(await w.code(slug, 'second machine')))
  })
})

describe('renewal', () => {
  const enrolled = async () => {
    const slug = aSlug()
    const id = await w.admit(slug)
    const code = await w.code(slug)
    const signer = aSigner()
    const request = await aRequest()
    const proof = signer.sign(enrolmentProof(code, request.pin))
    const { credential } = await w.service.enrol({ code, csr_pem: request.pem, signing_jwk: signer.jwk, proof })
    return { slug, request, peer: { participant: id, credential } }
  }

  test('gives a new certificate for the same key and no other', async () => {
    const { peer, request } = await enrolled()
    const { pem } = await aRequest(request.keys)
    expect(await w.service.renew(peer, pem)).toMatchObject({
      not_after: new Date(w.now().getTime() + 7 * DAY).toISOString(),
    })
    await expect(w.service.renew(peer, (await aRequest()).pem)).rejects.toMatchObject(
      refused('certificate-request-refused'),
    )
    const other = await enrolled()
    await expect(w.service.renew(peer, other.request.pem)).rejects.toMatchObject(refused('certificate-request-refused'))
  })
  test('is refused while suspended, and for good once revoked', async () => {
    const { peer, slug, request } = await enrolled()
    await w.service.suspend(w.ada, { participant: slug, reason: 'test' })
    await expect(w.service.renew(peer, request.pem)).rejects.toMatchObject(refused('participant-suspended'))
    await w.decide('participant.resume', { participant: slug })
    await w.service.renew(peer, request.pem)
    await w.service.revokeCredential(w.ben, { credential: peer.credential, reason: 'key_theft' })
    await expect(w.service.renew(peer, request.pem)).rejects.toMatchObject(refused('credential-not-enrolled'))
    expect(w.authority.find(request.pin)?.status).toBe('revoked')
  })
})

describe('signing keys', () => {
  const enrolled = async () => {
    const slug = aSlug()
    const id = await w.admit(slug)
    const signer = aSigner()
    await w.service.enrol(await anEnrolment(await w.code(slug), signer))
    return { id, slug, signer }
  }
  const registration = async (id: Uuid, next = aSigner('ES256'), previous?: ReturnType<typeof aSigner>) => {
    const { nonce } = await w.service.signingKeyNonce(id)
    const data = signingKeyProof(nonce, next.kid)
    return {
      ...{ jwk: next.jwk, nonce, proof: next.sign(data) },
      ...(previous && { previous: { kid: previous.kid, proof: previous.sign(data) } }),
    }
  }

  test('a new key is vouched for by the old one, waits for two, and the old one ends after 14 days', async () => {
    const { id, slug, signer } = await enrolled()
    const next = aSigner('ES256')
    expect(await w.service.registerSigningKey(id, await registration(id, next, signer))).toEqual({
      kid: next.kid,
      status: 'pending',
    })
    expect(w.authority.signingKey(id, next.kid)).toBeUndefined()
    await w.decide('signing-key.confirm', { participant: slug, kid: next.kid })
    expect(w.authority.signingKey(id, next.kid)?.alg).toBe('ES256')
    expect(w.authority.signingKey(id, signer.kid)).toBeDefined()
    w.pass(14 * DAY)
    expect(w.authority.signingKey(id, signer.kid)).toBeUndefined()
    expect(w.authority.signingKey(id, next.kid)).toBeDefined()
  })
  test('a key that is registered again changes nothing, not even the epoch, and is answered as before', async () => {
    const { id, signer } = await enrolled()
    const next = await registration(id, aSigner(), signer)
    const first = await w.service.registerSigningKey(id, next)
    const before = await epoch()
    const again = async () => expect(await w.service.registerSigningKey(id, next)).toEqual(first)
    expect(await w.recorded(again)).toEqual([])
    expect(await epoch()).toBe(before)
  })
  test('a key that nobody or a stranger vouches for is refused', async () => {
    const { id } = await enrolled()
    await expect(w.service.registerSigningKey(id, await registration(id))).rejects.toMatchObject(
      refused('signature-invalid'),
    )
    const stranger = await registration(id, aSigner(), aSigner())
    await expect(w.service.registerSigningKey(id, stranger)).rejects.toMatchObject(refused('signature-invalid'))
  })
  test('the nonce of another participant proves nothing', async () => {
    const [{ id, signer }, other] = [await enrolled(), await enrolled()]
    const attempt = w.service.registerSigningKey(id, await registration(other.id, aSigner(), signer))
    await expect(attempt).rejects.toMatchObject(refused('signature-invalid'))
  })
  test('a compromised key signs nothing and vouches for nothing', async () => {
    const { id, slug, signer } = await enrolled()
    await w.service.endSigningKey(w.ada, { participant: slug, kid: signer.kid, as: 'compromised' })
    expect(w.authority.signingKey(id, signer.kid)).toBeUndefined()
    const attempt = w.service.registerSigningKey(id, await registration(id, aSigner(), signer))
    await expect(attempt).rejects.toMatchObject(refused('signature-invalid'))
  })
  test('recipients are told of keys that verify, pending ones not', async () => {
    const { id, slug, signer } = await enrolled()
    await w.service.registerSigningKey(id, await registration(id, aSigner(), signer))
    const source = w.service.sources().participants.find((one) => one.slug === slug)
    expect(source?.signing_keys.map(({ kid, status }) => ({ kid, status }))).toEqual([
      { kid: signer.kid, status: 'active' },
    ])
    expect(source?.signing_keys[0]?.jwk).toEqual(signer.jwk)
  })
})

describe('the authority', () => {
  test('is what the listener and the feeds ask for', () => {
    const peers: PeerDirectory = w.authority
    const feeds: FeedDirectory = w.authority
    expect([peers, feeds]).toEqual([w.authority, w.authority])
  })
  test('grows old while the database cannot be read, and knows nobody before it was', async () => {
    let ms = 0
    const dead = connect({ url: 'postgres://aldis_app@127.0.0.1:1/none', max: 1 })
    const blind = createAuthority({ db: dead, clock: w.clock, monotonic: () => ms })
    await expect(blind.refresh()).rejects.toMatchObject(refused('busy'))
    expect(blind.age()).toBe(Number.POSITIVE_INFINITY)
    expect(blind.find('00')).toBeUndefined()
    const seeing = createAuthority({ db: w.t.app, clock: w.clock, monotonic: () => ms })
    await seeing.refresh()
    ms = 31_000
    expect(seeing.age()).toBe(31_000)
    await seeing.refresh()
    expect(seeing.age()).toBe(0)
    await dead.destroy()
  })
  test('a refresh asked for during another sees what was committed before it was asked', async () => {
    const slug = aSlug()
    const id = await w.admit(slug)
    const other = createAuthority({ db: w.t.app, clock: w.clock })
    await other.refresh()
    const rename = (name: string) =>
      w.t.owner.transaction().execute(async (tx) => {
        await tx.updateTable('participant').set({ name }).where('participant_id', '=', id).execute()
        await sql`update authority_epoch set epoch = epoch + 1`.execute(tx)
      })
    await rename('first')
    // Holds the first look up between its moment and its end.
    const looks = await w.t.owner.transaction().execute(async (tx) => {
      await sql`lock table hold_switch in access exclusive mode`.execute(tx)
      const early = other.refresh()
      const waits = sql`select from pg_stat_activity where wait_event_type = 'Lock' and query like '%hold_switch%'
        and datname = current_database() and pid <> pg_backend_pid()`
      await expect.poll(async () => (await waits.execute(w.t.owner)).rows.length).toBe(1)
      await rename('second')
      return [early, other.refresh()]
    })
    await Promise.all(looks)
    expect(other.participantBySlug(slug)?.name).toBe('second')
  })
})
