import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createReveals, type Revealer } from '../../../src/feeds/reveal.ts'
import { REVEALS_PER_DAY, type RevealResult } from '../../../src/feeds/schema.ts'
import { linkHash } from '../../../src/identifiers/token.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { epochKey, epochOf } from '../../../src/provenance/record.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import { createValueRewrap, ensureValueKeys } from '../../../src/signals/value-rewrap.ts'
import { DAY, instantAt } from '../../signals/factory.ts'
import { aWorld, type Party, type World } from '../world.ts'

let w: World
let apple: Party
let banana: Party
let outside: Party
let audience: Uuid
let other: Uuid

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  outside = await w.admit('outside')
  audience = (await w.group('fruit', [apple, banana])).audience
  other = (await w.group('pond', [apple, outside])).audience
})
afterAll(() => w.end())
beforeEach(() => w.pass(60_000))

let made = 0
const aLink = (): string => {
  made += 1
  return `https://bad.example/${'abcdefghij'[made % 10]}-${made}`
}
const linkItem = (raw: string, change: object = {}): SignalItem =>
  w.item({
    audience,
    value: {
      ...{ profile: 'url/1', scope: { host: 'exact', path: 'exact' } },
      sha256: linkHash(sha256, raw.replace('https://', '')),
    },
    ...change,
  })
const ROUTE = '/v1/signals/:signal/reveal'
const by = (party: Party): Revealer => ({ ...w.reader(party, ROUTE), credential: party.credential })
const reveal = async (party: Party, signal: Uuid, source?: string): Promise<RevealResult> => {
  const asked = { signal, purpose: 'investigation' as const, ...(source === undefined ? {} : { source }) }
  return JSON.parse((await w.feeds.reveal(by(party), asked)).body) as RevealResult
}
const give = (party: Party, signal: Uuid, value: string | null, revision = 1) =>
  w.signals.values.give(party, signal, { v: 1, revision, value })

/** A link of apple's that is shared and sealed. */
async function sealed(change: object = {}, raw = aLink()): Promise<{ item: SignalItem; raw: string; event: Uuid }> {
  const item = linkItem(raw, change)
  await w.submit(apple, [item])
  const { event } = await give(apple, item.signal, raw)
  await w.project()
  w.pass(1_000)
  return { item, raw, event: event as Uuid }
}
const rows = () => w.t.owner.selectFrom('sealed_value').selectAll().execute()
const rowOf = async (signal: Uuid) => (await rows()).find(({ signal_id }) => signal_id === signal)
const ABSENT = { code: 'not-found' }

