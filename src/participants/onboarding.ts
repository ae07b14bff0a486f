import { atControl, type Tx } from '../db/as-participant.ts'
import { findRaw } from '../identifiers/raw-value.ts'
import { fromHex, toHex } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Page, type PageAsked, pageOf } from '../kernel/page.ts'
import { type Act, type ActContext, inRole, log } from './act.ts'
import {
  type ChecklistItem,
  ITEM_STATE,
  type ItemState,
  mayMove,
  missingOf,
  ONBOARDING_OUTCOME,
  type OnboardingOutcome,
} from './checklist.ts'
import * as store from './onboarding-store.ts'
import { type AgreementPolicy, nameOf, PARTICIPANT_KIND, type ParticipantKind } from './schema.ts'
import { participantBySlug, policyBodies } from './store.ts'

/** What is shown of one item: the document by its digest, never the document. */
export interface Evidence {
  /** SHA-256 of the document, lower-case hex. */
  digest: string
  /** Of the agreement; which one it is. */
  version?: string | undefined
  /** Of the agreement: in which office somebody signed it, no name. */
  signatory?: string | undefined
}

/** What is said of one item, and of which document: what was shown anew meanwhile is not judged unseen. */
export interface Judgement {
  item: ChecklistItem
  /** SHA-256 of the document that was looked at, lower-case hex. */
  digest: string
  verdict: 'accepted' | 'returned'
}

export interface ListedItem extends Partial<Evidence> {
  item: string
  state: ItemState
  provided_by?: Uuid
  provided_at?: Date
  judged_by?: Uuid | undefined
  judged_at?: Date | undefined
}

export interface ListedOnboarding {
  onboarding: Uuid
  slug: string
  name: string
  kind: ParticipantKind
  opened_by: Uuid
  opened_at: Date
  outcome: OnboardingOutcome | undefined
  closed_at: Date | undefined
  items: readonly ListedItem[]
  /** Items that keep it from being admitted. */
  missing: readonly ChecklistItem[]
}

export interface Onboardings {
  /** One at a time of a name that nobody has. */
  openOnboarding(by: Uuid, who: { slug: string; name: string; kind: ParticipantKind }): Promise<{ onboarding: Uuid }>
  /** A node administrator says that the document was shown, which begins the item anew. */
  provideItem(by: Uuid, onboarding: Uuid, item: ChecklistItem, evidence: Evidence): Promise<void>
  /** Governance has looked at it. `state-conflict` where another document was shown since. */
  judgeItem(by: Uuid, onboarding: Uuid, judgement: Judgement): Promise<void>
  abandonOnboarding(by: Uuid, onboarding: Uuid): Promise<void>
  /** The newest first, 200 at most. */
  listOnboardings(): Promise<ListedOnboarding[]>
  onboardingPage(asked: PageAsked): Promise<Page<ListedOnboarding>>
  /** `not-found` where there is none. */
  findOnboarding(onboarding: Uuid): Promise<ListedOnboarding>
}

const LISTED_MAX = 200

type Recording = Pick<ActContext, 'recorder' | 'programme'>

