import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditLog } from '../../src/audit/audit.ts'
import type { Finding } from '../../src/audit/finding.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { Party } from '../feeds/world.ts'
import { forge, LOG_KEY, sourceOf } from '../provenance/forge.ts'
import { aReviewWorld, type ReviewWorld } from '../review/world.ts'
import { DAY } from '../signals/factory.ts'
import { auditedIn, type Given } from './audited.ts'
import { fieldIn, type Plain, plainOf, put, relog } from './relog.ts'

const RULES = { keyword_patterns: false, critical: false, not_reviewed: false, new_sources: false, categories: [] }
const NAMES = ['acted', 'asked', 'proposed', 'ended', 'erased', 'revised', 'parked', 'decided'] as const
/** More than one person decides alike. */
const MANY = 26

let world: Awaited<ReturnType<typeof auditedIn<ReviewWorld, void>>>
let honest: Given
let plain: Plain[]

beforeAll(async () => {
  world = await auditedIn(await aReviewWorld(), tellStory)
  honest = await world.given()
  plain = plainOf(honest.records)
}, 120_000)
afterAll(() => world.w.end())

interface Story {
  apple: Party
  audience: Uuid
}

/** What happens with cases of an organisation that is suspended, and comes back, and of one that leaves. */
async function tellStory(w: ReviewWorld): Promise<void> {
  const [apple, banana] = [await w.admit('apple'), await w.admit('banana')]
  const [cherry, dill] = [await w.admit('cherry'), await w.admit('dill')]
  const elder = await w.admit('elder')
  const { audience } = await w.group('fruit', [apple, banana, cherry, dill, elder])
  const own = w.item({ audience })
  await w.submit(banana, [own])
  const [theirs, others] = [await work(w, banana, { apple, audience }), await work(w, dill, { apple, audience })]
  for (const { decide } of [theirs, others])
    await decide('decided', { verdict: 'not_violating', reason: 'false_match' })
  for (const name of ['revised', 'parked'] as const) await w.hit(elder, apple, theirs.items[name])
  await w.review.route(banana, { ...RULES, categories: ['trafficking'] })
  await w.participants.suspend(w.ada, { participant: 'banana', reason: 'key_theft' })
  await w.decide('participant.offboard', { participant: 'dill', reason: 'contract_ended' })
  await turn(w, 2 * 60_000)
  await w.regroup('fruit', { leave: [elder] })
  for (const { items } of [theirs, others]) await change(w, items, apple)
  const signals = [theirs, others].map(({ items }) => items.erased.signal)
  await w.decide('signals.erase', { participant: 'apple', signals, basis: 'subject_request' })
  await w.feedback.answerQuestion(
    { ...apple, person: newId(w.now()) },
    { signal: theirs.items.asked.signal, asker: 'banana' },
    { note: 'on both' },
  )
  await w.object(cherry, { ...w.about(banana, own), dispute: newId(w.now()), ground: 'false_match' })
  await w.submit(apple, [w.item({ audience, category: 'trafficking' })])
  await turn(w, 2 * DAY)
  await w.decide('participant.resume', { participant: 'banana' })
  await turn(w, 60_000)
  await w.queue(elder)
  await w.provenance.journal.flush(elder.participant, elder.slug)
  await w.project()
}

type Items = Record<(typeof NAMES)[number], SignalItem>

/** A case in each state that something comes of by itself, and a list that waits for a lead. */
async function work(w: ReviewWorld, by: Party, { apple, audience }: Story) {
  const severityOf = (name: string) => (name === 'proposed' ? 'critical' : 'medium')
  const named = NAMES.map((name) => [name, w.item({ audience, severity: severityOf(name) })] as const)
  const many = Array.from({ length: MANY }, () => w.item({ audience }))
  await w.submit(apple, [...named.map(([, item]) => item), ...many])
  await w.settle()
  const caseOf = async (item: SignalItem) => (await w.hit(by, apple, item)).results[0]?.case ?? ('' as Uuid)
  const cases = new Map<string, Uuid>()
  for (const [name, item] of named) cases.set(name, await caseOf(item))
  const claim = (name: string) => w.review.claim(w.as(by), cases.get(name) ?? ('' as Uuid))
  const decide = async (name: string, verdict: object = {}) => {
    const lease = await claim(name)
    await w.review.decide(w.as(by), lease.case, w.verdict(lease, verdict))
  }
  await decide('acted')
  await decide('asked', { verdict: 'needs_information', reason: 'context' })
  await w.release()
  await decide('proposed')
  const { case: parked, token, version } = await claim('parked')
  await w.review.hold(w.as(by), parked, { token, version, reason: 'waiting', hours: 2 })
  const list = []
  for (const item of many) list.push({ case: await caseOf(item), version: 1 })
  await w.review.beginBulk(w.as(by), {
    job: newId(w.now()),
    verdict: 'outdated',
    reason: 'inactive',
    cases: list,
  })
  return { items: Object.fromEntries(named) as Items, decide }
}

