import { asParticipant, atControl, type Tx, withAddition } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { dayOf, nextDay } from '../kernel/day.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import * as store from './idempotency-store.ts'
import { LIMITS } from './limits.ts'

/** An answer as it left: the headers that are its own, and its bytes. */
export interface KeptAnswer {
  status: number
  headers: Readonly<Record<string, string>>
  body: string
}

/** What is asked, by whom, under which key. */
export interface KeyedRequest {
  participant: Uuid
  credential: Uuid
  key: string
  /** Method, URL and body. */
  request: readonly string[]
  /** Repeated it is carried out again, and no answer is kept. */
  again: boolean
}

/** One attempt to carry out a request under a key. */
export interface Claim {
  readonly name: store.KeyName
  readonly id: Uuid
  readonly again: boolean
  readonly request: Buffer
  over: boolean
}

export interface IdempotencyKeys {
  /**
   * The attempt that may go on, durably claimed; or the answer that an earlier one left. `idempotency-in-flight`,
   * `idempotency-key-reused`, `idempotency-answer-lost`, `quota-exceeded`.
   */
  claim(asked: KeyedRequest): Promise<Claim | KeptAnswer>
  /** Each transaction of `work` that changes something says so in the row of the key, or is rolled back if another attempt took its place. */
  within<T>(claim: Claim, work: () => T): T
  /** Before the first byte leaves. What may be kept is; where nothing was changed a refusal leaves no trace. */
  settle(claim: Claim, answer: Omit<KeptAnswer, 'body'> & { body: string | undefined }): Promise<void>
  /** New keys of a participant today (UTC), of how many, and when the next day begins. */
  usedBy(participant: Uuid): Promise<{ used: number; limit: number; resets_at: Date }>
}

interface Options {
  db: Db
  clock: Clock
  keys: Pick<KeyService, 'seal' | 'open'>
  /** Answers are sealed under it. */
  kid: string
}

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
const KEYS_AT_ONCE = 5_000

export const isClaim = (found: Claim | KeptAnswer): found is Claim => 'id' in found

export function createIdempotencyKeys(options: Options): IdempotencyKeys {
  const { db, clock, keys, kid } = options
  return {
    async claim({ participant, credential, key, request, again }) {
      const name = { participant_id: participant, credential_id: credential, key_digest: sha256(key) }
      const claim: Claim = { name, id: newId(clock()), again, request: sha256(JSON.stringify(request)), over: false }
      const kept = await asParticipant(db, participant, (tx) => claimIn(tx, claim, clock()))
      if (kept === undefined) return claim
      return JSON.parse(keys.open(kid, kept, boundTo(claim)).toString()) as KeptAnswer
    },
    within: (claim, work) =>
      withAddition({ participant: claim.name.participant_id, add: (tx) => mark(tx, claim) }, work),
    async settle(claim, { status, headers, body }) {
      claim.over = true
      const { name, id, again } = claim
      const text = again || body === undefined ? undefined : JSON.stringify({ status, headers, body })
      const isLong = text !== undefined && Buffer.byteLength(text) > LIMITS.idempotency_answer_bytes
      const answer = text === undefined || isLong ? null : keys.seal(kid, Buffer.from(text), boundTo(claim))
      const refused = status >= 300
      await asParticipant(db, name.participant_id, async (tx) => {
        if (isFinal(status) && (await store.finishKey(tx, name, { claim: id, answer, refused }))) return
        await store.releaseKey(tx, name, id, clock())
      })
    },
    async usedBy(participant) {
      const now = clock()
      const used = await asParticipant(db, participant, (tx) => store.keysUsedOn(tx, participant, dayOf(now)))
      return { used, limit: LIMITS.idempotency_keys_per_day, resets_at: nextDay(now) }
    },
  }
}

/** What another try would not change: neither a fault of the node nor that there was too much. */
const isFinal = (status: number): boolean => status < 500 && status !== 408 && status !== 429

/** The very key of that credential, and the very request. */
const boundTo = ({ name, request }: Claim): Buffer =>
  Buffer.concat([Buffer.from(`${name.participant_id}/${name.credential_id}/`), name.key_digest, request])

async function mark(tx: Tx, { name, id, over }: Claim): Promise<void> {
  if (!over && !(await store.markChanged(tx, name, id))) throw inFlight()
}

const inFlight = (): Refusal => new Refusal('idempotency-in-flight', { retryAfter: 1 })

/** The sealed answer to be given again; undefined if the attempt goes on. */
async function claimIn(tx: Tx, claim: Claim, now: Date): Promise<Buffer | undefined> {
  const { name, id, request, again } = claim
  const attempt: store.Attempt = {
    ...{ request_digest: request, claim: id },
    claimed_until: new Date(now.getTime() + LIMITS.idempotency_claim_seconds * SECOND_MS),
    expires_at: new Date(now.getTime() + LIMITS.idempotency_hours * HOUR_MS),
  }
  if (await store.insertKey(tx, name, attempt)) return debit(tx, name.participant_id, now)
  const found = await store.keyForUpdate(tx, name)
  // Its attempt ended between the two statements, without a trace.
  if (found === undefined) throw inFlight()
  if (found.expires_at <= now) {
    await store.takeKey(tx, name, attempt)
    return debit(tx, name.participant_id, now)
  }
  if (!found.request_digest.equals(request)) throw new Refusal('idempotency-key-reused')
  if (found.done && found.answer !== null) {
    await store.countReplay(tx, name)
    return found.answer
  }
  if (!found.done && found.claimed_until > now) throw inFlight()
  if (!again && (found.done || found.changed)) throw lost()
  await store.takeKey(tx, name, { ...attempt, expires_at: found.expires_at })
  return undefined
}

const lost = (): Refusal =>
  new Refusal('idempotency-answer-lost', {
    detail: 'read what it was to change, and send what is still to be done under a new key',
  })

async function debit(tx: Tx, participant_id: Uuid, now: Date): Promise<undefined> {
  const quota = LIMITS.idempotency_keys_per_day
  if (await store.debitKey(tx, { participant_id, day: dayOf(now), quota })) return
  const retryAfter = Math.ceil((nextDay(now).getTime() - now.getTime()) / SECOND_MS)
  throw new Refusal('quota-exceeded', { detail: 'of new Idempotency-Keys', extra: { limit: quota }, retryAfter })
}

/** Forgets an organisation's keys beyond their time, a portion at a time. `admin` logs in as `aldis_admin`. */
export function createKeyForgetting({ admin, clock }: { admin: Db; clock: Clock }) {
  /** Answers how many. */
  return (participant: Uuid): Promise<number> =>
    atControl(admin, (tx) => store.forgetKeys(tx, participant, { now: clock(), limit: KEYS_AT_ONCE }))
}
