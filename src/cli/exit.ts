import { AldisError, VerificationFailed } from '../client/errors.ts'
import { Refusal, StartRefused } from '../kernel/errors.ts'

/** Documented exit codes; scripts branch on them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  notFound: 4,
  conflict: 5,
  limited: 6,
  unverified: 7,
  someRefused: 8,
  config: 78,
} as const

const BY_STATUS: Readonly<Record<number, number>> = {
  401: EXIT.refused,
  403: EXIT.refused,
  404: EXIT.notFound,
  409: EXIT.conflict,
  410: EXIT.conflict,
  429: EXIT.limited,
}

/** What a command ends with after an error, and the sentence for the person in front of it. */
export function faultOf(error: unknown): { code: number; says: string } {
  if (error instanceof StartRefused) return { code: EXIT.config, says: error.message }
  if (error instanceof VerificationFailed) return { code: EXIT.unverified, says: `not verified: ${error.message}` }
  if (error instanceof AldisError) {
    const pointers = error.errors.map(({ pointer }) => pointer).filter((pointer) => pointer !== '')
    const at = pointers.length === 0 ? '' : ` (${pointers.join(', ')})`
    const request = error.requestId === undefined ? '' : ` [request ${error.requestId}]`
    return { code: BY_STATUS[error.status] ?? EXIT.failed, says: `${error.message}${at}${request}` }
  }
  if (error instanceof Refusal) {
    return { code: BY_STATUS[error.status] ?? EXIT.failed, says: error.message }
  }
  const { code, message = 'failed' } = error as { code?: string; message?: string }
  if (code === 'ECONNREFUSED')
    return { code: EXIT.failed, says: 'the node does not answer: is it running, at this address?' }
  return { code: EXIT.failed, says: message }
}
