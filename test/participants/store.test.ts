import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant, atControl, type Tx } from '../../src/db/as-participant.ts'
import { utf8 } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { createHandshakeAudit, REFUSALS_KEPT_DAYS } from '../../src/participants/handshake-audit.ts'
import { mayRead } from '../../src/participants/policy.ts'
import { aWorld, NOON, type World } from './world.ts'

let w: World
beforeAll(async () => {
  w = await aWorld()
})
afterAll(() => w.end())

const at = (seconds: number): Date => new Date(NOON.getTime() + seconds * 1000)
const digest = sha256(utf8('{}'))

/** Straight into the tables with the administrator's login; a record stands in for the log's. */
const direct = (work: (tx: Tx) => Promise<unknown>) =>
  atControl(w.t.admin, async (tx) => {
    const result = await work(tx)
    await w.recorder.record(tx, {
      kind: 'approval.requested',
      event_id: newId(NOON),
      participant_id: w.programme.programme_id,
      at: NOON,
      fields: {},
    })
    return result
  })

const asked = (change: object = {}) => ({
  ...{ request_id: newId(NOON), action: 'role.grant', payload: '{}', digest, requested_by: w.ada },
  ...{ requested_org: 'orchard-office', other_org: false, needed: 1 },
  ...{ requested_at: NOON, expires_at: at(3600), executed_at: null, last_event: newId(NOON) },
  ...change,
})

const vote = (request: ReturnType<typeof asked>, change: object = {}) => {
  const { request_id, requested_by, requested_org, other_org } = request
  return {
    ...{ request_id, requested_by, requested_org, other_org, digest: request.digest },
    ...{
      approver: w.ben,
      approver_org: 'orchard-office',
      verdict: 1,
      auth_time: NOON,
      at: NOON,
      last_event: newId(NOON),
    },
    ...change,
  }
}

const put = (request: ReturnType<typeof asked>, approval: ReturnType<typeof vote>) =>
  direct(async (tx) => {
    await tx.insertInto('approval_request').values(request).execute()
    await tx.insertInto('approval').values(approval).execute()
  })

describe('the database itself refuses', () => {
  test('nothing about an approval that is as it should be', async () => {
    const request = asked()
    await put(request, vote(request))
  })
  test("the approval of one's own request", async () => {
    const request = asked()
    await expect(put(request, vote(request, { approver: w.ada }))).rejects.toMatchObject({ code: '23514' })
  })
  test('one of the same organisation where another is wanted', async () => {
    const request = asked({ other_org: true })
    await expect(put(request, vote(request))).rejects.toMatchObject({ code: '23514' })
  })
  test('one that hides that another organisation is wanted', async () => {
    const request = asked({ other_org: true })
    await expect(put(request, vote(request, { other_org: false }))).rejects.toMatchObject({ code: '23503' })
  })
  test("one under an organisation that is not the person's", async () => {
    const request = asked({ other_org: true })
    await expect(put(request, vote(request, { approver_org: 'elsewhere' }))).rejects.toMatchObject({ code: '23503' })
  })
  test('a sign-in of five minutes ago, and one of the future', async () => {
    const request = asked()
    for (const auth_time of [at(-300), at(31)])
      await expect(put(request, vote(request, { auth_time }))).rejects.toMatchObject({ code: '23514' })
  })
  test('the approval of another payload', async () => {
    const request = asked()
    const other = vote(request, { digest: sha256(utf8('{"a":1}')) })
    await expect(put(request, other)).rejects.toMatchObject({ code: '23503' })
  })
  test('a payload under another digest', async () => {
    const request = asked({ payload: '{"a":1}' })
    await expect(put(request, vote(request))).rejects.toMatchObject({ code: '23514' })
  })
  test('the same person twice', async () => {
    const request = asked()
    await put(request, vote(request))
    const again = direct((tx) => tx.insertInto('approval').values(vote(request)).execute())
    await expect(again).rejects.toMatchObject({ code: '23505' })
  })
  test('a change of what was asked, or of a vote', async () => {
    const request = asked()
    await put(request, vote(request))
    const { request_id } = request
    const changed = direct((tx) =>
      tx
        .updateTable('approval_request')
        .set({ payload: '{"a":1}' } as object)
        .where('request_id', '=', request_id)
        .execute(),
    )
    await expect(changed).rejects.toMatchObject({ code: '42501' })
    const turned = direct((tx) =>
      tx
        .updateTable('approval')
        .set({ verdict: 1 } as object)
        .where('request_id', '=', request_id)
        .execute(),
    )
    await expect(turned).rejects.toMatchObject({ code: '42501' })
  })
  test("the application's login any look at or change of people and approvals", async () => {
    for (const table of ['person', 'role_grant', 'approval_request', 'approval', 'enrolment'] as const)
      await expect(w.t.app.selectFrom(table).selectAll().execute(), table).rejects.toMatchObject({ code: '42501' })
    const change = atControl(w.t.app, (tx) => tx.updateTable('credential').set({ status: 1 }).execute())
    await expect(change).rejects.toMatchObject({ code: '42501' })
  })
  test("an audience that is a group's and a participant's at once, and a group's without one", async () => {
    const row = { audience_id: newId(NOON), mode: 1, group_id: null, owner: null, label: 'x', last_event: newId(NOON) }
    for (const kind of [2, 3])
      await expect(
        direct((tx) =>
          tx
            .insertInto('audience')
            .values({ ...row, kind })
            .execute(),
        ),
      ).rejects.toMatchObject({
        code: '23514',
      })
  })
})

