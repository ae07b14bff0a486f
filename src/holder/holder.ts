import { Compile } from 'typebox/compile'
import { concat, fromBase64Url, toBase64Url, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { isUuid } from '../kernel/ids.ts'
import { firstFault } from '../kernel/schema.ts'
import { sha256 } from '../kernel/sha256.ts'
import { JSON_LIMITS, parseStrict } from '../kernel/strict-json.ts'
import type { OprfPool } from '../keys/oprf-pool.ts'
import type { KeyService } from '../keys/service.ts'
import { Evaluation, type EvaluationResult } from '../matching/schema.ts'
import type { Ledger } from './ledger.ts'

export interface HolderOptions {
  keys: Pick<KeyService, 'has' | 'evaluate'>
  pool: Pick<OprfPool, 'enter' | 'firstInvalid'>
  ledger: Ledger
  clock: Clock
}

/** What a participant sent. */
export interface Asked {
  participant: string
  key: string | undefined
  body: Uint8Array
}

/** Evaluates under its part of a key. */
export interface Holder {
  evaluate(asked: Asked): Promise<EvaluationResult>
}

/** The part of a key that stands here is always the second: the node's is the first. */
const INDEX = 2
const EVALUATION = Compile(Evaluation)

/** How the part of an epoch's key is named in the holder's folder. */
export const partId = (kid: string): string => `part-${kid}`

export function createHolder({ keys, pool, ledger, clock }: HolderOptions): Holder {
  return {
    async evaluate({ participant, key, body }) {
      if (key === undefined || !isUuid(key))
        throw new Refusal('invalid-header', { detail: 'Idempotency-Key is a UUID of your choice' })
      const { kid, purpose, elements } = evaluationIn(body)
      if (!keys.has(partId(kid))) throw new Refusal('hash-profile-unknown')
      const bytes = concat(...elements.map((text, i) => fromBase64Url(text) ?? refuse(i)))
      return pool.enter(async () => {
        const invalid = await pool.firstInvalid(bytes)
        if (invalid !== undefined) refuse(invalid)
        const digest = toBase64Url(sha256(concat(utf8(`${kid}\n${purpose}\n`), bytes)))
        ledger.debit({ participant, kid, purpose, n: elements.length, key, digest }, clock())
        const made = await keys.evaluate(partId(kid), bytes)
        const share = { elements: made.elements.map((one) => toBase64Url(one)), proof: toBase64Url(made.proof) }
        return { kid, shares: [{ index: INDEX, ...share }] }
      })
    },
  }
}

function evaluationIn(body: Uint8Array): Evaluation {
  const value = parseStrict(Buffer.from(body), JSON_LIMITS)
  if (EVALUATION.Check(value)) return value
  const { pointer, detail } = firstFault(EVALUATION, value)
  throw new Refusal('validation-failed', { errors: [{ pointer, code: 'validation-failed', detail }] })
}

function refuse(i: number): never {
  throw new Refusal('element-invalid', { errors: [{ pointer: `/elements/${i}`, code: 'element-invalid' }] })
}