export function createOnboardings(
  context: Pick<ActContext, 'admin' | 'clock' | 'recorder' | 'programme'>,
): Onboardings {
  const { admin, clock } = context
  const asRole = <T>(by: Uuid, role: 'node_admin' | 'governance', work: (tx: Tx, act: Act) => Promise<T>): Promise<T> =>
    atControl(admin, async (tx) => {
      await inRole(tx, by, [role])
      return work(tx, { at: clock(), person: by })
    })
  return {
    openOnboarding: (by, who) =>
      asRole(by, 'node_admin', async (tx, act) => {
        const taken = who.slug === 'node' || (await participantBySlug(tx, who.slug)) !== undefined
        if (taken || (await store.openOnboarding(tx, who.slug)) !== undefined)
          throw new Refusal('state-conflict', { detail: 'the name is taken, or its onboarding is open' })
        const onboarding_id = newId(act.at)
        const fields = { onboarding: onboarding_id, participant: who.slug, kind: who.kind }
        const event = await log(context, { tx, act }, { kind: 'onboarding.opened', fields })
        await store.insertOnboarding(tx, {
          ...{ onboarding_id, slug: who.slug, name: who.name, kind: PARTICIPANT_KIND[who.kind], opened_by: by },
          ...{ opened_at: act.at, outcome: null, closed_at: null, last_event: event },
        })
        return { onboarding: onboarding_id }
      }),
    provideItem: (by, onboarding, item, evidence) =>
      asRole(by, 'node_admin', async (tx, act) => {
        const { digest, version = null, signatory = null } = checkEvidence(item, evidence)
        if (item === 'agreement') await checkPublished(tx, evidence)
        await moveItem(context, { tx, act }, { onboarding, item, to: 'provided' }, () => ({
          ...{ digest, version, signatory, provided_by: by, provided_at: act.at, judged_by: null, judged_at: null },
        }))
      }),
    judgeItem: (by, onboarding, { item, digest, verdict }) =>
      asRole(by, 'governance', async (tx, act) => {
        await moveItem(context, { tx, act }, { onboarding, item, to: verdict }, (row) => {
          if (row === undefined) throw new Error('an item that nobody provided is judged')
          if (row.provided_by === by) throw new Refusal('self-approval')
          if (toHex(row.digest) !== digest)
            throw new Refusal('state-conflict', { detail: 'another document was shown since; look at that one' })
          return { ...row, judged_by: by, judged_at: act.at }
        })
      }),
    abandonOnboarding: (by, onboarding) =>
      asRole(by, 'node_admin', async (tx, act) => {
        await openOne(tx, onboarding)
        await close(context, { tx, act }, { onboarding, outcome: 'abandoned' })
      }),
    listOnboardings: () =>
      atControl(admin, async (tx) => withItems(tx, await store.onboardings(tx, { limit: LISTED_MAX }))),
    onboardingPage: ({ after, limit }) =>
      atControl(admin, async (tx) => {
        const found = await store.onboardings(tx, { after, limit: limit + 1 })
        const { rows, next } = pageOf(found, limit, ({ onboarding_id }) => onboarding_id)
        return { rows: await withItems(tx, rows), next }
      }),
    findOnboarding: (onboarding) =>
      atControl(admin, async (tx) => {
        const row = await store.onboardingOf(tx, onboarding)
        if (row === undefined) throw new Refusal('not-found', { detail: 'the list of onboardings has their ids' })
        return listed(row, await store.itemsOf(tx, [onboarding]))
      }),
  }
}

async function withItems(tx: Tx, rows: readonly store.OnboardingRow[]): Promise<ListedOnboarding[]> {
  const ids = rows.map(({ onboarding_id }) => onboarding_id)
  const items = ids.length === 0 ? [] : await store.itemsOf(tx, ids)
  return rows.map((row) =>
    listed(
      row,
      items.filter((one) => one.onboarding_id === row.onboarding_id),
    ),
  )
}

/** Part of an admission: refused by name while anything is missing; the agreement goes with the participant from now on. */
export async function endOnboarding(
  context: Recording,
  { tx, act }: { tx: Tx; act: Act },
  admission: { onboarding: Uuid; participant_id: Uuid; slug: string; name: string; kind: ParticipantKind },
): Promise<void> {
  const { onboarding, participant_id, slug } = admission
  const row = await openOne(tx, onboarding)
  if (row.slug !== slug || row.name !== admission.name || row.kind !== PARTICIPANT_KIND[admission.kind])
    throw new Refusal('state-conflict', { detail: 'the onboarding is of another organisation' })
  const items = await store.itemsOf(tx, [onboarding])
  const missing = missingOf(new Map(items.map(({ item, state }) => [item, nameOf(ITEM_STATE, state)])))
  if (missing.length > 0)
    throw new Refusal('onboarding-incomplete', { detail: `not accepted yet: ${missing.join(', ')}` })
  const agreement = items.find(({ item }) => item === 'agreement')
  if (agreement?.version == null || agreement.signatory === null) throw new Error('an agreement without its version')
  const { version, digest, signatory } = agreement
  const fields = { participant: slug, version, signatory }
  const event = await log(context, { tx, act }, { kind: 'agreement.accepted', subject: slug, fields })
  await store.insertAgreement(tx, {
    ...{ participant_id, version, digest, signatory, accepted_at: act.at, last_event: event },
  })
  await close(context, { tx, act }, { onboarding, outcome: 'admitted' })
}

async function openOne(tx: Tx, onboarding: Uuid): Promise<store.OnboardingRow> {
  const row = await store.onboardingForUpdate(tx, onboarding)
  if (row === undefined) throw new Refusal('not-found')
  if (row.closed_at !== null) throw new Refusal('state-conflict', { detail: 'the onboarding is closed' })
  return row
}

