import { verifierFor } from '../client/connected.ts'
import type { LookupKey } from '../client/derive.ts'
import { lookedUp, nameOfKey } from '../client/looked-up.ts'
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
      home.noteRead(answer.read, answer.digest)
      for (const one of lookedUp(answer, verifier, keys)) {
        const name = nameOfKey(one.key)
        found.set(name, [...(found.get(name) ?? []), toldEvent(one, one.key.profile)])
      }
    }
  }
  return keyed.map((one) => {
    if (one instanceof Refusal) return toldRefused(one)
    return toldOf(
      one.keys.flatMap((key) => found.get(nameOfKey(key)) ?? []),
      one.lack,
    )
  })
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