describe('giving', () => {
  test('is an entry of the source without the value, and once for the same value', async () => {
    const { item, raw, event } = await sealed()
    const { signal } = item
    expect(await w.opened(event)).toMatchObject({
      ...{ kind: 'value.sealed', actor: 'apple', signal, revision: 1, audience, cred: apple.credential },
    })
    expect(JSON.stringify(await w.opened(event))).not.toContain('bad.example')
    expect(await w.recorded(() => give(apple, signal, raw))).toEqual([])
    expect(await give(apple, signal, raw)).toEqual({ signal, revision: 1, sealed: true, event })
  })
  test('another writing of the same link takes the place of the first', async () => {
    const { item, raw } = await sealed()
    w.pass(1_000)
    expect(await w.recorded(() => give(apple, item.signal, `${raw}#part`))).toEqual(['value.sealed'])
    expect((await reveal(banana, item.signal)).value).toBe(`${raw}#part`)
  })
  test('taken back it is gone, with its data key, and nobody reveals it', async () => {
    const { item } = await sealed()
    expect(await w.recorded(() => give(apple, item.signal, null))).toEqual(['value.removed'])
    expect(await rowOf(item.signal)).toBeUndefined()
    expect(await give(apple, item.signal, null)).toMatchObject({ sealed: false, event: null })
    await expect(reveal(banana, item.signal)).rejects.toMatchObject({ code: 'value-absent' })
  })
  test('is refused by name, and changes nothing', async () => {
    const { item, raw: link } = await sealed()
    const raw = aLink()
    const [mail, ended, held] = [w.item({ audience }, 'email'), linkItem(aLink()), linkItem(aLink())]
    await w.submit(apple, [mail, ended, held])
    await w.withdraw(apple, ended.signal)
    await sql`update signal set state = 4 where signal_id = ${held.signal}`.execute(w.t.owner)
    const refusals: readonly [() => Promise<unknown>, string][] = [
      [() => give(apple, item.signal, raw), 'value-mismatch'],
      [() => give(apple, item.signal, link.replace('://', '://fig@')), 'raw-identifier'],
      [() => give(apple, item.signal, raw, 2), 'revision-conflict'],
      [() => give(apple, mail.signal, 'fig@mail.example'), 'value-mismatch'],
      [() => give(apple, ended.signal, raw, 2), 'signal-ended'],
      [() => give(apple, held.signal, raw), 'signal-held'],
      [() => give(banana, item.signal, raw), 'not-found'],
      [() => give(apple, newId(w.now()), raw), 'not-found'],
    ]
    const kinds = await w.recorded(async () => {
      for (const [work, code] of refusals) await expect(work()).rejects.toMatchObject({ code })
    })
    expect(kinds).toEqual([])
  })
  test('of a signal whose time is over is refused', async () => {
    const raw = aLink()
    const item = linkItem(raw, { expires_at: instantAt(2_000, w.now()) })
    await w.submit(apple, [item])
    w.pass(5_000)
    await expect(give(apple, item.signal, raw)).rejects.toMatchObject({ code: 'signal-ended' })
  })
})