async function close(
  context: Recording,
  within: { tx: Tx; act: Act },
  { onboarding, outcome }: { onboarding: Uuid; outcome: OnboardingOutcome },
): Promise<void> {
  const event = await log(context, within, { kind: 'onboarding.closed', fields: { onboarding, outcome } })
  const change = { outcome: ONBOARDING_OUTCOME[outcome], closed_at: within.act.at, last_event: event }
  await store.closeOnboarding(within.tx, onboarding, change)
}

type Changed = Omit<store.ItemRow, 'onboarding_id' | 'item' | 'state' | 'last_event'>

async function moveItem(
  context: Recording,
  within: { tx: Tx; act: Act },
  { onboarding, item, to }: { onboarding: Uuid; item: ChecklistItem; to: keyof typeof ITEM_STATE },
  change: (row: store.ItemRow | undefined) => Changed,
): Promise<void> {
  const { tx } = within
  await openOne(tx, onboarding)
  const row = (await store.itemsOf(tx, [onboarding])).find((one) => one.item === item)
  const from: ItemState = row === undefined ? 'open' : nameOf(ITEM_STATE, row.state)
  if (!mayMove(from, to)) throw new Refusal('state-conflict', { detail: `the item is ${from}` })
  const changed = change(row)
  const { version, digest } = changed
  const fields = { onboarding, item, state: to, digest: toHex(digest), ...(version !== null && { version }) }
  const event = await log(context, within, { kind: 'onboarding.moved', fields })
  await store.putItem(tx, { ...changed, onboarding_id: onboarding, item, state: ITEM_STATE[to], last_event: event })
}

const VERSION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/
const SIGNATORY_MAX = 80

function checkEvidence(item: ChecklistItem, { digest, version, signatory }: Evidence) {
  const bytes = /^[0-9a-f]{64}$/.test(digest) ? fromHex(digest) : undefined
  const wrong = (field: string, detail: string): Refusal =>
    new Refusal('validation-failed', { errors: [{ pointer: `/${field}`, code: 'validation-failed', detail }] })
  if (bytes === undefined) throw wrong('digest', 'SHA-256 of the document: 64 digits 0-9 and a-f')
  if (item !== 'agreement') return { digest: Buffer.from(bytes) }
  if (version === undefined || !VERSION.test(version)) throw wrong('version', 'such as v3 or 2026-05')
  if (signatory === undefined || signatory === '' || signatory.length > SIGNATORY_MAX)
    throw wrong('signatory', 'the office of who signed, such as general counsel')
  if (findRaw({ signatory }).length > 0)
    throw new Refusal('raw-identifier', { errors: [{ pointer: '/signatory', code: 'raw-identifier' }] })
  return { digest: Buffer.from(bytes), version, signatory }
}

/** What was signed is one of the agreements that the programme has published, if it has any. */
async function checkPublished(tx: Tx, { version, digest }: Evidence): Promise<void> {
  const published = (await policyBodies(tx, 'agreement')).map((body) => JSON.parse(body) as AgreementPolicy)
  if (published.length === 0 || published.some(({ label, sha256 }) => label === version && sha256 === digest)) return
  throw new Refusal('validation-failed', {
    errors: [
      {
        ...{ pointer: '/digest', code: 'validation-failed' as const },
        detail: 'no agreement of this version and digest was published',
      },
    ],
  })
}

function listed(row: store.OnboardingRow, items: readonly store.ItemRow[]): ListedOnboarding {
  const states = new Map(items.map(({ item, state }) => [item, nameOf(ITEM_STATE, state)] as const))
  return {
    ...{ onboarding: row.onboarding_id, slug: row.slug, name: row.name, opened_by: row.opened_by },
    kind: nameOf(PARTICIPANT_KIND, row.kind),
    opened_at: row.opened_at,
    outcome: row.outcome === null ? undefined : nameOf(ONBOARDING_OUTCOME, row.outcome),
    closed_at: row.closed_at ?? undefined,
    items: items.map(({ item, state, version, digest, signatory, provided_by, provided_at, judged_by, judged_at }) => ({
      ...{ item, state: nameOf(ITEM_STATE, state), digest: toHex(digest), provided_by, provided_at },
      ...{ version: version ?? undefined, signatory: signatory ?? undefined },
      ...{ judged_by: judged_by ?? undefined, judged_at: judged_at ?? undefined },
    })),
    missing: missingOf(states),
  }
}
