import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { concat, equal, fromBase64Url, toBase64Url, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { dayOf, nextDay } from '../kernel/day.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { OprfPool } from '../keys/oprf-pool.ts'
import type { KeyService } from '../keys/service.ts'
import type { Authority } from '../participants/authority.ts'
import { EVALUATION_PURPOSES, type EvaluationPurpose, type KeyShare, OPRF_SUITE } from '../participants/schema.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import type { Evaluated } from './oprf.ts'
import type { Evaluation, EvaluationResult, OprfKey, OprfKeyList } from './schema.ts'
import * as store from './store.ts'

/** How long the very same request, under the same key, is not debited again. */
export const FREE_AGAIN_MS = 10 * 60_000

export interface EvaluationOptions {
  db: Db
  /** Reads what everybody used. */
  ledger: Db
  clock: Clock
  keys: Pick<KeyService, 'evaluate'>
  pool: Pick<OprfPool, 'enter' | 'firstInvalid'>
  provenance: Pick<ProvenanceService, 'admit'>
  authority: Pick<Authority, 'hashProfile' | 'hashProfiles' | 'quota'>
  /** Whether a participant may have so many elements evaluated just now, and how many it might. */
  bursts: { take(participant: Uuid, elements: number): boolean; left(participant: Uuid): number; limit: number }
  /** How the key of an epoch is named in the key service. */
  keyId(kid: string): string
}

export interface EvaluationService {
  keys(): OprfKeyList
  /** Debits, by an own committed write, and then evaluates; `key` names the request. */
  evaluate(participant: Uuid, key: Uuid, asked: Evaluation): Promise<EvaluationResult>
  /** Of each participant and purpose, the part of today's quota that is used. */
  used(): Promise<{ participant: Uuid; purpose: string; part: number }[]>
  /** What one participant used of today's quotas, by purpose, and how many elements it might have evaluated at once now. */
  usedBy(participant: Uuid): Promise<EvaluationUse>
}

export interface EvaluationUse {
  quotas: { purpose: EvaluationPurpose; used: number; limit: number }[]
  /** When the quotas begin anew. */
  resets_at: Date
  burst: { left: number; limit: number }
}

export function createEvaluationService(options: EvaluationOptions): EvaluationService {
  const { db, ledger, clock, keys, pool, provenance, authority, bursts, keyId } = options
  return {
    keys: () => ({ keys: authority.hashProfiles().flatMap((profile) => keyOf(profile) ?? []) }),
    async evaluate(participant, key, asked) {
      const { kid, elements } = asked
      expectRunning(authority.hashProfile(kid), clock())
      const bytes = elementsOf(elements)
      provenance.admit()
      if (!bursts.take(participant, elements.length))
        throw new Refusal('rate-limited', { detail: 'fewer elements a minute', retryAfter: 5 })
      return pool.enter(async () => {
        const invalid = await pool.firstInvalid(bytes)
        if (invalid !== undefined) throw noElement(invalid)
        await debit(options, { participant, key, asked, bytes })
        return { kid, shares: [shareOf(await keys.evaluate(keyId(kid), bytes))] }
      })
    },
    async used() {
      const rows = await store.usedOn(ledger, dayOf(clock()))
      return rows.map(({ participant_id: participant, purpose, used }) => {
        const quota = authority.quota(participant, purpose as EvaluationPurpose)
        return { participant, purpose, part: used / Math.max(1, quota) }
      })
    },
    async usedBy(participant) {
      const now = clock()
      const rows = await asParticipant(db, participant, (tx) => store.usedByOn(tx, participant, dayOf(now)))
      return {
        quotas: EVALUATION_PURPOSES.map((purpose) => ({
          ...{ purpose, limit: authority.quota(participant, purpose) },
          used: rows.find((row) => row.purpose === purpose)?.used ?? 0,
        })),
        resets_at: nextDay(now),
        burst: { left: bursts.left(participant), limit: bursts.limit },
      }
    },
  }
}

type Profile = NonNullable<ReturnType<Authority['hashProfile']>>

function keyOf(profile: Profile): OprfKey | undefined {
  const { kid, suite, status, public_key, shares, published, not_before, not_after } = profile
  if (suite !== OPRF_SUITE || public_key === null || shares === null || published === null) return undefined
  return {
    ...{ kid, suite, status },
    public_key: toBase64Url(public_key),
    shares: JSON.parse(shares) as KeyShare[],
    not_before: not_before.toISOString(),
    not_after: not_after.toISOString(),
    event: published,
  }
}

function expectRunning(profile: Profile | undefined, now: Date): void {
  if (profile === undefined || profile.suite !== OPRF_SUITE) throw new Refusal('hash-profile-unknown')
  if (profile.status === 'retired') throw new Refusal('hash-profile-retired')
  if (now < profile.not_before) throw new Refusal('hash-profile-unknown', { detail: 'the key epoch has not begun' })
}

function elementsOf(elements: readonly string[]): Uint8Array {
  return concat(
    ...elements.map((text, i) => {
      const bytes = fromBase64Url(text)
      if (bytes === undefined) throw noElement(i)
      return bytes
    }),
  )
}

function noElement(i: number): Refusal {
  const pointer = `/elements/${i}`
  return new Refusal('element-invalid', { errors: [{ pointer, code: 'element-invalid' }] })
}

const shareOf = ({ elements, proof }: Evaluated): EvaluationResult['shares'][number] => ({
  index: 1,
  elements: elements.map((element) => toBase64Url(element)),
  proof: toBase64Url(proof),
})

interface Asking {
  participant: Uuid
  key: Uuid
  asked: Evaluation
  bytes: Uint8Array
}

/** Committed before any work: who breaks off in the middle has paid. */
async function debit({ db, clock, authority }: EvaluationOptions, asking: Asking): Promise<void> {
  const { participant, key, asked, bytes } = asking
  const { kid, purpose, elements } = asked
  const n = elements.length
  const at = clock()
  const digest = sha256(concat(utf8(`${kid}\n${purpose}\n`), bytes))
  const quota = authority.quota(participant, purpose)
  await asParticipant(db, participant, async (tx) => {
    const row = { participant_id: participant, batch_key: key, digest, kid, purpose, n, at }
    if (!(await store.insertBatch(tx, row))) return expectRepeated(await store.batch(tx, participant, key), row)
    const of = { participant_id: participant, day: dayOf(at), purpose, n, quota }
    if (n > quota || !(await store.debit(tx, of))) {
      const retryAfter = Math.ceil((nextDay(at).getTime() - at.getTime()) / 1_000)
      throw new Refusal('quota-exceeded', {
        detail: 'it begins anew at midnight UTC',
        extra: { limit: quota },
        retryAfter,
      })
    }
  })
}

function expectRepeated(known: Pick<store.BatchRow, 'digest' | 'at'> | undefined, row: store.BatchRow): void {
  const same = known !== undefined && equal(known.digest, row.digest)
  if (same && row.at.getTime() - known.at.getTime() < FREE_AGAIN_MS) return
  throw new Refusal('state-conflict', { detail: 'the Idempotency-Key was used before; take a new one' })
}
