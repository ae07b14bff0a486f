import { Refusal } from '../kernel/errors.ts'
import { findRaw } from './raw-value.ts'

/** `raw-identifier` for what people wrote freely, by the names of its members, where something of it looks raw. */
export function refuseRaw(words: Readonly<Record<string, string | undefined>>, advice = 'leave it out'): void {
  const errors = findRaw(words).map(({ pointer, kind }) => ({
    ...{ pointer, code: 'raw-identifier' as const, detail: `looks like ${kind}: ${advice}` },
  }))
  if (errors.length > 0) throw new Refusal('raw-identifier', { errors })
}
