import { LogFault, LogUnreadable } from '../provenance/log-source.ts'

/** UNKNOWN: it could not be found out, and the sentence says what is lacking. */
export type Result = 'PASS' | 'FAIL' | 'UNKNOWN'

/** What came of one numbered check; a number never changes its meaning. */
export interface Finding {
  check: number
  title: string
  result: Result
  /** A sentence for the reader. */
  says: string
  /** Where it failed: a path of the log, or the name of a kept file; and the entry, where it is one. */
  at?: string
  entry?: string
}

/** A check before it is done: makes its findings. */
export interface Numbered {
  pass(says: string): Finding
  fail(says: string, at?: string, entry?: bigint): Finding
  unknown(says: string): Finding
  /** What a log that is wrong, or does not answer, means for this check; throws every other error on. */
  broken(error: unknown): Finding
}

export function numbered(check: number, title: string): Numbered {
  const fail: Numbered['fail'] = (says, at, entry) => ({
    ...{ check, title, result: 'FAIL' as const, says },
    ...(at === undefined ? {} : { at }),
    ...(entry === undefined ? {} : { entry: String(entry) }),
  })
  const unknown = (says: string): Finding => ({ check, title, result: 'UNKNOWN', says })
  return {
    pass: (says) => ({ check, title, result: 'PASS', says }),
    fail,
    unknown,
    broken(error) {
      if (error instanceof LogFault) return fail(error.message, error.path, error.entry)
      if (error instanceof LogUnreadable) return unknown(error.message)
      throw error
    },
  }
}
