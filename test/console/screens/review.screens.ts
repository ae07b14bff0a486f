import { afterAll, beforeAll, test } from 'vitest'
import { linkHash } from '../../../src/identifiers/token.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import type { CaseInfo } from '../../../src/review/schema.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import { picture } from '../../support/screenshot.ts'
import { aReviewSite, type ReviewSite } from '../browser/review-world.ts'

const TYPES = ['url', 'email', 'keyword_pattern', 'domain', 'username'] as const
const CATEGORIES = ['grooming', 'sextortion_financial', 'trafficking', 'advertising_of_csam', 'network_hub']
const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const

let site: ReviewSite
let open: Uuid
let taken: Uuid
let closed: Uuid
let sealed: Uuid

const by = (name: keyof ReviewSite['people']) => ({
  ...site.w.as(site.banana, site.people[name].pseudonym),
  authority: 'reviewed_here' as const,
})
const queued = async (severity: CaseInfo['severity']): Promise<Uuid> => {
  const { cases } = await site.w.queue(site.banana)
  const found = cases.find((one) => one.severity === severity && one.lease === undefined)
  if (found === undefined) throw new Error(`no ${severity} case`)
  return found.case
}

/** A case over a link that its source sealed. */
async function overSealedLink(): Promise<Uuid> {
  const { w, apple, banana, audience } = site
  const raw = 'https://bad.example/orchard/kumquats'
  const value = { profile: 'url/1', sha256: linkHash(sha256, raw.slice(8)), scope: { host: 'exact', path: 'exact' } }
  const item = w.item({ audience, severity: 'medium', value })
  await w.submit(apple, [item])
  await w.signals.values.give(apple, item.signal, { v: 1, revision: 1, value: raw })
  await w.settle()
  const { results } = await w.hit(banana, apple, item, 14)
  const [id] = results.flatMap((one) => one.case ?? [])
  if (id === undefined) throw new Error('no case')
  return id
}

/** A working day of one platform: cases of every kind, opinions of others, a dispute, proposals. */
beforeAll(async () => {
  site = await aReviewSite()
  const { w, apple, banana, cherry, audience } = site
  const shared: { item: SignalItem; source: typeof apple }[] = []
  for (let i = 0; i < 26; i++) {
    const type = TYPES[i % TYPES.length] ?? 'url'
    const change = {
      ...{
        audience,
        severity: SEVERITIES[i % 4] ?? 'low',
        category: CATEGORIES[i % 5] ?? 'grooming',
        confidence: 40 + 2 * i,
      },
      ...(i % 3 === 0 && { note: 'Asks for pictures of plums in a group of the orchard.' }),
    }
    const [item, source] = [w.item(change, type), i % 2 === 0 ? cherry : apple]
    await w.submit(source, [item])
    await w.settle()
    await w.hit(banana, source, item, 1 + ((i * 7) % 23))
    shared.push({ item, source })
    await w.later(20 * 60_000)
  }
  for (const { item, source } of shared.slice(0, 8)) {
    const other = source === cherry ? apple : cherry
    await w.give(other, { ...w.about(source, item), outcome: 'confirmed_no_presence', reason: 'no_account' })
  }
  const [, , , , , doubted] = shared
  if (doubted !== undefined) {
    const { item, source } = doubted
    const other = source === cherry ? apple : cherry
    await w.object(other, { ...w.about(source, item), dispute: newId(w.now()), ground: 'false_match' })
  }
  await w.settle()
  for (const [verdict, reason] of [
    ['confirmed_action_taken', 'own_policy'],
    ['not_violating', 'shared_host'],
    ['outdated', 'inactive'],
  ] as const) {
    const id = await queued('medium')
    const lease = await w.review.claim(by('ana'), id)
    await w.review.decide(by('ana'), id, w.verdict(lease, { verdict, reason }))
    closed = id
  }
  await w.release()
  for (const name of ['ana', 'ben'] as const) {
    const id = await queued('critical')
    const notes = {
      note_team: 'Seen before in June; same operator.',
      note_shared: 'Blocked after a look by two people.',
    }
    await w.review.decide(by(name), id, w.verdict(await w.review.claim(by(name), id), notes))
  }
  taken = await queued('critical')
  await w.review.claim(by('ben'), taken)
  open = await queued('high')
  sealed = await overSealedLink()
})
afterAll(() => site.end())

test('every screen of analysts', async () => {
  const { people, at, enter } = site
  const ana = { as: 'ana' }
  const of = (id: Uuid): string => `/cases/${id}`
  const click = (selector: string) => ({
    before: async ({ page }: { page: import('playwright-core').Page }) => page.locator(selector).first().click(),
  })
  await picture(
    at,
    [
      { ...ana, name: 'queue', path: '/queue' },
      { ...ana, name: 'queue-filter', path: '/queue?type=email&severity=high&hits=yes', ...click('.filter > summary') },
      { ...ana, name: 'queue-empty', path: '/queue?category=other' },
      { ...ana, name: 'queue-unread', path: '/queue/find?text=plums' },
      { ...ana, name: 'case-open', path: of(open) },
      {
        ...{ ...ana, name: 'case-claimed', path: of(open) },
        before: async ({ page }) => {
          // From the second look on it is claimed already.
          if ((await page.locator('#claim').count()) > 0) await page.locator('#claim').click()
          await page.locator('#decide').waitFor()
        },
      },
      { ...ana, name: 'case-hold', path: of(open), ...click('summary[data-key=h]') },
      {
        ...{ ...ana, name: 'case-refused', path: of(open) },
        before: async ({ page }) => {
          await page.getByLabel('Not violating here').check()
          await page.locator('#f-reason').selectOption('shared_host')
          await page.locator('#f-note_shared').fill('ask fig@mail.example')
          await page.locator('#submit').click()
          await page.locator('#f-note_shared-error').waitFor()
        },
      },
      {
        ...{ ...ana, name: 'case-undo', path: of(open) },
        before: async ({ page }) => {
          await page.getByLabel('Not violating here').check()
          await page.locator('#f-reason').selectOption('shared_host')
          await page.locator('#f-note_shared').fill('Many share this host.')
          await page.locator('#submit').click()
          await page.locator('#undo-button').waitFor()
        },
      },
      { ...ana, name: 'case-undone', path: of(open), ...click('#undo-button') },
      { ...ana, name: 'case-taken', path: of(taken) },
      { ...ana, name: 'case-closed', path: of(closed) },
      { ...ana, name: 'case-sealed-link', path: of(sealed) },
      {
        ...{ ...ana, name: 'case-revealed-link', path: of(sealed) },
        before: async ({ page }) => {
          await page.getByRole('button', { name: 'Reveal the link' }).click()
          await page.locator('#value.revealed').waitFor()
        },
      },
      { ...ana, name: 'case-revealed', path: `${of(closed)}/texts` },
      { ...ana, name: 'second-review', path: '/second-reviews', ...click('.proposed > summary') },
      {
        ...{ ...ana, name: 'bulk', path: '/queue' },
        before: async ({ page }) => {
          for (const box of await page.locator('.row-box input').all()) await box.check()
          await page.keyboard.press('d')
          await page.locator('.bulk').waitFor()
        },
      },
      { ...ana, name: 'bulk-jobs', path: '/bulk/jobs' },
      { ...ana, name: 'samples', path: '/samples' },
      { as: 'lea', name: 'team', path: '/leads' },
    ],
    async (visitor, name) => {
      // So many requests in one moment would be too many of one address.
      await site.w.later(60_000)
      await enter(visitor, people[name as keyof typeof people])
    },
  )
})
