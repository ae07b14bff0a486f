import { AldisError, AnswerTooLong, VerificationFailed } from '../client/errors.ts'
import { Refusal, StartRefused } from '../kernel/errors.ts'
import { type MatchFault, MatchFileRefused } from '../matching/refused.ts'
import { CopyRefused, type RefusalReason } from '../operations/refused.ts'
import { LogFault } from '../provenance/log-source.ts'
import { EndedBySignal } from './ended.ts'

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
  unknown: 9,
  config: 78,
} as const

const BY_STATUS: Readonly<Record<number, number>> = {
  401: EXIT.refused,
  403: EXIT.refused,
  404: EXIT.notFound,
  409: EXIT.conflict,
  410: EXIT.conflict,
  412: EXIT.conflict,
  429: EXIT.limited,
}

const BY_REASON: Readonly<Record<RefusalReason, number>> = {
  'folder-there': EXIT.conflict,
  'folder-missing': EXIT.config,
  'no-database': EXIT.config,
  unfinished: EXIT.unverified,
  damaged: EXIT.unverified,
  'schema-newer': EXIT.config,
  'schema-other': EXIT.conflict,
  'target-filled': EXIT.conflict,
  'in-use': EXIT.conflict,
  'root-differs': EXIT.unverified,
  'key-differs': EXIT.conflict,
}

const BY_MATCH_FAULT: Readonly<Record<MatchFault, number>> = {
  missing: EXIT.config,
  'no-match-file': EXIT.config,
  'version-other': EXIT.config,
  'byte-order': EXIT.config,
  truncated: EXIT.unverified,
  damaged: EXIT.unverified,
  'other-programme': EXIT.config,
  'mirror-truncated': EXIT.unverified,
  'mirror-damaged': EXIT.unverified,
  'mirror-other-programme': EXIT.config,
  'too-many-words': EXIT.failed,
  'too-many': EXIT.failed,
}

/** What a command ends with after an error, and the sentence for the person in front of it. */
export function faultOf(error: unknown): { code: number; says: string } {
  if (error instanceof EndedBySignal) return { code: error.exitCode, says: error.message }
  if (error instanceof StartRefused) return { code: EXIT.config, says: error.message }
  if (error instanceof CopyRefused) return { code: BY_REASON[error.reason], says: `${error.reason}: ${error.message}` }
  if (error instanceof MatchFileRefused) return { code: BY_MATCH_FAULT[error.reason], says: error.message }
  if (error instanceof VerificationFailed || error instanceof AnswerTooLong || error instanceof LogFault)
    return { code: EXIT.unverified, says: `not verified: ${error.message}` }
  if (error instanceof AldisError) {
    return { code: BY_STATUS[error.status] ?? EXIT.failed, says: `${error.message}${placeOf(error)}` }
  }
  if (error instanceof Refusal) {
    return { code: BY_STATUS[error.status] ?? EXIT.failed, says: error.message }
  }
  const { code, message = 'failed' } = error as { code?: string; message?: string }
  if (code === 'ECONNREFUSED')
    return { code: EXIT.failed, says: 'the node does not answer: is it running, at this address?' }
  return { code: EXIT.failed, says: message }
}

/** Which members were wrong, and by which id the node's log knows the request. */
function placeOf({ errors, requestId }: AldisError): string {
  const pointers = errors.map(({ pointer }) => pointer).filter((pointer) => pointer !== '')
  const at = pointers.length === 0 ? '' : ` (${pointers.join(', ')})`
  return requestId === undefined ? at : `${at} [request ${requestId}]`
}