/** What the source does with what is worked on. */
async function change(w: ReviewWorld, of: Items, apple: Party): Promise<void> {
  for (const { signal } of [of.acted, of.proposed, of.ended]) await w.withdraw(apple, signal)
  await w.revise(apple, of.revised, { confidence: 10 })
}

/** Every loop until nothing is due, once so much time has passed. */
async function turn(w: ReviewWorld, ms: number): Promise<void> {
  w.pass(ms)
  for (let n = 1; n > 0; ) {
    n = (await w.releaseRound()) + (await w.bulkRound())
    await w.settle()
  }
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

const audited = async ({ entries, records, snapshot }: Given): Promise<readonly Finding[]> =>
  (
    await auditLog({
      ...{ hash: sha256, source: sourceOf(forge(entries)), pinned: { key: LOG_KEY.vkey, verify: verifyEd25519 } },
      ...{ now: world.w.now(), kept: [] },
      records: { records: () => each(records), snapshot: () => each(snapshot) },
    })
  ).findings

const failing = async (given: Given): Promise<string[]> =>
  (await audited(given)).flatMap(({ check, result, says }) => (result === 'FAIL' ? [`${check}: ${says}`] : []))

const indexOf = (kind: string): number => plain.findIndex((entry) => fieldIn(entry, 'type') === kind)
/** What the log has of an organisation while it was away, in words. */
const awayOf = (slug: string): string[] =>
  plain.slice(indexOf('participant.left'), indexOf('participant.resumed')).flatMap((entry) => {
    if (fieldIn(entry, 'actor') !== slug) return []
    return [[fieldIn(entry, 'type'), fieldIn(entry, 'reason') ?? fieldIn(entry, 'step')].filter(Boolean).join(' ')]
  })

describe('while an organisation is suspended', () => {
  test('its cases end and come back by what others do, and it says nothing', () => {
    const moves = ['lifecycle', 'signal_ended', 'erased'].map((reason) => `review.moved ${reason}`)
    expect(new Set(awayOf('banana'))).toEqual(
      new Set([...moves, 'review.moved revised', 'review.moved answered', 'review.moved dispute', 'review.undone']),
    )
    expect(new Set(awayOf('dill'))).toEqual(new Set([...moves, 'review.undone']))
  })
  test('what was due is done once it is back, and of one that left never', () => {
    const back = plain.slice(indexOf('participant.resumed'))
    const of = (slug: string) =>
      back.filter((entry) => fieldIn(entry, 'actor') === slug).map((entry) => String(fieldIn(entry, 'type')))
    expect(new Set(of('banana'))).toEqual(new Set(['feedback.given', 'dispute.opened', 'review.moved', 'review.bulk']))
    expect(of('dill')).toEqual([])
  })
  test('its log passes an audit', async () => {
    expect(await failing(honest)).toEqual([])
  })
  test.for(['feedback.given', 'dispute.opened'])('a %s of it fails check 11', async (kind) => {
    const at = plain.findLastIndex((entry) => fieldIn(entry, 'type') === kind)
    const late = plain[at] ?? expect.fail(kind)
    const when = fieldIn(plain[indexOf('participant.resumed') - 1] as Plain, 'time')
    const forged = plain.toSpliced(at, 1).toSpliced(indexOf('participant.resumed'), 0, put(late, 'time', when))
    expect(await failing(relog(forged, honest))).toEqual([
      expect.stringMatching(/^11: .*banana acts, and is suspended$/),
    ])
  })
})

test('cases of an organisation that left the group are given out to it, and its log passes an audit', async () => {
  const reads = plain.flatMap(({ reads }) => reads).filter((read) => fieldIn(read, 'route') === '/v1/cases')
  expect(reads.map((read) => fieldIn(read, 'n'))).toEqual([2])
  expect(await failing(honest)).toEqual([])
})
