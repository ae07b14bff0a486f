import { join } from 'node:path'
import { writeDurably } from '../kernel/durable.ts'
import type { SourceInfo } from './client.ts'
import { readIfThere } from './files.ts'

/** A signing key that the node lists for a source which it listed without it before. */
export interface NewSourceKey {
  source: string
  kid: string
  /** From when on it may sign. */
  since: string
}

const FILE = 'source-keys.json'

/**
 * What is new among the keys that the node lists for sources: whose a key is, is the node's word, which a person can compare with
 * the source's own. The folder remembers them once `keep` is called; of a source that is new itself nothing is told.
 */
export function newSourceKeys(dir: string, sources: readonly SourceInfo[]): { found: NewSourceKey[]; keep(): void } {
  const path = join(dir, FILE)
  const known = new Map(Object.entries(JSON.parse(readIfThere(path) ?? '{}') as Record<string, string[]>))
  const found = sources.flatMap(({ slug, signing_keys }) => {
    const kids = known.get(slug)
    if (kids === undefined) return []
    const fresh = signing_keys.filter(({ kid }) => !kids.includes(kid))
    return fresh.map(({ kid, not_before }) => ({ source: slug, kid, since: not_before }))
  })
  const keep = (): void => {
    for (const { slug, signing_keys } of sources)
      known.set(slug, [...new Set([...(known.get(slug) ?? []), ...signing_keys.map(({ kid }) => kid)])])
    writeDurably(path, `${JSON.stringify(Object.fromEntries(known), undefined, 2)}\n`)
  }
  return { found, keep }
}
