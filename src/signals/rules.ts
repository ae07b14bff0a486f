import { sha256 } from '../kernel/sha256.ts'
import { createGates } from '../matching/suppression.ts'
import type { SignalRules } from './lint.ts'
import type { SignalItem, SignalType } from './schema.ts'
import { suppressedItem } from './suppressed.ts'

/** What a programme has published, as far as signals ask for it. */
export interface Published {
  policy(kind: 'taxonomy' | 'retention', version?: number): { version: number; body: string } | undefined
  hashProfile(kid: string): { status: 'active' | 'retired' } | undefined
  held: SignalRules['held']
  shareRefusal(participant: string, item: SignalItem): ReturnType<SignalRules['shareRefusal']>
}

interface Category {
  id: number
  slug: string
  needs_note: boolean
}

export interface ProgrammeRules extends SignalRules {
  /** The stable number of a category that `category` knows. */
  categoryId(taxonomy: number, slug: string): number
  categorySlug(id: number): string
  /** The categories that a signal may be given now, in the order of the taxonomy. */
  categoriesNow(): readonly string[]
}

/** The programme's published documents as rules; each version is parsed once. */
export function rulesOf(published: Published): ProgrammeRules {
  const gates = createGates(sha256)
  const taxonomies = new Map<number, ReadonlyMap<string, Category>>()
  const slugs = new Map<number, string>()
  let retention: { version: number; days: Readonly<Record<string, { maximum: number }>> } | undefined

  const taxonomy = (version: number): ReadonlyMap<string, Category> | undefined => {
    const known = taxonomies.get(version)
    if (known !== undefined) return known
    const policy = published.policy('taxonomy', version)
    if (policy === undefined) return undefined
    const { categories } = JSON.parse(policy.body) as { categories: Category[] }
    const read = new Map(categories.map((category) => [category.slug, category]))
    taxonomies.set(version, read)
    for (const { id, slug } of categories) slugs.set(id, slug)
    return read
  }

  const daysOf = (type: SignalType): number => {
    const policy = published.policy('retention')
    if (policy === undefined) throw new Error('the programme has no retention policy')
    if (retention?.version !== policy.version) {
      const { signal_days } = JSON.parse(policy.body) as { signal_days: Record<string, { maximum: number }> }
      retention = { version: policy.version, days: signal_days }
    }
    return retention.days[type]?.maximum ?? 0
  }

  return {
    category: (version, slug) => taxonomy(version)?.get(slug),
    categoriesNow: () => [...(taxonomy(published.policy('taxonomy')?.version ?? 0)?.keys() ?? [])],
    categoryId(version, slug) {
      const category = taxonomy(version)?.get(slug)
      if (category === undefined) throw new RangeError('an unknown category was not refused')
      return category.id
    },
    categorySlug(id) {
      // After a start nothing was parsed yet; the newest version knows every number that was ever given.
      if (!slugs.has(id)) taxonomy(published.policy('taxonomy')?.version ?? 0)
      return slugs.get(id) ?? String(id)
    },
    retentionDays: daysOf,
    shareRefusal: published.shareRefusal,
    hashProfile: (kid) => published.hashProfile(kid)?.status,
    held: published.held,
    suppressed: (item) => suppressedItem(gates, item),
  }
}
