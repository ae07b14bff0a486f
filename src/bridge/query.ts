import { Compile } from 'typebox/compile'
import { identifierOf, type LookupKey, lookupKeys, type RawLine, type TokenEpoch } from '../client/derive.ts'
import type { MatchQuery } from '../client/matcher.ts'
import { Refusal } from '../kernel/errors.ts'
import { firstFault } from '../kernel/schema.ts'
import { Query } from './schema.ts'

/** What one query asks for. */
export type Asked =
  | { kind: 'text'; text: string }
  /** Links, media hashes and tokens: matched by what they are. */
  | { kind: 'ready'; query: MatchQuery; line: RawLine | undefined; key: LookupKey | undefined }
  /** A raw identifier: matched by its token, which a key epoch makes. */
  | { kind: 'identifier'; line: RawLine }

const QUERY = Compile(Query)

/** Reads a query, whoever wrote it. Throws `validation-failed` with the member, never its value. */
export function askedOf(value: unknown): Asked {
  if (!QUERY.Check(value)) {
    const { pointer, detail } = firstFault(QUERY, value)
    throw malformed(detail, pointer)
  }
  const query: Query = value
  expectMembers(query)
  return READ[query.type]?.(query) ?? identifierIn(query)
}

/** How each type that is no identifier is read. */
const READ: Readonly<Partial<Record<Query['type'], (query: Query) => Asked>>> = {
  text: ({ value = '' }) => ({ kind: 'text', text: value }),
  media_hash: ({ algorithm = '', hash = '' }) => ready({ type: 'media_hash', algorithm, hash }),
  url: ({ value = '' }) => ready({ type: 'url', raw: value }),
  domain: ({ value = '' }) => ready({ type: 'domain', raw: value }),
}

const ready = (query: Exclude<MatchQuery, { token: string }>): Asked => ({
  kind: 'ready',
  query,
  line: query,
  key: undefined,
})

function identifierIn({ type, value = '', service, region, profile = '', kid = '', token }: Query): Asked {
  if (!isIdentifier(type)) throw malformed('enum', '/type')
  if (token !== undefined) {
    const key: LookupKey = { type, profile: `${profile}@${kid}`, key: token }
    return { kind: 'ready', query: { type, profile, kid, token }, line: undefined, key }
  }
  const line: RawLine = {
    ...{ type, raw: value },
    ...(service === undefined ? {} : { service }),
    ...(region === undefined ? {} : { region }),
  }
  if (identifierOf(line) !== undefined) return { kind: 'identifier', line }
  const why = lookupKeys(line, { kid: '', key: new Uint8Array(32) })
  throw malformed(why.outcome === 'refused' ? why.reason : 'malformed', '/value')
}

type IdentifierType = Exclude<Query['type'], 'text' | 'media_hash' | 'url' | 'domain'>
const isIdentifier = (type: Query['type']): type is IdentifierType => READ[type] === undefined

/** The members that go with each type: a further one would be passed over, and its sender believe it was asked for. */
const MEMBERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  text: [['value']],
  url: [['value']],
  domain: [['value']],
  media_hash: [['algorithm', 'hash']],
}
const IDENTIFIER = [['value'], ['profile', 'kid', 'token']] as const
/** What may stand beside a raw value. */
const BESIDE = ['service', 'region']

function expectMembers(query: Query): void {
  const given = Object.keys(query).filter((name) => name !== 'type')
  const ways = MEMBERS[query.type] ?? IDENTIFIER
  const fits = ways.some((way) => {
    const beside = way[0] === 'value' && MEMBERS[query.type] === undefined ? BESIDE : []
    return way.every((name) => given.includes(name)) && given.every((name) => [...way, ...beside].includes(name))
  })
  if (!fits) throw malformed(`this type is asked for by ${ways.map((way) => way.join(', ')).join(', or by ')}`, '')
}

function malformed(detail: string, pointer: string): Refusal {
  return new Refusal('validation-failed', { detail, errors: [{ pointer, code: 'validation-failed', detail }] })
}

/** The keys of an identifier under several epochs. */
export function keysUnder(line: RawLine, epochs: readonly TokenEpoch[]): LookupKey[] {
  const keys = new Map<string, LookupKey>()
  for (const epoch of epochs) {
    const found = lookupKeys(line, epoch)
    if (found.outcome === 'refused') throw malformed(found.reason, '/value')
    for (const key of found.keys) keys.set(`${key.profile} ${key.key}`, key)
  }
  return [...keys.values()]
}
