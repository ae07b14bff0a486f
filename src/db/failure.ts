import { Refusal } from '../kernel/errors.ts'

/** Codes after which the whole transaction may simply run again: serialisation, deadlock, lock not available. */
const REPEATABLE = new Set(['40001', '40P01', '55P03'])
/** Classes of PostgreSQL errors that say for certain that a COMMIT did not happen. */
const SURELY_ABORTED = new Set(['22', '23', '25', '40', '42', '44', 'P0'])
const NO_WRITES = new Set(['25006', '53100'])
const OVERLOADED = new Set(['57014', '53300', '53200'])

/** The SQLSTATE of an error that PostgreSQL itself sent; undefined for sockets and bugs. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return undefined
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
}

/** Whether the error means that the connection is gone, or was never made. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return state.startsWith('08') || state.startsWith('57P')
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return /^E[A-Z]+$/.test(code) || /connection terminated|not queryable|timeout exceeded/i.test(error.message)
}

/** Whether the row is there already: of two that come at once, the second one. */
export const isTwin = (error: unknown): boolean => sqlState(error) === '23505'

/** Done again where a twin in flight was first: the second time what that one left is found. */
export const orTwin = <T>(work: () => Promise<T>): Promise<T> =>
  work().catch((error: unknown) => {
    if (isTwin(error)) return work()
    throw error
  })

export const isRepeatable = (error: unknown): boolean => REPEATABLE.has(sqlState(error) ?? '')

/** Whether an error answered to COMMIT leaves open if the transaction is durable. */
export const isUnknownAtCommit = (error: unknown): boolean => !SURELY_ABORTED.has((sqlState(error) ?? '').slice(0, 2))

/** An error from before COMMIT as what the caller may be told; what is none of the database's doing stays as it is. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof Refusal) return error
  const state = sqlState(error) ?? ''
  if (NO_WRITES.has(state)) return new Refusal('read-only', { cause: error, retryAfter: 2 })
  if (isRepeatable(error) || OVERLOADED.has(state) || isConnectionLost(error)) {
    return new Refusal('busy', { cause: error, retryAfter: 1 })
  }
  return error
}
