import type { RawLine } from '../client/derive.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Told, toldMatch, toldOf, toldRefused } from './answer.ts'
import type { Tokened } from './epochs.ts'
import type { OpenMirror } from './mirror.ts'
import { refusalAtNode } from './node-link.ts'
import { type Asked, askedOf, keysUnder } from './query.ts'

/** Reads each query for itself: one that is malformed stops no other. */
export function readQueries(queries: readonly unknown[]): (Asked | Refusal)[] {
  return queries.map((query) => {
    if (query instanceof Refusal) return query
    try {
      return askedOf(query)
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  })
}

/** Those whose tokens are still to be made. */
export const identifiersIn = (asked: readonly (Asked | Refusal)[]): RawLine[] =>
  asked.flatMap((one) => (!(one instanceof Refusal) && one.kind === 'identifier' ? [one.line] : []))

/** Where there are none. */
export const NO_TOKENS: Tokened = { epochs: [], lack: undefined }

/** Matches at home; nothing is asked of the node and nothing recorded. */
export function matchAll(mirror: OpenMirror, asked: readonly (Asked | Refusal)[], tokened: Tokened): Promise<Told[]> {
  return Promise.all(asked.map((one) => (one instanceof Refusal ? toldRefused(one) : matchOne(mirror, one, tokened))))
}

async function matchOne({ matcher, texts }: OpenMirror, asked: Asked, { epochs, lack }: Tokened): Promise<Told> {
  try {
    if (asked.kind === 'text')
      return toldOf(
        texts()
          .match(asked.text)
          .map(({ found, ...place }) => toldMatch(found, place)),
      )
    const ready = asked.kind === 'ready'
    const found = ready ? await matcher.match(asked.query) : await matcher.matchKeys(keysUnder(asked.line, epochs))
    return toldOf(
      found.matches.map((match) => toldMatch(match)),
      ready ? undefined : lack,
      found.more,
    )
  } catch (error) {
    const refusal = refusalAtNode(error)
    if (refusal.code === 'internal') throw error
    return refusal.code === 'validation-failed'
      ? toldRefused(refusal)
      : { outcome: 'unknown', code: refusal.code, detail: 'ask again' }
  }
}
