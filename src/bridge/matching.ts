import type { RawLine } from '../client/derive.ts'
import { Refusal } from '../kernel/errors.ts'
import { isTold, type Told, toldMatch, toldOf, toldRefused } from './answer.ts'
import type { Tokened } from './epochs.ts'
import { BRIDGE_LIMITS } from './limits.ts'
import type { OpenMirror, Texts } from './mirror.ts'
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

/** Queries that are matched together; what the index of PDQ hashes answers is held for no more. */
const AT_ONCE = 16

/** Matches at home; nothing is asked of the node and nothing recorded. However much others match, one signal of each query is told. */
export async function matchAll(
  mirror: OpenMirror,
  asked: readonly (Asked | Refusal)[],
  tokened: Tokened,
): Promise<Told[]> {
  const all: Told[] = []
  let room: number = BRIDGE_LIMITS.matches_of_request
  for (let at = 0; at < asked.length; at += AT_ONCE) {
    const some = asked.slice(at, at + AT_ONCE).map((one) => told(mirror, one, tokened))
    for (const one of await Promise.all(some)) {
      const kept = firstOf(one, Math.max(1, room - (asked.length - all.length - 1)))
      room -= kept.matches?.length ?? 0
      all.push(kept)
    }
  }
  return all
}

const firstOf = (told: Told, most: number): Told =>
  told.matches === undefined || told.matches.length <= most
    ? told
    : { ...told, matches: told.matches.slice(0, most), more: true }

async function told(mirror: OpenMirror, asked: Asked | Refusal, tokened: Tokened): Promise<Told> {
  if (asked instanceof Refusal) return toldRefused(asked)
  try {
    return asked.kind === 'text' ? toldText(mirror.texts(), asked.text) : await toldKeys(mirror, asked, tokened)
  } catch (error) {
    const refusal = refusalAtNode(error)
    if (refusal.code === 'internal') throw error
    return refusal.code === 'validation-failed'
      ? toldRefused(refusal)
      : { outcome: 'unknown', code: refusal.code, detail: 'ask again' }
  }
}

function toldText(texts: Texts, text: string): Told {
  const found = texts.match(text)
  const open = found.filter((one) => isTold(one.found))
  const first = open.slice(0, BRIDGE_LIMITS.matches)
  const own = toldOf(
    first.map(({ found: pattern, ...place }) => toldMatch(pattern, place)),
    undefined,
    open.length > first.length,
  )
  return withheldToo(own, found.length - open.length)
}

async function toldKeys(
  { matcher }: OpenMirror,
  asked: Exclude<Asked, { kind: 'text' }>,
  { epochs, lack }: Tokened,
): Promise<Told> {
  const ready = asked.kind === 'ready'
  const found = ready ? await matcher.match(asked.query) : await matcher.matchKeys(keysUnder(asked.line, epochs))
  const own = toldOf(
    found.matches.map((match) => toldMatch(match)),
    ready ? undefined : lack,
    found.more,
  )
  return withheldToo(own, found.withheld ?? 0)
}

const withheldToo = (told: Told, withheld: number): Told => (withheld === 0 ? told : { ...told, withheld })