describe('revealing', () => {
  test('gives the value as it was given, and tells the source who, which and why', async () => {
    const { item, raw, event: sealing } = await sealed()
    const { event, ...told } = await reveal(banana, item.signal)
    expect(told).toMatchObject({ source: 'apple', signal: item.signal, revision: 1, type: 'url', value: raw })
    expect(await w.opened(event)).toMatchObject({
      ...{ kind: 'value.revealed', actor: 'banana', subject: 'apple', reader: 'banana', after: sealing },
      ...{ signal: item.signal, revision: 1, purpose: 'investigation', cred: banana.credential },
    })
  })
  test('is a read as well, so that the source finds it among those who obtained its signals', async () => {
    const { item } = await sealed()
    const before = await w.t.owner.selectFrom('read_journal').selectAll().execute()
    const { read } = await w.feeds.reveal(by(banana), { signal: item.signal, purpose: 'appeal' })
    expect(read).not.toBe('')
    expect((await w.t.owner.selectFrom('read_journal').selectAll().execute()).length).toBe(before.length + 1)
  })
  test('what one may not see is as what is not there', async () => {
    const { item } = await sealed()
    for (const signal of [item.signal, newId(w.now())]) {
      const kinds = await w.recorded(() => expect(reveal(outside, signal)).rejects.toMatchObject(ABSENT))
      expect(kinds).toEqual([])
    }
    await expect(reveal(banana, item.signal, 'banana')).rejects.toMatchObject(ABSENT)
    await expect(reveal(banana, item.signal, 'nobody')).rejects.toMatchObject(ABSENT)
    expect(await w.feeds.revealable(by(outside), { signal: item.signal, source: 'apple' })).toBe(false)
    expect(await w.feeds.revealable(by(banana), { signal: item.signal, source: 'apple' })).toBe(true)
  })
  test('nothing that was not sealed is revealed, and none is counted', async () => {
    const item = linkItem(aLink())
    await w.submit(apple, [item])
    await w.project()
    const kinds = await w.recorded(() =>
      expect(reveal(banana, item.signal)).rejects.toMatchObject({ code: 'value-absent' }),
    )
    expect(kinds).toEqual([])
  })
  test('of two sources with one id the source is to be named', async () => {
    const { item, raw } = await sealed()
    await w.submit(banana, [{ ...item, value: linkItem(aLink()).value }])
    await w.project()
    await expect(reveal(banana, item.signal)).rejects.toMatchObject({
      ...{ code: 'validation-failed', errors: [{ pointer: '/source' }] },
    })
    expect((await reveal(banana, item.signal, 'apple')).value).toBe(raw)
  })
  test('the entry is committed before the value is opened; without it nothing is opened', async () => {
    const { item, raw } = await sealed()
    const opened: string[][] = []
    const { provenance, authority: directory, clock } = w
    const committed = async (): Promise<string[]> =>
      (await w.t.owner.selectFrom('prov_record').select('kind').where('kind', '=', 'value.revealed').execute()).map(
        ({ kind }) => kind,
      )
    const before = (await committed()).length
    let refuse = false
    const reveals = createReveals({
      ...{ db: w.t.app, clock, directory, timeoutMs: 10_000 },
      provenance: {
        ...provenance,
        record: async (...given) => {
          if (refuse) throw new Error('no room for an entry')
          return provenance.record(...given)
        },
      },
      values: {
        held: w.signals.values.held,
        open: () => {
          opened.push([])
          throw new Error('killed between the entry and the answer')
        },
      },
    })
    const asked = { signal: item.signal, purpose: 'investigation' as const }
    await expect(reveals.reveal(by(banana), asked)).rejects.toThrow('killed')
    expect([(await committed()).length, opened.length]).toEqual([before + 1, 1])
    refuse = true
    await expect(reveals.reveal(by(banana), asked)).rejects.toThrow('no room')
    expect([(await committed()).length, opened.length]).toEqual([before + 1, 1])
    expect((await reveal(banana, item.signal)).value).toBe(raw)
  })
  test.for([
    { what: 'taken back', given: null },
    { what: 'replaced', given: '#part' },
  ])('never opens what was $what while it was written down', async ({ given }) => {
    const { item, raw } = await sealed()
    const { clock, provenance, authority: directory } = w
    const reveals = createReveals({
      ...{ db: w.t.app, clock, directory, timeoutMs: 10_000, values: w.signals.values },
      provenance: {
        ...provenance,
        insertReads: async (...reads) => {
          await give(apple, item.signal, given === null ? null : `${raw}${given}`)
          return provenance.insertReads(...reads)
        },
      },
    })
    const asked = { signal: item.signal, purpose: 'investigation' as const }
    await expect(reveals.reveal(by(banana), asked)).rejects.toMatchObject({ code: 'value-absent' })
  })
  test('while the log cannot be written nothing is given or revealed', async () => {
    const { item, raw } = await sealed()
    w.weather.healthy = false
    const behind = { code: 'log-behind' }
    await expect(reveal(banana, item.signal)).rejects.toMatchObject(behind)
    await expect(give(apple, item.signal, `${raw}#b`)).rejects.toMatchObject(behind)
    w.weather.healthy = true
  })
  test('of a paused feed waits until it goes on', async () => {
    const { item } = await sealed()
    const feed = w.authority.feedOf(audience)
    await w.decide('feed.pause', { feed, reason: 'investigation' })
    await w.authority.refresh()
    await expect(reveal(banana, item.signal)).rejects.toMatchObject({ code: 'feed-paused' })
    await w.decide('feed.resume', { feed })
    await w.authority.refresh()
    await reveal(banana, item.signal)
  })
  test('in a sealed audience is by its members, as everywhere', async () => {
    const hidden = (await w.group('hidden', [apple, banana], 'sealed')).audience
    await w.authority.refresh()
    const { item, raw } = await sealed({ audience: hidden })
    expect((await reveal(banana, item.signal)).value).toBe(raw)
    await expect(reveal(outside, item.signal)).rejects.toMatchObject(ABSENT)
  })
})

