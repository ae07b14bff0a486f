import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectAccessible, hasChromium, type VisitOptions, type Visitor } from '../../support/browser.ts'
import { aReviewSite, type ReviewSite } from './review-world.ts'

let site: ReviewSite
const open: Visitor[] = []

async function as(name: 'ana' | 'ben' | 'lea', path: string, options?: VisitOptions): Promise<Visitor> {
  const one = await site.as(site.people[name], path, options)
  open.push(one)
  return one
}

/** Presses a key, and waits for the page that it leads to. */
async function press(page: Page, key: string): Promise<void> {
  const loaded = page.waitForEvent('load')
  await page.keyboard.press(key)
  await loaded
}

/** The same for something that is clicked. */
async function click(page: Page, selector: string): Promise<void> {
  const loaded = page.waitForEvent('load')
  await page.locator(selector).click()
  await loaded
}

const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const one = document.activeElement
    return (
      one?.id || one?.getAttribute('name') || (one?.hasAttribute('data-open-row') === true ? 'row' : one?.tagName) || ''
    )
  })
const path = (page: Page): string => new URL(page.url()).pathname
const idIn = (page: Page): string => path(page).split('/')[2] ?? ''

const EVIL = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '</textarea><svg onload=alert(1)>',
  "javascript:alert('x')",
]

