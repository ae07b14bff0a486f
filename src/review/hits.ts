import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { FactsOf, SignalFacts } from '../feeds/facts.ts'
import { findRaw } from '../identifiers/raw-value.ts'
import { concat, toBase64Url, u32 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid, uuidBytes } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { leafHash, treeHash } from '../provenance/merkle.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { SIGNAL_TYPE } from '../signals/schema.ts'
import { crosses, openCase } from './case.ts'
import * as decisionStore from './decision-store.ts'
import * as hitStore from './hit-store.ts'
import type { HitReport, HitResult } from './schema.ts'
import * as store from './store.ts'

export interface HitsOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  facts: FactsOf
  categoryId(taxonomy: number, slug: string): number
  participantBySlug(slug: string): { participant_id: Uuid } | undefined
  /** How many recipients confirmed a signal, as the participant may know it. */
  confirmations(tx: Tx<'participant'>, of: { origin: Uuid; signal: Uuid }): Promise<number>
}

type By = { participant: Uuid; slug: string }
type Reported = HitReport['hits'][number]

/** What a platform's own matcher found: counted, and a case opened where the count says so. */
export const createHits =
  (options: HitsOptions) =>
  async (by: By, { hits }: HitReport): Promise<HitResult> => {
    const { db, provenance } = options
    provenance.admit()
    const result = await asParticipant(db, by.participant, (tx) => report(options, tx, { by, hits }))
    provenance.wake()
    return result
  }

async function report(
  options: HitsOptions,
  tx: Tx<'participant'>,
  { by, hits }: { by: By; hits: readonly Reported[] },
): Promise<HitResult> {
  const now = options.clock()
  const named = hits.map((hit) => ({ hit, origin: options.participantBySlug(hit.source)?.participant_id }))
  const names = named.flatMap(({ hit, origin }) =>
    origin === undefined ? [] : [{ origin, signal: hit.signal, key: hit.key }],
  )
  const found = await options.facts(tx, by.participant, names, now)
  const factsOf = new Map(found.map((one) => [`${one.origin}/${one.signal}`, one]))
  const event = newId(now)
  const leaves: Uint8Array[] = []
  const results: HitResult['results'] = []
  for (const [index, { hit, origin }] of named.entries()) {
    if (isRaw(hit.own_ref)) {
      results.push({ index, status: 422, code: 'raw-identifier' })
      continue
    }
    const facts = factsOf.get(`${origin}/${hit.signal}`)
    const taken =
      origin === undefined || origin === by.participant
        ? undefined
        : await take(options, tx, { by, hit, origin, facts, event, now })
    if (taken === undefined) results.push({ index, status: 404, code: 'not-found' })
    else results.push({ index, status: 200, ...(taken.case_id !== undefined && { case: taken.case_id }) })
    if (taken?.changed === true) leaves.push(leafHash(sha256, concat(uuidBytes(hit.signal), u32(hit.count))))
  }
  if (leaves.length === 0) return { results, event: null }
  await options.provenance.record(tx, {
    ...{ kind: 'hit.reported', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
    fields: { n: leaves.length, root: toBase64Url(treeHash(sha256, leaves)) },
  })
  return { results, event }
}

/** A number that stands alone, or after letters, is that of a ticket, however long it is. */
const TICKET = /^[A-Za-z]*[._-]?[0-9]+$/

const isRaw = (own_ref: string | undefined): boolean =>
  own_ref !== undefined && !TICKET.test(own_ref) && findRaw(own_ref).length > 0

interface Taking {
  by: By
  hit: Reported
  origin: Uuid
  facts: SignalFacts | undefined
  event: Uuid
  now: Date
}

/** Undefined for a signal that is not the participant's to see and of which it reported nothing before. */
async function take(
  options: HitsOptions,
  tx: Tx<'participant'>,
  taking: Taking,
): Promise<{ changed: boolean; case_id: Uuid | undefined } | undefined> {
  const { by, hit, origin, facts, event } = taking
  const name = { participant_id: by.participant, origin, signal_id: hit.signal }
  const counted = { count: hit.count, last_at: new Date(hit.last_at), own_ref: hit.own_ref ?? null, last_event: event }
  const find = () => hitStore.hitForUpdate(tx, by.participant, name)
  let known = await find()
  if (known === undefined) {
    if (facts === undefined) return undefined
    // Locked first: a decision that is just released is waited for, or finds this row.
    await store.liveCase(tx, by.participant, name)
    const again = await decisionStore.isActedOn(tx, by.participant, name)
    const row = { ...name, ...counted, signal_key: store.NO_KEY, acted_count: again ? 0 : null }
    if (await hitStore.insertHit(tx, row)) return opened(options, tx, { ...taking, before: 0, again })
    // Another report made it meanwhile: its count is the one before.
    known = await find()
    if (known === undefined) throw new Refusal('busy', { retryAfter: 1 })
  }
  if (hit.count <= known.count) return { changed: false, case_id: undefined }
  await hitStore.updateHit(tx, name, counted)
  return opened(options, tx, { ...taking, before: known.count, again: known.acted_count !== null })
}

async function opened(
  options: HitsOptions,
  tx: Tx<'participant'>,
  { before, again, ...taking }: Taking & { before: number; again: boolean },
): Promise<{ changed: true; case_id: Uuid | undefined }> {
  const { hit, facts } = taking
  const reaches = crosses(before, hit.count)
  if (facts === undefined || !(reaches || again)) return { changed: true, case_id: undefined }
  const opening = { ref: refOf(hit.count, again), oneOfMany: !reaches }
  const { case_id } = await openForHit(options, tx, { ...taking, ...opening, facts })
  return { changed: true, case_id }
}

/** Each number opens once; after an action each further report does, unless it is to be looked at already. */
const refOf = (count: number, again: boolean): string => (again ? `again-${count}` : `hits-${count}`)

async function openForHit(
  options: HitsOptions,
  tx: Tx<'participant'>,
  { by, hit, origin, facts, now, ref, oneOfMany }: Taking & { facts: SignalFacts; ref: string; oneOfMany: boolean },
): Promise<{ case_id: Uuid | undefined }> {
  const { taxonomy, category, severity, confidence, type } = facts.item
  return openCase(options.provenance, tx, {
    ...by,
    facts: {
      ...{ origin, signal_id: hit.signal, signal_key: Buffer.from(hit.key, 'hex'), revision: facts.revision },
      ...{ type: SIGNAL_TYPE[type], category: options.categoryId(taxonomy, category), severity, confidence },
    },
    ...{ trigger: 'private_hit', ref, own_hits: hit.count, disputed: false, now, oneOfMany },
    confirmations: await options.confirmations(tx, { origin, signal: hit.signal }),
  })
}
