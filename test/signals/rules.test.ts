import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Published, rulesOf } from '../../src/signals/rules.ts'
import { SIGNAL_TYPE, type SignalType } from '../../src/signals/schema.ts'
import { anItem } from './factory.ts'

const read = (name: string): string => readFileSync(join(import.meta.dirname, `../../config/${name}.json`), 'utf8')
const TAXONOMY = read('taxonomy')
const RETENTION = read('retention')

/** What a programme published: versions by kind, the last one counts where none is named. */
function published(
  documents: { taxonomy?: readonly string[]; retention?: readonly string[] },
  change: Partial<Published> = {},
): Published & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    policy: (kind, version) => {
      asked.push(`${kind} ${version ?? 'newest'}`)
      const bodies = documents[kind] ?? []
      const at = version ?? bodies.length
      const body = bodies[at - 1]
      return body === undefined ? undefined : { version: at, body }
    },
    hashProfile: () => undefined,
    held: () => false,
    shareRefusal: () => undefined,
    ...change,
  }
}

const taxonomy = (...categories: [id: number, slug: string, needs_note?: boolean][]): string =>
  JSON.stringify({ categories: categories.map(([id, slug, needs_note = false]) => ({ id, slug, needs_note })) })

describe('categories', () => {
  test('of the published taxonomy have stable numbers; only `other` needs a note', () => {
    const rules = rulesOf(published({ taxonomy: [TAXONOMY] }))
    const { categories } = JSON.parse(TAXONOMY) as { categories: { id: number; slug: string }[] }
    expect(categories.length).toBeGreaterThan(10)
    for (const { id, slug } of categories) {
      expect(rules.category(1, slug)?.needs_note, slug).toBe(slug === 'other')
      expect(rules.categoryId(1, slug)).toBe(id)
      expect(rules.categorySlug(id)).toBe(slug)
    }
  })
  test('are those of the version that the item names', () => {
    const rules = rulesOf(published({ taxonomy: [taxonomy([1, 'fruit']), taxonomy([1, 'fruit'], [2, 'bird'])] }))
    expect(rules.category(1, 'bird')).toBeUndefined()
    expect(rules.category(2, 'bird')).toMatchObject({ needs_note: false })
    expect(rules.category(3, 'bird')).toBeUndefined()
    expect(rules.category(1, 'constructor')).toBeUndefined()
  })
  test('of a version are read once, and of an unpublished one as soon as it is there', () => {
    const bodies = [taxonomy([1, 'fruit'])]
    const source = published({ taxonomy: bodies })
    const rules = rulesOf(source)
    for (let i = 0; i < 3; i++) rules.category(1, 'fruit')
    expect(source.asked).toEqual(['taxonomy 1'])
    expect(rules.category(2, 'bird')).toBeUndefined()
    bodies.push(taxonomy([2, 'bird']))
    expect(rules.category(2, 'bird')).toBeDefined()
  })
  test('have a name after a start, before any item was judged', () => {
    expect(rulesOf(published({ taxonomy: [taxonomy([1, 'fruit'])] })).categorySlug(1)).toBe('fruit')
    expect(rulesOf(published({ taxonomy: [taxonomy([1, 'fruit'])] })).categorySlug(9)).toBe('9')
    expect(rulesOf(published({})).categorySlug(9)).toBe('9')
  })
  test('that were not refused have a number, or the code is wrong', () => {
    expect(() => rulesOf(published({ taxonomy: [TAXONOMY] })).categoryId(1, 'weather')).toThrow(RangeError)
  })
})

describe('retention', () => {
  test('has a maximum for every type, none of them shorter than its default', () => {
    const rules = rulesOf(published({ retention: [RETENTION] }))
    const { signal_days } = JSON.parse(RETENTION) as { signal_days: Record<string, { default: number }> }
    const days = (Object.keys(SIGNAL_TYPE) as SignalType[]).map((type) => [type, rules.retentionDays(type)])
    expect(Object.fromEntries(days)).toEqual({
      ...{ url: 365, domain: 365, email: 365, phone: 365, username: 365, account_id: 365, payment_handle: 365 },
      ...{ ip: 365, keyword_pattern: 730, media_hash: 730, tactic: 730, relation: 365 },
    })
    for (const [type, most] of days) expect(most).toBeGreaterThanOrEqual(signal_days[String(type)]?.default ?? 9_999)
  })
  test('follows the newest version, and of a type that it does not name nothing may live', () => {
    const of = (maximum: number): string => JSON.stringify({ signal_days: { url: { maximum } } })
    const bodies = [of(10)]
    const rules = rulesOf(published({ retention: bodies }))
    expect([rules.retentionDays('url'), rules.retentionDays('ip')]).toEqual([10, 0])
    bodies.push(of(20))
    expect(rules.retentionDays('url')).toBe(20)
  })
  test('must be published', () => {
    expect(() => rulesOf(published({})).retentionDays('url')).toThrow()
  })
})

test('everything else is asked of the programme as it is now', () => {
  const rules = rulesOf(
    published(
      {},
      {
        hashProfile: (kid) => (kid === 'spring' ? { status: 'retired' } : undefined),
        held: ({ region }) => region === 'DE',
        shareRefusal: (participant) => (participant === 'apple' ? 'tlp-refused' : undefined),
      },
    ),
  )
  expect([rules.hashProfile('spring'), rules.hashProfile('autumn')]).toEqual(['retired', undefined])
  expect(rules.held(anItem().context)).toBe(true)
  expect([rules.shareRefusal('apple', anItem()), rules.shareRefusal('banana', anItem())]).toEqual([
    'tlp-refused',
    undefined,
  ])
})
