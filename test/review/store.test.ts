import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { Party } from '../feeds/world.ts'
import { aReviewWorld, GRACE_MS, type ReviewWorld } from './world.ts'

let w: ReviewWorld
let apple: Party
let banana: Party
let audience: Uuid

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  audience = (await w.group('pair', [apple, banana])).audience
})
afterAll(() => w.end())

const LEASE = 15 * 60_000
const DAY = 24 * 3_600_000

/** A case as a plain program would keep it. */
interface Model {
  state: 'open' | 'held' | 'awaiting_second' | 'decided' | 'closed'
  lease: { holder: string; until: number } | undefined
  decision: { by: string; corrects: boolean; due: number } | undefined
  heldUntil: number
  hits: number
  acted: boolean
  now: number
}

/** The same case in the database, with what its people hold in their hands. */
interface Real {
  id: Uuid
  item: SignalItem
  critical: boolean
  tokens: Map<string, Uuid>
  decision: Uuid
}

type Step = fc.AsyncCommand<Model, Real>

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
const stateNow = async ({ id }: Real): Promise<string> => (await w.caseOf(banana, id)).state

/** What was asked is answered as the model says, and the case stands where the model has it. */
const step = (name: string, run: (m: Model, r: Real) => Promise<{ says: string; got: string }>): Step => ({
  check: () => true,
  async run(m, r) {
    const { says, got } = await run(m, r)
    expect(got, name).toBe(says)
    expect(await stateNow(r), name).toBe(m.state)
  },
  toString: () => name,
})

const isHeldBy = ({ lease, now }: Model, who: string): boolean =>
  lease !== undefined && lease.until > now && lease.holder !== who

const claim = (who: string, lead: boolean): Step =>
  step(`${who} claims${lead ? ' as lead' : ''}`, async (m, r) => {
    const work = w.review.claim(w.as(banana, who, lead), r.id).then(({ token }) => r.tokens.set(who, token))
    const got = await codeOf(work)
    if (m.state !== 'open') return { says: 'case-moved', got }
    if (isHeldBy(m, who) && !lead) return { says: 'lease-held', got }
    m.lease = { holder: who, until: m.now + LEASE }
    return { says: 'done', got }
  })

/** The token stands as long as nobody else has claimed since. */
const faultOf = (m: Model, who: string): string | undefined => {
  if (m.lease?.holder === who) return undefined
  return isHeldBy(m, who) ? 'lease-held' : 'lease-lapsed'
}

const decide = (who: string): Step =>
  step(`${who} decides`, async (m, r) => {
    const { version } = await w.caseOf(banana, r.id)
    const decision = newId(w.now())
    const token = r.tokens.get(who)
    const body = { ...w.verdict({ version, token: token ?? decision }), decision }
    const got = await codeOf(w.review.decide(w.as(banana, who), r.id, body))
    const corrects = m.state === 'closed'
    const fault = corrects ? undefined : faultOf(m, who)
    if (fault !== undefined) return { says: fault, got }
    if (m.state !== 'open' && !corrects) return { says: 'case-moved', got }
    r.decision = decision
    m.state = r.critical ? 'awaiting_second' : 'decided'
    m.heldUntil = r.critical ? m.now + DAY : 0
    m.decision = { by: who, corrects, due: r.critical ? Number.POSITIVE_INFINITY : m.now + GRACE_MS }
    if (!corrects) m.lease = { holder: who, until: m.now }
    return { says: 'done', got }
  })

const second = (who: string, answer: 'approve' | 'deny' | 'retract'): Step =>
  step(`${who} answers ${answer}`, async (m, r) => {
    const of = { case: r.id, decision: r.decision }
    const got = await codeOf(w.review.second(w.as(banana, who), of, { operator: who, answer }))
    if (m.decision === undefined) return { says: 'not-found', got }
    const own = m.decision.by === who
    if (own && answer !== 'retract') return { says: 'self-approval', got }
    if (!own && answer === 'retract') return { says: 'person-unknown', got }
    if (m.state !== 'awaiting_second') return { says: 'case-moved', got }
    m.heldUntil = 0
    if (answer === 'approve') {
      m.state = 'decided'
      m.decision.due = m.now + GRACE_MS
    } else m.state = m.decision.corrects ? 'closed' : 'open'
    return { says: 'done', got }
  })

