import { join } from 'node:path'
import { readIfThere } from '../client/files.ts'
import type { FeedList } from '../feeds/schema.ts'
import { writeDurably } from '../kernel/durable.ts'
import type { AudienceInfo, HashProfileList } from '../participants/schema.ts'

/** What the node said at the last complete synchronisation, and when: with it the bridge works on while the node is away. */
export interface Known {
  synced_at: string
  feeds: FeedList['feeds']
  audiences: AudienceInfo[]
  hash_profiles: HashProfileList['hash_profiles']
}

const fileOf = (home: string): string => join(home, 'bridge', 'known.json')

/** Undefined before the first synchronisation. */
export function readKnown(home: string): Known | undefined {
  const text = readIfThere(fileOf(home))
  return text === undefined ? undefined : (JSON.parse(text) as Known)
}

export const writeKnown = (home: string, known: Known): void =>
  writeDurably(fileOf(home), `${JSON.stringify(known)}\n`, 0o600)

export const syncedAtOf = (known: Known | undefined): Date | undefined =>
  known === undefined ? undefined : new Date(known.synced_at)
