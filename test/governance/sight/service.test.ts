import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant } from '../../../src/db/as-participant.ts'
import { createSights, type Sights } from '../../../src/governance/sight.ts'
import { faultOf } from '../../../src/http/peer.ts'
import { Refusal } from '../../../src/kernel/errors.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { createAuditLog } from '../../../src/provenance/auditor.ts'
import { createHolds } from '../../../src/signals/hold.ts'
import { aWorld, type Party, type World } from '../../feeds/world.ts'
import { DAY, instantAt } from '../../signals/factory.ts'

const SLUGS = ['ash', 'beech', 'cedar'] as const
const AUDIENCES = ['programme', 'pair', 'trio', 'named'] as const
const TLPS = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const

let w: World
let parties: Party[]
let sights: Sights
let audiences: Record<(typeof AUDIENCES)[number], Uuid>
const by = () => ({ participant: w.programme.programme_id, slug: 'node', sees: 'all' as const })

beforeAll(async () => {
  w = await aWorld()
  parties = [await w.admit('ash'), await w.admit('beech'), await w.admit('cedar')]
  await w.decide('participant.admit', { slug: 'olive', name: 'Olive', kind: 'observer' })
  const [ash, beech, cedar] = parties as [Party, Party, Party]
  const named = newId(w.now())
  await w.participants.openAudience(ash.participant, named, { label: 'two', mode: 'full', members: ['beech'] })
  const programme = w.authority.audiencesOf(ash.participant).find(({ kind }) => kind === 'programme')
  audiences = {
    programme: programme?.audience_id ?? named,
    pair: (await w.group('pair', [ash, beech])).audience,
    trio: (await w.group('trio', [ash, beech, cedar])).audience,
    named,
  }
  const auditing = createAuditLog({ app: w.t.app, clock: w.clock, provenance: w.provenance })
  sights = createSights({ db: w.t.ledger, clock: w.clock, auditing, authority: w.authority })
})
afterAll(() => w.end())

interface Shared {
  source: Party
  signal: Uuid
  key: string
}

const partyOf = (slug: string): Party => parties.find((one) => one.slug === slug) as Party
const isActive = (slug: string): boolean => w.authority.participantBySlug(slug)?.status === 'active'

/** As the listener would: whoever may not connect, or ask, is given nothing. */
function mayConnect({ slug, participant }: Party): boolean {
  const credential = w.authority.credentials().find((one) => one.participant === participant)
  const spki = 'ab'.repeat(32)
  const identity = { uri: '', slug, spki, leafSha256: spki, notBefore: new Date(0), notAfter: new Date(8e15) }
  return (
    credential !== undefined &&
    credential.participant_status === 'active' &&
    faultOf(identity, credential, w.now()) === undefined
  )
}

/** What each party is given by look-up, and the sources by their own rows. */
async function given(shared: readonly Shared[]): Promise<Set<string>> {
  const found = new Set<string>()
  for (const party of parties.filter(mayConnect)) {
    const { matches } = await w.find(party, [{ type: 'url', profile: 'url/1', keys: shared.map(({ key }) => key) }])
    for (const { event } of matches) found.add(`${party.slug} ${event.signal}`)
    for (const { source, signal } of shared)
      if (source === party && (await w.own(party, signal)).revision > 0) found.add(`${party.slug} ${signal}`)
  }
  return found
}

const anOp = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('share' as const),
      who: fc.constantFrom(...SLUGS),
      audience: fc.constantFrom(...AUDIENCES),
      tlp: fc.constantFrom(...TLPS),
      days: fc.constantFrom(1, 1, 20),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom('withdraw' as const, 'hold' as const, 'erase' as const),
      nth: fc.nat({ max: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constantFrom('suspend' as const, 'resume' as const),
      who: fc.constantFrom(...SLUGS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('regroup' as const),
      who: fc.constantFrom(...SLUGS),
      group: fc.constantFrom('pair' as const, 'trio' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('pass' as const), hours: fc.constantFrom(1, 30, 30) }) },
)
type Op = typeof anOp extends fc.Arbitrary<infer T> ? T : never

/** Shares, and says whether the simulator had known if that is taken. */
async function share(op: Extract<Op, { op: 'share' }>, shared: Shared[]): Promise<void> {
  const source = partyOf(op.who)
  if (!isActive(op.who)) return
  const audience = audiences[op.audience]
  const supposed = await sights.sight(by(), { source: op.who, audience, tlp: op.tlp, type: 'url' })
  const item = w.item({ audience, tlp: op.tlp, expires_at: instantAt(op.days * DAY, w.now()) })
  const { results } = await w.submit(source, [item])
  const code = (results[0] as { code?: string }).code ?? null
  expect(code, `${op.who} ${op.audience} ${op.tlp}`).toBe(supposed.refused)
  if (code === null) shared.push({ source, signal: item.signal, key: item.value.sha256 })
}