const undo = (who: string): Step =>
  step(`${who} undoes`, async (m, r) => {
    const got = await codeOf(w.review.undo(w.as(banana, who), { case: r.id, decision: r.decision }))
    if (m.decision === undefined) return { says: 'not-found', got }
    if (m.decision.due === Number.NEGATIVE_INFINITY) return { says: 'grace-over', got }
    if (m.state !== 'decided') return { says: 'case-moved', got }
    m.state = m.decision.corrects ? 'closed' : 'open'
    return { says: 'done', got }
  })

const hold = (who: string): Step =>
  step(`${who} parks it`, async (m, r) => {
    const { version } = await w.caseOf(banana, r.id)
    const request = { token: r.tokens.get(who) ?? newId(w.now()), version, reason: 'waiting', hours: 1 }
    const got = await codeOf(w.review.hold(w.as(banana, who), r.id, request))
    const fault = faultOf(m, who)
    if (fault !== undefined) return { says: fault, got }
    if (m.state !== 'open') return { says: 'case-moved', got }
    m.state = 'held'
    m.heldUntil = m.now + 3_600_000
    m.lease = { holder: who, until: m.now }
    return { says: 'done', got }
  })

const resume: Step = step('somebody takes it back', async (m, r) => {
  const { version } = await w.caseOf(banana, r.id)
  const got = await codeOf(w.review.resume(w.as(banana), r.id, version))
  if (m.state !== 'held') return { says: 'case-moved', got }
  m.state = 'open'
  m.heldUntil = 0
  return { says: 'done', got }
})

const hit: Step = step('it is seen again', async (m, r) => {
  m.hits += 1
  const got = await codeOf(w.hit(banana, apple, r.item, m.hits))
  const opens = m.acted || m.hits === 2 || m.hits === 10
  if (opens && m.state === 'closed') m.state = 'open'
  return { says: 'done', got }
})

const pass = (ms: number): Step =>
  step(`${ms} ms pass`, async (m) => {
    w.pass(ms)
    m.now += ms
    const got = await codeOf(w.releaseRound())
    if (m.state === 'decided' && m.decision !== undefined && m.decision.due <= m.now) {
      m.state = 'closed'
      m.acted = true
      m.decision.due = Number.NEGATIVE_INFINITY
    } else if (m.heldUntil > 0 && m.heldUntil <= m.now) {
      m.state = m.state === 'awaiting_second' && m.decision?.corrects === true ? 'closed' : 'open'
      m.heldUntil = 0
    }
    return { says: 'done', got }
  })

const who = fc.constantFrom('ann', 'bob')
const steps = [
  ...[
    fc.tuple(who, fc.boolean()).map(([one, lead]) => claim(one, lead)),
    who.map(decide),
    who.map(undo),
    who.map(hold),
  ],
  fc
    .tuple(who, fc.constantFrom('approve' as const, 'deny' as const, 'retract' as const))
    .map(([one, answer]) => second(one, answer)),
  ...[fc.constant(resume), fc.constant(hit)],
  fc.constantFrom(1_000, GRACE_MS, LEASE, 3_600_000, DAY).map(pass),
]

test('a case goes the way that a plain model goes, whatever two people do to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 25 }), fc.boolean(), async (commands, critical) => {
      w.pass(DAY)
      await w.releaseRound()
      const item = w.item({ audience, severity: critical ? 'critical' : 'medium' })
      await w.submit(apple, [item])
      await w.settle()
      const { results } = await w.hit(banana, apple, item)
      const id = results[0]?.case ?? ('' as Uuid)
      const model: Model = {
        ...{ state: 'open', lease: undefined, decision: undefined, heldUntil: 0, hits: 1, acted: false },
        now: w.now().getTime(),
      }
      const real: Real = { id, item, critical, tokens: new Map(), decision: id }
      await fc.asyncModelRun(() => ({ model, real }), commands)
    }),
    { numRuns: 20 },
  )
}, 120_000)
