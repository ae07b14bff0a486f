import { Refusal } from '../../kernel/errors.ts'
import { type JsonLimits, parseStrict } from '../../kernel/strict-json.ts'
import type { StatusDetail, TaxiiStatus } from './port.ts'

/** Bytes of an envelope. */
export const CONTENT_MAX = 4_194_304
/** Objects of one. */
export const OBJECTS_MAX = 10_000

const LIMITS: JsonLimits = { depth: 8, members: 64, string: 8_192, array: OBJECTS_MAX }

/**
 * The objects of an envelope. Throws `invalid-json` or `json-strict` (400) for what is no JSON, and `validation-failed` (422) for what is no
 * envelope with objects, such as a bundle.
 */
export function objectsOf(bytes: Uint8Array): readonly unknown[] {
  const value = parseStrict(bytes, LIMITS)
  const { objects, type, ...rest } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  const known = Object.keys(rest).every((name) => name === 'more' || name === 'next')
  if (Array.isArray(objects) && objects.length > 0 && type === undefined && known) return objects
  throw new Refusal('validation-failed', {
    ...{ detail: 'expected an envelope with objects', errors: [{ pointer: '/objects', code: 'validation-failed' }] },
  })
}

/** The resource that tells what became of objects; lists that were empty are left out. */
export function statusOfAll(
  id: string,
  at: Date,
  told: { successes: readonly StatusDetail[]; failures: readonly StatusDetail[] },
): TaxiiStatus {
  const { successes, failures } = told
  return {
    ...{ id, status: 'complete', request_timestamp: `${at.toISOString().slice(0, 23)}000Z` },
    ...{ total_count: successes.length + failures.length, success_count: successes.length },
    ...(successes.length === 0 ? {} : { successes }),
    failure_count: failures.length,
    ...(failures.length === 0 ? {} : { failures }),
    pending_count: 0,
  }
}