async function end({ op, nth }: Extract<Op, { nth: number }>, shared: readonly Shared[]): Promise<void> {
  const one = shared[nth % Math.max(1, shared.length)]
  if (one === undefined || !isActive(one.source.slug)) return
  const { participant, slug } = one.source
  if (op === 'hold')
    await asParticipant(w.t.app, participant, (tx) =>
      createHolds(w.provenance).hold(tx, { participant, slug, signal: one.signal, dispute: undefined, now: w.now() }),
    )
  else if (op === 'erase') await w.decide('signals.erase', { participant: slug, signals: [one.signal], basis: 'test' })
  else await w.withdraw(one.source, one.signal)
}

async function perform(op: Op, shared: Shared[]): Promise<void> {
  switch (op.op) {
    case 'share':
      return share(op, shared)
    case 'suspend':
      if (isActive(op.who)) await w.participants.suspend(w.ada, { participant: op.who, reason: 'test' })
      return
    case 'resume':
      if (!isActive(op.who)) await w.decide('participant.resume', { participant: op.who })
      return
    case 'regroup': {
      if (!isActive(op.who)) return
      const isIn = w.authority.audience(audiences[op.group])?.members.has(partyOf(op.who).participant) === true
      await w.regroup(op.group, isIn ? { leave: [partyOf(op.who)] } : { join: [partyOf(op.who)] })
      return
    }
    case 'pass':
      return w.pass(op.hours * 3_600_000)
    default:
      return end(op, shared)
  }
}

describe('the simulator', () => {
  test('says of every signal and participant what the API does, whatever happened to both', async () => {
    let checked = 0
    const decided = new Set<string | null>()
    await fc.assert(
      fc.asyncProperty(fc.array(anOp, { minLength: 8, maxLength: 18 }), async (ops) => {
        const shared: Shared[] = []
        for (const op of ops) {
          w.pass(1_000)
          await perform(op, shared).catch((error: unknown) => {
            // What the state does not allow is refused, and changes nothing.
            if (!(error instanceof Refusal)) throw error
          })
        }
        await w.project()
        const found = await given(shared)
        for (const { source, signal } of shared) {
          const sight = await sights.sight(by(), { source: source.slug, signal })
          for (const { participant, sees, name } of sight.participants) {
            expect(sees, `${participant} ${sight.state} ${sight.tlp}: ${name}`).toBe(
              found.has(`${participant} ${signal}`),
            )
            decided.add(name)
            checked += 1
          }
        }
        for (const { slug } of parties) if (!isActive(slug)) await w.decide('participant.resume', { participant: slug })
      }),
      { numRuns: 6, seed: 20_261_127, endOnFailure: true },
    )
    expect(checked).toBeGreaterThan(50)
    // Each rule but the last, which the node keeps from being broken, has decided at least once.
    expect([...decided].filter((name) => name !== null).sort()).toEqual([
      ...['audience', 'expiry', 'kind', 'participation', 'source', 'state'],
    ])
  })
  test('records that it was asked of a signal, and nothing for what is only supposed', async () => {
    const [ash] = parties as [Party]
    const item = w.item({ audience: audiences.programme })
    await w.submit(ash, [item])
    expect(await w.recorded(() => sights.sight(by(), { source: 'ash', signal: item.signal }))).toEqual(['audit.read'])
    const supposed = { source: 'ash', audience: audiences.pair, tlp: 'amber', type: 'url' } as const
    expect(await w.recorded(() => sights.sight(by(), supposed))).toEqual([])
  })
  test('knows nothing of a signal under another name, and asks for what is missing', async () => {
    const [ash] = parties as [Party]
    const item = w.item({ audience: audiences.programme })
    await w.submit(ash, [item])
    for (const asked of [
      { source: 'beech', signal: item.signal },
      { source: 'nobody', signal: item.signal },
      { source: 'ash', signal: newId(w.now()) },
    ])
      await expect(sights.sight(by(), asked)).rejects.toMatchObject({ code: 'not-found' })
    for (const asked of [{ tlp: 'amber' }, { signal: item.signal, tlp: 'amber' }] as const)
      await expect(sights.sight(by(), { source: 'ash', ...asked })).rejects.toMatchObject({ code: 'filter-value' })
  })
})