/** The second lock: what row-level security shows of shared signals is what the rule says, for active participants. */
test('mayRead and the database agree on who sees a shared signal', async () => {
  const slugs = ['apple', 'banana', 'cherry']
  const ids: Uuid[] = []
  for (const slug of slugs) ids.push(await w.admit(slug))
  await w.decide('group.create', { slug: 'pair', name: 'Pair', mode: 'full', members: ['apple', 'banana'] })
  await w.decide('group.create', { slug: 'left', name: 'Left', mode: 'full', members: ['apple', 'cherry'] })
  await w.decide('group.change', { group: 'left', join: [], leave: ['cherry'] })
  const audiences = [...(await w.t.owner.selectFrom('audience').select(['audience_id', 'kind']).execute())]
  const members = new Map(ids.map((id) => [id, new Set(w.authority.audiencesOf(id).map((one) => one.audience_id))]))

  const signals = fc.array(
    fc.record({
      origin: fc.constantFrom(...ids),
      audience: fc.constantFrom(...audiences),
      state: fc.constantFrom(1, 2, 4),
    }),
    { minLength: 1, maxLength: 12 },
  )
  await fc.assert(
    fc.asyncProperty(signals, async (rows) => {
      const made = rows.map((row) => ({ ...row, signal_id: newId(NOON) }))
      await w.t.owner
        .insertInto('shared_signal')
        .values(
          made.map(({ signal_id, origin, audience, state }) => ({
            ...{ signal_id, origin, state, audience_id: audience.audience_id, signal_key: Buffer.alloc(32) },
            ...{
              type: 3,
              profile: 'email/1',
              revision: 1,
              expires_at: at(3600),
              log_idx: 0n,
              feed_id: signal_id,
              seq: 1n,
            },
          })),
        )
        .execute()
      const wanted = made.map(({ signal_id }) => signal_id)
      for (const me of ids) {
        const seen = await asParticipant(w.t.app, me, (tx) =>
          tx.selectFrom('shared_signal').select('signal_id').where('signal_id', 'in', wanted).execute(),
        )
        const reader = {
          participant: me,
          kind: 'platform',
          active: true,
          audiences: members.get(me) ?? new Set(),
        } as const
        const allowed = made.filter(({ origin, audience, state }) =>
          mayRead(reader, {
            ...{ origin, audience: audience.audience_id, shared: state === 1, over: false, tlp: 'amber' },
            audienceKind: 'group',
          }),
        )
        expect(seen.map((row) => row.signal_id).sort()).toEqual(allowed.map((row) => row.signal_id).sort())
      }
    }),
    { numRuns: 15 },
  )
})

test('refusals that two listeners counted alike are one row, with the sum of both', async () => {
  const audit = createHandshakeAudit(w.t.admin)
  const row = { minute: at(-3600), address: '192.0.2.8', reason: 'connection-limit', count: 2 }
  for (const count of [2, 3]) audit.add({ ...row, count })
  audit.add({ ...row, reason: 'key-unknown' })
  expect(await audit.flush()).toBe(3)
  audit.add(row)
  await audit.flush()
  const own = (await audit.newest(100)).filter(({ address }) => address === row.address)
  expect(own).toEqual([
    { ...row, count: 7 },
    { ...row, reason: 'key-unknown' },
  ])
  expect(await audit.forget(new Date(at(-1800).getTime() + REFUSALS_KEPT_DAYS * 86_400_000))).toBe(2)
})

test('refused handshakes are forgotten after ninety days, and no others', async () => {
  const audit = createHandshakeAudit(w.t.admin)
  const row = { address: '192.0.2.7', reason: 'key-unknown', count: 1 }
  for (const minute of [NOON, at(60)]) audit.add({ ...row, minute })
  await audit.flush()
  const later = (seconds: number) => new Date(NOON.getTime() + REFUSALS_KEPT_DAYS * 86_400_000 + seconds * 1000)
  expect(await audit.forget(later(0))).toBe(0)
  expect(await audit.forget(later(1))).toBe(1)
  expect(await audit.newest(10)).toEqual([{ ...row, minute: at(60) }])
})
