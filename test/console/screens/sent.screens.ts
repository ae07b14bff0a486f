import { afterAll, beforeAll, test } from 'vitest'
import { picture } from '../../support/screenshot.ts'
import { aSendingWorld, type SendingWorld } from '../sending-world.ts'

let w: SendingWorld

beforeAll(async () => {
  w = await aSendingWorld()
})
afterAll(() => w.node.end())

test('what was sent, what is asked, and what is read', async () => {
  const signal = (i: number): string => `/submissions/${w.signals[i]?.signal}`
  const search = async (
    value: string,
    { page }: Parameters<NonNullable<Parameters<typeof picture>[1][number]['before']>>[0],
  ) => {
    await page.getByLabel('Value', { exact: true }).fill(value)
    await page.getByLabel('Why you ask').focus()
    await page.locator('#keys input').first().waitFor({ state: 'attached' })
    await page.getByLabel('Why you ask').selectOption('investigation')
  }
  await picture(w.node, [
    { name: 'submissions', as: 'Lea', path: '/submissions' },
    { name: 'submissions-none', as: 'Lea', path: '/submissions?state=erased' },
    { name: 'submissions-unread', as: 'Lea', path: '/submissions/find?text=nothing+of+it' },
    {
      name: 'submission-asked',
      as: 'Lea',
      path: signal(0),
      before: async ({ page }) => {
        await page.getByRole('link', { name: 'Reveal the words of birch' }).click()
        await page.locator('.revealed').waitFor()
      },
    },
    { name: 'submission-disputed', as: 'Lea', path: signal(1) },
    { name: 'submission-withdraw', as: 'Lea', path: `${signal(3)}/withdraw` },
    { name: 'notices', as: 'Lea', path: '/notices' },
    { name: 'settings-lead', as: 'Lea', path: '/settings' },
    { name: 'submission-withdrawn', as: 'Lea', path: signal(2) },
    { name: 'search', as: 'Bo', path: '/search' },
    {
      name: 'search-ready',
      as: 'Bo',
      path: '/search',
      before: async (visitor) => {
        await search('https://bad.example/quiet', visitor)
        await visitor.page.getByText('What will be sent').click()
      },
    },
    {
      name: 'search-found',
      as: 'Bo',
      path: '/search',
      before: async (visitor) => {
        await search('https://bad.example/quiet', visitor)
        await visitor.page.getByRole('button', { name: 'Search' }).click()
        await visitor.page.locator('#result-title').waitFor()
      },
    },
    {
      name: 'search-by-command',
      as: 'Bo',
      path: '/search',
      before: async ({ page }) => {
        await page.getByLabel('What it is').selectOption('username')
      },
    },
    { name: 'tactics', as: 'Bo', path: '/tactics' },
    { name: 'tactic', as: 'Bo', path: `/tactics/aster/${w.pattern.signal}` },
    { name: 'tactic-changes', as: 'Bo', path: `/tactics/aster/${w.pattern.signal}/changes/2` },
    {
      name: 'tactic-tried',
      as: 'Bo',
      path: `/tactics/aster/${w.pattern.signal}/words/2`,
      before: async ({ page }) => {
        await page.getByLabel('Texts, one a line').fill('my plum garden\nshe flies blue kites\nblue kitesurfing')
        await page.getByRole('button', { name: 'Try it here' }).click()
        await page.locator('.tried li').first().waitFor()
      },
    },
  ])
})
