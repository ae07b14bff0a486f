import type { FieldError } from '../kernel/errors.ts'
import type { Evidence } from '../provenance/evidence.ts'

/** What the node refused, by its code (RFC 9457); branch on `code`, show `message`. */
export class AldisError extends Error {
  readonly code: string
  readonly status: number
  readonly detail: string | undefined
  readonly errors: readonly FieldError[]
  readonly requestId: string | undefined
  readonly retryAfter: number | undefined

  constructor(problem: Problem, retryAfter?: number) {
    super(`${problem.code}: ${problem.detail ?? problem.title}`)
    this.name = 'AldisError'
    this.code = problem.code
    this.status = problem.status
    this.detail = problem.detail
    this.errors = problem.errors ?? []
    this.requestId = problem.request_id
    this.retryAfter = retryAfter
  }
}

export interface Problem {
  code: string
  title: string
  status: number
  detail?: string
  errors?: FieldError[]
  request_id?: string
}

/** Something that was received does not verify. Keep it: it is evidence. */
export class VerificationFailed extends Error {
  readonly step: string
  readonly detail: string
  constructor(step: string, detail: string) {
    super(`${step}: ${detail}`)
    this.name = 'VerificationFailed'
    this.step = step
    this.detail = detail
  }
}

/** Two heads of a log, both signed by its key, of which neither continues the other. */
export class LogContradicted extends VerificationFailed {
  /** What shows it to others: the notes, the one kept first, and the proof that failed. */
  readonly found: Pick<Evidence, 'notes' | 'path'>
  constructor(detail: string, found: Pick<Evidence, 'notes' | 'path'>) {
    super('consistency', detail)
    this.name = 'LogContradicted'
    this.found = found
  }
}

/** A thread that verified what came ended before it had: nothing that it was given was kept, and the next synchronisation begins another. */
export class VerifierEnded extends Error {
  override readonly name = 'VerifierEnded'
  readonly code = 'verifier-ended'
  constructor(options?: ErrorOptions) {
    super('verifier-ended: a thread that verifies has ended; synchronise again', options)
  }
}

/** An answer, or a line of one, that is longer than what was asked for can be; the rest was not read. */
export class AnswerTooLong extends Error {
  constructor(most: number) {
    super(`the answer is longer than ${most} bytes`)
    this.name = 'AnswerTooLong'
  }
}