describe.skipIf(!hasChromium)('reviewing', () => {
  beforeAll(async () => {
    site = await aReviewSite()
  })
  afterAll(() => site.end())
  afterEach(async () => {
    for (const one of open.splice(0)) {
      expect(one.violations).toEqual([])
      await one.close()
    }
  })

  test('by keys alone: the queue, a claim, a verdict, undone, decided again, and the next case', async () => {
    await site.cases({ hits: 20 }, { hits: 20 })
    const { page } = await as('ana', '/queue')
    await expect.poll(() => focused(page)).toBe('row')
    await page.keyboard.press('j')
    await press(page, 'Enter')
    const first = idIn(page)
    await expect.poll(() => focused(page)).toBe('claim')
    await press(page, 'c')
    await page.locator('#decide').waitFor()
    await expect.poll(() => focused(page)).toBe('verdict')
    await page.keyboard.press('1')
    await page.keyboard.press('r')
    await expect.poll(() => focused(page)).toBe('f-reason')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Escape')
    await press(page, 's')
    await expect.poll(() => focused(page)).toBe('undo-button')
    expect(await page.locator('#undo').innerText()).toContain('Confirmed, action taken was decided here')
    await press(page, 'z')
    expect(await page.locator('.case-what').innerText()).toContain('Open')
    await page.keyboard.press('6')
    await page.keyboard.press('r')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Escape')
    await press(page, 'n')
    expect(path(page)).toMatch(/^\/cases\//)
    expect(idIn(page)).not.toBe(first)
    expect(await page.locator('#undo').innerText()).toContain('Outdated was decided of')
    expect(await page.locator('#decide').count()).toBe(1)
  })

  test('of two browsers that claim one case, one has it and the other is told who', async () => {
    const [id] = await site.cases({})
    const both = await Promise.all((['ana', 'ben'] as const).map((name) => as(name, `/cases/${id}`)))
    await Promise.all(both.map(({ page }) => press(page, 'c')))
    const texts = await Promise.all(both.map(({ page }) => page.locator('#lease').innerText()))
    expect(texts.filter((text) => text.startsWith('Yours'))).toHaveLength(1)
    expect(texts.filter((text) => /^[0-9A-Z]{4} works on this case/.test(text.trim()))).toHaveLength(1)
  })

  test('a case is handed over, parked, and taken back', async () => {
    const [id] = await site.cases({})
    const { page } = await as('ana', `/cases/${id}`)
    await press(page, 'c')
    await page.keyboard.press('m')
    await page.locator('#hand-to').selectOption({ index: 0 })
    await page.getByRole('button', { name: 'Hand over', exact: true }).click()
    await page.waitForURL(/\/queue$/)
    await page.goto(`${site.at.console}/cases/${id}`)
    expect(await page.locator('#lease').innerText()).toMatch(/This case was handed to \w{4}/)
    const { page: lead } = await as('lea', `/cases/${id}`)
    await press(lead, 'c')
    await lead.keyboard.press('h')
    await expect.poll(() => focused(lead)).toBe('hold-reason')
    await lead.getByRole('button', { name: 'Park the case' }).click()
    await lead.waitForURL(/\/queue$/)
    await lead.goto(`${site.at.console}/cases/${id}`)
    expect(await lead.locator('#lease').innerText()).toContain('Parked: An expert has to look')
    await press(lead, 'c')
    expect(await lead.locator('#lease').innerText()).toContain('Claim it to decide')
  })

  test('without JavaScript a case is claimed, refused with what was typed, decided and undone', async () => {
    const [id] = await site.cases({})
    const { page } = await as('ben', '/queue', { javaScript: false })
    await page.locator(`#case-${id} button`).click()
    await page.getByLabel('Not violating here').check()
    await page.locator('#f-reason').selectOption('shared_host')
    await page.locator('#f-note_shared').fill('ask fig@mail.example')
    await page.locator('#submit').click()
    expect(await page.locator('#f-note_shared-error').innerText()).toContain('looks like an e-mail address')
    expect(await page.locator('#f-note_shared').inputValue()).toBe('ask fig@mail.example')
    await page.locator('#f-note_shared').fill('many share this host')
    await page.locator('#submit').click()
    await page.locator('#undo-button').click()
    expect(await page.locator('.case-what').innerText()).toContain('Open')
  })

  test('words that are typed or sent are text wherever they stand', async () => {
    const [id] = await site.cases({ change: { note: EVIL.join(' ') } })
    const { page } = await as('ana', `/cases/${id}`)
    await press(page, 'c')
    await page.getByRole('link', { name: 'Reveal' }).click()
    await page.locator('.revealed').waitFor()
    expect(await page.locator('.words').first().textContent()).toBe(EVIL.join(' '))
    await expect.poll(() => focused(page)).toBe('texts')
    for (const text of EVIL) {
      await page.getByLabel('Outdated').check()
      await page.locator('#f-reason').selectOption('inactive')
      await page.locator('#f-note_team').fill(text)
      await page.locator('#f-note_shared').fill(text)
      await click(page, '#submit')
      expect(await page.locator('.said-text').allTextContents()).toEqual([text, text])
      await click(page, '#undo-button')
    }
  })

  test('every screen of analysts is accessible in light and dark', { timeout: 90_000 }, async () => {
    const [id, other] = await site.cases({ change: { severity: 'critical', note: 'fig' } }, {})
    const { page, goto } = await as('lea', '/queue')
    const look = async (where: string): Promise<void> => {
      await goto(where)
      await expectAccessible(page)
    }
    await page.locator('.filter > summary').click()
    await expectAccessible(page)
    for (const where of ['/queue/find?text=plum', '/leads', `/cases/${id}`]) await look(where)
    await press(page, 'c')
    await page.keyboard.press('h')
    await expectAccessible(page)
    await goto(`/cases/${id}/texts`)
    await page.locator('#f-note_shared').fill('ask fig@mail.example')
    await page.getByLabel('Confirmed, action taken').check()
    await page.locator('#f-reason').selectOption('law')
    await click(page, '#submit')
    await expectAccessible(page)
    await page.locator('#f-note_shared').fill('')
    await click(page, '#submit')
    await goto('/second-reviews')
    await page.locator('.proposed > summary').first().click()
    await expectAccessible(page)
    await goto(`/cases/${other}`)
    await press(page, 'c')
    await page.getByLabel('Outdated').check()
    await page.locator('#f-reason').selectOption('inactive')
    await click(page, '#submit')
    await expectAccessible(page)
  })

  test('rows are selected by keys, shown, decided alike and undone together', async () => {
    const change = { severity: 'high' }
    await site.cases({ change }, { change }, { change })
    const { page } = await as('ben', '/queue?severity=high&source=apple')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('Shift+X')
    expect(await page.locator('[data-selected]').innerText()).toBe('(3)')
    await press(page, 'd')
    expect(await page.locator('.lead').innerText()).toMatch(/3 of 3 selected will change/)
    await expectAccessible(page)
    await page.locator('#bulk-verdict').selectOption('outdated.inactive')
    await page.keyboard.press('Escape')
    await press(page, 's')
    expect(await page.locator('.lead').innerText()).toMatch(/3 of 3 decided: Outdated/)
    await press(page, 'z')
    expect(await page.locator('.lead').innerText()).toMatch(/3 of 3 undone/)
  })

  test('a page that was read before somebody else decided is compared, and loses nothing', async () => {
    const [id] = await site.cases({})
    const { page: ana } = await as('ana', `/cases/${id}`)
    await press(ana, 'c')
    await ana.getByLabel('Outdated').check()
    await ana.locator('#f-reason').selectOption('inactive')
    await ana.locator('#f-note_shared').fill('gone since spring')
    const { page: lea } = await as('lea', `/cases/${id}`)
    await press(lea, 'c')
    await click(ana, '#submit')
    await ana.getByText('The case has moved on since you read it').waitFor()
    expect(await ana.locator('#f-note_shared').inputValue()).toBe('gone since spring')
    await expectAccessible(ana)
  })
})