test('200 a day are revealed by the programs of a participant, exactly, and as many by each of its people', async () => {
  const { item } = await sealed()
  w.pass(DAY)
  const person = newId(w.now())
  const day = w.now().toISOString().slice(0, 10)
  for (const who of [banana.participant, person])
    await sql`insert into reveal_use (participant_id, day, who, used)
      values (${banana.participant}, ${day}, ${who}, ${REVEALS_PER_DAY - 2})
      on conflict (participant_id, day, who) do update set used = excluded.used`.execute(w.t.owner)
  for (const who of [by(banana), { ...w.reader(banana, ROUTE), person }]) {
    const asked = { signal: item.signal, purpose: 'investigation' as const }
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => w.feeds.reveal(who, asked)))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    for (const one of all.filter((each) => each.status === 'rejected'))
      expect(one.reason).toMatchObject({ code: 'quota-exceeded', extra: { limit: REVEALS_PER_DAY } })
    const kinds = await w.recorded(() => expect(w.feeds.reveal(who, asked)).rejects.toThrow())
    expect(kinds).toEqual([])
  }
  const midnight = Date.parse(day) + DAY
  await expect(reveal(banana, item.signal)).rejects.toMatchObject({
    retryAfter: Math.ceil((midnight - w.now().getTime()) / 1_000),
  })
  const used = () => w.feeds.revealsUsedBy(banana.participant)
  expect(await used()).toEqual({ used: 200, limit: REVEALS_PER_DAY, resets_at: new Date(midnight) })
  w.pass(DAY)
  expect((await used()).used).toBe(0)
  await reveal(banana, item.signal)
  expect((await used()).used).toBe(1)
  const days = sql`select 1 from reveal_use where participant_id = ${banana.participant}`
  expect((await days.execute(w.t.owner)).rows).toHaveLength(1)
})

describe('value and data key go', () => {
  const isGone = async ({ signal }: SignalItem): Promise<void> => {
    await w.project()
    expect(await rowOf(signal)).toBeUndefined()
    const own = await w.t.owner
      .selectFrom('signal')
      .select('value_event')
      .where('signal_id', '=', signal)
      .executeTakeFirstOrThrow()
    expect(own.value_event).toBeNull()
  }
  test('with a withdrawal', async () => {
    const { item } = await sealed()
    await w.withdraw(apple, item.signal)
    await isGone(item)
    await expect(reveal(banana, item.signal)).rejects.toMatchObject(ABSENT)
  })
  test("with an end on a person's word", async () => {
    const { item } = await sealed()
    const attestor = { participant: apple.participant, slug: 'apple', person: newId(w.now()) }
    await w.signals.withdraw(attestor, { signal: item.signal, revision: 1, reason: 'mistaken' })
    await isGone(item)
  })
  test('with the expiry', async () => {
    const { item } = await sealed()
    w.pass(31 * DAY)
    while ((await w.expire(apple.participant, 'apple')) > 0);
    await isGone(item)
    await expect(reveal(banana, item.signal)).rejects.toMatchObject(ABSENT)
  })
  test('with an erasure', async () => {
    const { item } = await sealed()
    await w.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'subject_request' })
    await isGone(item)
  })
  test('with a revision into another audience, and not with one within it', async () => {
    const { item, raw } = await sealed()
    await w.revise(apple, item, { confidence: 12 })
    await w.project()
    expect(await reveal(banana, item.signal)).toMatchObject({ value: raw, revision: 2 })
    await w.revise(apple, item, { audience: other })
    await isGone(item)
    await expect(reveal(outside, item.signal)).rejects.toMatchObject({ code: 'value-absent' })
    await give(apple, item.signal, raw, 3)
    expect((await reveal(outside, item.signal)).value).toBe(raw)
    await expect(reveal(banana, item.signal)).rejects.toMatchObject(ABSENT)
  })
  test('with a source that leaves', async () => {
    const cherry = await w.admit('cherry')
    await w.regroup('fruit', { join: [cherry] })
    await w.authority.refresh()
    const raw = aLink()
    const item = linkItem(raw)
    await w.submit(cherry, [item])
    await give(cherry, item.signal, raw)
    await w.project()
    await reveal(banana, item.signal)
    await w.decide('participant.offboard', { participant: 'cherry', reason: 'left_programme' })
    await w.authority.refresh()
    await isGone(item)
    await expect(reveal(banana, item.signal)).rejects.toMatchObject({ code: 'value-absent' })
  })
  test('and not while its signals are under a legal hold: until that is lifted, the source does not leave', async () => {
    const damson = await w.admit('damson')
    await w.regroup('fruit', { join: [damson] })
    await w.authority.refresh()
    const raw = aLink()
    const item = linkItem(raw)
    await w.submit(damson, [item])
    await give(damson, item.signal, raw)
    await w.project()
    const placed = { participant: 'damson', what: 'signals', reason: 'audit' } as const
    const { hold } = (await w.decide('hold.place', placed)) as { hold: Uuid }
    const leave = () => w.decide('participant.offboard', { participant: 'damson', reason: 'left_programme' })
    await expect(leave()).rejects.toMatchObject({ code: 'hold-placed' })
    await w.authority.refresh()
    expect((await reveal(banana, item.signal)).value).toBe(raw)
    await w.decide('hold.lift', { hold })
    await leave()
    await isGone(item)
  })
})

