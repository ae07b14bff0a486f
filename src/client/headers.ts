import type { IncomingHttpHeaders } from 'node:http'
import { VerificationFailed } from './errors.ts'

/** The value of a header; undefined where the answer has none. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

/** What an answer says of the read that it was; empty where it says nothing. */
export const readIn = (headers: IncomingHttpHeaders): string => headerOf(headers, 'provenance-read') ?? ''

/** The same of a header that each such answer has; throws `VerificationFailed` of that step for one without. */
export function neededHeader(step: string, headers: IncomingHttpHeaders, name: string): string {
  const value = headerOf(headers, name)
  if (value === undefined || value === '') throw new VerificationFailed(step, `an answer has no header ${name}`)
  return value
}
