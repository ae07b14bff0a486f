import { verifierFor } from '../client/connected.ts'
import type { LookupKey } from '../client/derive.ts'
import type { Verifier } from '../client/verify.ts'
import { LOOKUP_MAX, type Lookup } from '../feeds/schema.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Told, type ToldSignal, toldEvent, toldOf, toldRefused } from './answer.ts'
import type { Keyed, LookupOptions } from './lookup.ts'
import type { LookupBody } from './schema.ts'

/** Asks the node by the keys themselves: it sees them, and each answer is on record. */
export async function lookUpAtNode(
  { link: { home, client } }: Pick<LookupOptions, 'link'>,
  { purpose = 'enforcement' }: Pick<LookupBody, 'purpose'>,
  keyed: readonly Keyed[],
): Promise<Told[]> {
  const keys = keyed.flatMap((one) => (one instanceof Refusal ? [] : one.keys))
  const found = new Map<string, ToldSignal[]>()
  if (keys.length > 0) {
    const verifier = await verifierFor({ client: client(), home })
    for (const queries of batchesOf(keys)) {
      const answer = await client().lookUp({ purpose, queries })
      home.note('reads.ndjson', { read: answer.read, at: new Date().toISOString() })
      for (const [key, told] of verifiedIn(answer, verifier, keys)) found.set(key, [...(found.get(key) ?? []), told])
    }
  }
  return keyed.map((one) => {
    if (one instanceof Refusal) return toldRefused(one)
    return toldOf(
      one.keys.flatMap(({ key }) => found.get(key) ?? []),
      one.lack,
    )
  })
}

type Answer = Awaited<ReturnType<ReturnType<LookupOptions['link']['client']>['lookUp']>>

/** Matches by their keys, once their sources' signatures were checked. */
function* verifiedIn(
  { matches, submissions }: Answer,
  verifier: Verifier,
  keys: readonly LookupKey[],
): Generator<[string, ToldSignal]> {
  const proofs = new Map(submissions.map((proof) => [proof.event, proof]))
  for (const { key, event } of matches) {
    const profile = keys.find((one) => one.key === key)?.profile ?? ''
    const told = toldEvent(verifier.event({ event, proof: proofs.get(event.event) }), profile)
    if (told !== undefined) yield [key, told]
  }
}

/** As many keys as one look-up takes, those of one type and profile together. */
function* batchesOf(keys: readonly LookupKey[]): Generator<Lookup['queries']> {
  for (let at = 0; at < keys.length; at += LOOKUP_MAX) {
    const groups = Map.groupBy(keys.slice(at, at + LOOKUP_MAX), ({ type, profile }) => `${type} ${profile}`)
    yield [...groups.values()].flatMap((group) => {
      const [first] = group
      if (first === undefined) return []
      const own = [...new Set(group.map(({ key }) => key))]
      return [{ type: first.type as Lookup['queries'][number]['type'], profile: first.profile, keys: own }]
    })
  }
}