test('a new year has its own key: data keys move to it, and the former is destroyed once no backup needs it', async () => {
  const { item, raw } = await sealed({ expires_at: instantAt(80 * DAY, w.now()) })
  const year = w.now().getUTCFullYear()
  let at = new Date(Date.UTC(year + 1, 0, 1))
  await ensureValueKeys(w.keys, at)
  for (const days of [0, 35]) await w.keys.create(epochKey(epochOf(new Date(at.getTime() + days * DAY))), 'symmetric')
  const rewrap = createValueRewrap({
    ...{ db: w.t.app, admin: w.t.admin, clock: () => at, keys: w.keys, recorder: w.provenance },
    ...{ programme: w.programme.programme_id, participants: () => w.authority.participants() },
  })
  const before = await rowOf(item.signal)
  const kinds = await w.recorded(() => rewrap.round())
  expect(new Set(kinds)).toEqual(new Set(['value.rewrapped']))
  const after = await rowOf(item.signal)
  expect(after).toMatchObject({ kek_id: `value-${year + 1}`, ciphertext: before?.ciphertext, nonce: before?.nonce })
  expect((await reveal(banana, item.signal)).value).toBe(raw)
  expect([await rewrap.round(), w.keys.has(`value-${year}`)]).toEqual([0, true])
  at = new Date(at.getTime() + 35 * DAY - 1)
  expect([await rewrap.round(), w.keys.has(`value-${year}`)]).toEqual([0, true])
  at = new Date(at.getTime() + 1)
  expect(await w.recorded(() => rewrap.round())).toEqual(['salts.destroyed'])
  expect(w.keys.has(`value-${year}`)).toBe(false)
  await ensureValueKeys(w.keys, w.now())
})

test('no value stands in any row of any table, in clear or in hex', async () => {
  const { raw } = await sealed({}, 'https://bad.example/kumquat')
  const { rows: tables } = await sql<{ name: string }>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(
    w.t.owner,
  )
  for (const { name } of tables)
    for (const text of ['kumquat', Buffer.from('kumquat').toString('hex'), raw]) {
      const { rows: hits } = await sql`select 1 from ${sql.table(name)} as t where t::text like ${`%${text}%`}`.execute(
        w.t.owner,
      )
      expect(hits, name).toEqual([])
    }
})
