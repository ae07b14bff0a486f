import { afterAll, beforeAll, test } from 'vitest'
import { following, picture } from '../../support/screenshot.ts'
import { aLogWorld, type LogWorld } from '../log-world.ts'

let w: LogWorld

beforeAll(async () => {
  w = await aLogWorld()
})
afterAll(() => w.node.end())

test('the log as it is looked for, proven and counted', async () => {
  const { owner } = w.node.t
  const { idx } = await owner
    .selectFrom('log_entry')
    .select('idx')
    .where('kind', '=', 'signal.submitted')
    .executeTakeFirstOrThrow()
  await picture(w.node, [
    { name: 'sharing-log', as: 'Gil', path: '/log/entries' },
    {
      name: 'sharing-log-verified',
      as: 'Gil',
      path: '/log/entries?q=party%3Aaster',
      before: async ({ page }) => {
        await page.getByRole('button', { name: 'Verify this page here' }).click()
        await page.locator('#verify-result .note').waitFor()
      },
    },
    { name: 'sharing-log-unread', as: 'Gil', path: '/log/entries/find?text=kind%3Aerasure+-kind%3Aerasure' },
    {
      name: 'proof',
      as: 'Gil',
      path: `/log/entries/${idx}`,
      before: async ({ page }) => page.locator('#proof[data-proven]').waitFor(),
    },
    {
      name: 'proof-failed',
      as: 'Gil',
      path: `/log/entries/${idx}`,
      before: async ({ page, goto }) => {
        await page.route(/\/log\/1\/tile\/0\//, async (route) => {
          const answer = await route.fetch()
          const body = await answer.body()
          body[0] = (body[0] ?? 0) ^ 1
          await route.fulfill({ response: answer, body })
        })
        await goto(`/log/entries/${idx}`)
        await page.locator('#proof[data-proven=failed]').waitFor()
        await page.unrouteAll()
      },
    },
    {
      name: 'proof-file',
      as: 'Gil',
      path: `/log/entries/${idx}`,
      before: async ({ page, goto }) => {
        const receipt = (await page.locator('#receipt').textContent()) ?? ''
        await goto('/log/validate')
        const buffer = Buffer.from(receipt)
        await page.setInputFiles('#proof-file', { name: 'entry.receipt', mimeType: 'text/plain', buffer })
        await page.locator('.validated-list').waitFor()
        await page.locator('.validated-list summary').first().click()
      },
    },
    { name: 'share-matrix', as: 'Gil', path: '/log/matrix' },
    { name: 'sharing-log-own', as: 'Lea', path: '/log/entries' },
  ])
})

test('what governance works with', async () => {
  await w.node.parts.anomalies.attempted('office')
  const [signal] = w.signals
  const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10)
  let drafted = false
  await picture(w.node, [
    {
      name: 'reports',
      as: 'Gil',
      path: '/reports',
      before: async ({ page, goto }) => {
        if (!drafted) {
          await page.getByLabel('From').fill(day(9))
          await page.getByLabel('To, without it').fill(day(0))
          await following(page, () => page.getByRole('button', { name: 'Compute' }).click())
        }
        drafted = true
        for (let n = 0; n === 0; n = await page.getByRole('link', { name: 'Look at the draft' }).count())
          await goto('/reports')
      },
    },
    {
      name: 'report',
      as: 'Gil',
      path: '/reports',
      before: async ({ page }) => following(page, () => page.getByRole('link', { name: 'Look at the draft' }).click()),
    },
    { name: 'anomalies', as: 'Gil', path: '/anomalies' },
    { name: 'source-hold', as: 'Gil', path: `/anomalies/source?participant=aster&since=${day(1)}T00:00:00Z` },
    { name: 'feed-pauses', as: 'Gil', path: '/anomalies/feeds' },
    { name: 'retention', as: 'Gil', path: '/retention' },
    { name: 'requests-of-persons', as: 'Gil', path: '/registers/subjects' },
    { name: 'requests-of-authorities', as: 'Gil', path: '/registers/government' },
    { name: 'agreements', as: 'Gil', path: '/registers/agreements' },
    { name: 'who-read', as: 'Gil', path: `/log/readers?signal=${signal?.signal}` },
    { name: 'change-log', path: '/changes' },
  ])
})
