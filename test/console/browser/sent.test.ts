import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { SignalItem } from '../../../src/signals/schema.ts'
import { expectAccessible, expectNoSideways, hasChromium, type Visitor, visit } from '../../support/browser.ts'
import { aSendingWorld, EVIL, type SendingWorld } from '../sending-world.ts'

let w: SendingWorld
/** Signed in once each: a page is gone to anew in each test. */
const known = new Map<string, Visitor>()

async function as(name: string, path: string, options: Parameters<typeof visit>[1] = {}): Promise<Visitor> {
  const key = `${name} ${JSON.stringify(options)}`
  const before = known.get(key)
  if (before !== undefined) {
    await before.goto(path)
    return before
  }
  const one = await visit(w.node, options)
  known.set(key, one)
  await one.signIn(name, path)
  return one
}

const nth = (i: number): SignalItem => {
  const one = w.signals[i]
  if (one === undefined) throw new Error('no such signal')
  return one
}
const path = ({ page }: Visitor): string => new URL(page.url()).pathname

describe.skipIf(!hasChromium)('what was sent, what is asked, and what is read', () => {
  beforeAll(async () => {
    w = await aSendingWorld()
  }, 120_000)
  afterAll(() => w.node.end())
  afterEach(() => {
    for (const { violations } of known.values()) expect(violations).toEqual([])
  })

  test('the list says what waits, what each figure is a part of, and who is known to have each signal', async () => {
    const one = await as('Ana', '/submissions')
    const { page } = one
    expect(await page.locator('#figures-title + dl').textContent()).toContain('1 of 6')
    const attention = page.locator('section[aria-labelledby=attention-title]')
    expect(await attention.textContent()).toMatch(/Disputes [12][\s\S]*False match, by birch[\s\S]*Questions 1/)
    const row = (item: SignalItem) => page.locator(`#signal-${item.signal} td`)
    expect((await row(nth(0)).allInnerTexts()).slice(4, 9)).toEqual(['2/2', '–', '1', '–', '1'])
    expect((await row(nth(2)).allInnerTexts()).slice(2, 5)).toContain('1/2')
    await expectAccessible(page)
  })

  test('a filter is a form, a text and an address, which say the same', async () => {
    const one = await as('Ana', '/submissions')
    const { page } = one
    await page.fill('#find', 'state:withdrawn')
    await page.press('#find', 'Enter')
    await page.waitForURL(/state=withdrawn/)
    expect(await page.locator('#sent tbody tr').count()).toBe(1)
    await page.getByRole('link', { name: 'remove this filter' }).click()
    expect(await page.locator('#sent tbody tr').count()).toBe(6)
    await page.fill('#find', 'nothing of the kind')
    await page.press('#find', 'Enter')
    await page.locator('#find-error').waitFor()
    expect(await page.inputValue('#find')).toBe('nothing of the kind')
  })

  test('words are not on the page until they are asked for, and are text and nothing else', async () => {
    const one = await as('Ana', `/submissions/${nth(0).signal}`)
    const { page } = one
    expect(await page.content()).not.toContain('onerror')
    await page.getByRole('link', { name: 'Reveal the words of birch' }).click()
    await page.locator('.revealed').waitFor()
    expect(await page.locator('.revealed .words').textContent()).toBe(EVIL)
    expect(await page.locator('.revealed img').count()).toBe(0)
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('revealed')
    await expectAccessible(page)
  })

  test('a lead answers a dispute; what was refused keeps what was typed', async () => {
    const one = await as('Lea', `/submissions/${nth(4).signal}`)
    const { page } = one
    await page.getByLabel('We stand by it').check()
    await page.getByLabel('Note, visible to birch').fill('write to ann@example.org')
    await page.getByRole('button', { name: 'Answer', exact: true }).click()
    await page.getByText('raw-identifier').waitFor()
    expect(await page.getByLabel('Note, visible to birch').inputValue()).toBe('write to ann@example.org')
    expect(await page.getByLabel('We stand by it').isChecked()).toBe(true)
    await expectAccessible(page)
    await page.getByLabel('Note, visible to birch').fill('two of us saw it')
    await page.getByRole('button', { name: 'Answer', exact: true }).click()
    await page.getByText('Answered: We stand by it').waitFor()
    expect(path(one)).toBe(`/submissions/${nth(4).signal}`)
  })

  test('a withdrawal shows how many have acknowledged it, and what to type for the rest', async () => {
    const one = await as('Lea', `/submissions/${nth(2).signal}`, { javaScript: false })
    const { page } = one
    expect(await page.locator('.reach').textContent()).toBe('1 of 2 acknowledged')
    await one.goto(`/submissions/${nth(3).signal}`)
    expect(await page.locator('.command code').allInnerTexts()).toContain(
      `aldis withdraw ${nth(3).signal} --reason mistaken`,
    )
    await page.getByRole('link', { name: 'All signals' }).click()
    expect(await page.locator('#sent tbody tr').count()).toBe(6)
  })

  test("another organisation's signals are not there", async () => {
    const one = await as('Bo', `/submissions/${nth(0).signal}`)
    expect(await one.page.locator('h1').textContent()).toBe('Nothing here')
    await one.goto('/submissions')
    expect(await one.page.getByText('Nothing was sent yet').count()).toBe(1)
  })

  test('a search sends keys alone: neither the value nor its normal form leaves the tab', async () => {
    const one = await as('Bo', '/search')
    const { page } = one
    const sent: string[] = []
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`))
    await page.getByLabel('Value', { exact: true }).fill('HTTPS://User@BAD.example:443/./quiet#top')
    await page.getByLabel('Why you ask').focus()
    await page.getByText('What will be sent').click()
    expect(await page.getByLabel('Value', { exact: true }).inputValue()).toBe('')
    const key = nth(3).type === 'url' ? (nth(3) as Extract<SignalItem, { type: 'url' }>).value.sha256 : ''
    expect(await page.locator('#keys').textContent()).toContain(key)
    await expectAccessible(page)
    await page.getByLabel('Why you ask').selectOption('investigation')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('1 signal found').waitFor()
    expect(await page.locator('table').textContent()).toContain('aster')
    const all = sent.join('\n')
    expect(all).toContain(key)
    expect(all).not.toMatch(/quiet|bad\.example|User@|%2Fquiet/i)
    await expectAccessible(page)
  })

  test('an empty search names the groups, and what needs a key names its command', async () => {
    const one = await as('Bo', '/search')
    const { page } = one
    await page.getByLabel('Value', { exact: true }).fill('https://nobody.example/')
    await page.getByLabel('Why you ask').selectOption('appeal')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('Nothing found').waitFor()
    expect(await page.locator('.empty').textContent()).toContain('trees')
    await page.getByLabel('What it is').selectOption('email')
    expect(await page.locator('[data-by-command=email] code').textContent()).toContain('aldis lookup -')
    expect(await page.getByRole('button', { name: 'Search' }).isDisabled()).toBe(true)
    await page.getByLabel('Id of a signal').fill('type:url')
    await page.getByRole('button', { name: 'Go', exact: true }).click()
    await page.waitForURL(/queue\?type=url/)
  })

  test('without JavaScript the search says what to use instead', async () => {
    const one = await as('Bo', '/search', { javaScript: false })
    expect(await one.page.locator('main').textContent()).toContain('aldis lookup values.ndjson')
    expect(await one.page.locator('#search').isVisible()).toBe(false)
  })

  test('the board has codes alone; a pattern is revealed, compared and tried in the tab', async () => {
    const one = await as('Bo', '/tactics')
    const { page } = one
    const sent: string[] = []
    expect(await page.content()).not.toMatch(/kite|onerror/)
    await expectAccessible(page)
    await page.locator('#patterns a').first().click()
    await page.getByRole('link', { name: /^Reveal R/ }).waitFor()
    expect(await page.content()).not.toMatch(/kite|onerror/)
    await page.getByRole('link', { name: 'What changed since 1' }).click()
    await page.locator('.diff ins').first().waitFor()
    expect(await page.locator('.diff .words').first().textContent()).toBe('blue kites')
    await page.getByRole('link', { name: 'Reveal revision 1' }).click()
    await page.locator('#try').waitFor()
    expect(await page.locator('.revealed').textContent()).toContain(EVIL)
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`))
    await page.getByLabel('Texts, one a line').fill('my plum garden\na Blue Kite flies\nblue kitesurfing')
    await page.getByRole('button', { name: 'Try it here' }).click()
    await page.getByText('1 of 3 lines are hit').waitFor()
    expect(await page.locator('.tried mark').allInnerTexts()).toEqual(['Blue Kite'])
    await expectAccessible(page)
    expect(sent.filter((one) => !one.includes('/assets/'))).toEqual([])
  })

  test('the bell says what is new, and rests once it was seen', async () => {
    const { page } = await as('Lea', '/notices')
    expect(await page.locator('.bell .count').textContent()).toMatch(/^[1-9]/)
    expect(await page.locator('.notices-list').textContent()).toMatch(/birch disputes a signal of yours/)
    expect(await page.content()).not.toMatch(/onerror|bakery/)
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Mark all as seen' }).click()
    await page.getByText('All of them were seen').waitFor()
    expect(await page.locator('.bell .count').count()).toBe(0)
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/submissions\//)
    await page.keyboard.press('g')
    await page.keyboard.press('i')
    await page.waitForURL(/\/notices/)
  })

  test('a key that was moved acts, and the one that it left does not', async () => {
    const { page } = await as('Lea', '/settings')
    await page.locator('#key-back').fill('b')
    await page.getByRole('button', { name: 'Save keys' }).click()
    await page.waitForFunction(() => document.documentElement.dataset['keymap'] === 'b=u u=')
    await page.goto(`${w.node.console}/submissions/${nth(3).signal}`)
    await page.keyboard.press('u')
    await page.keyboard.press('b')
    await page.waitForURL((url) => url.pathname === '/submissions')
    await page.goto(`${w.node.console}/settings`)
    await page.getByRole('button', { name: 'As they were' }).click()
    await page.waitForFunction(() => document.documentElement.dataset['keymap'] === undefined)
  })

  test('a withdrawal says first whom it reaches, and may be left', async () => {
    const { page } = await as('Lea', `/submissions/${nth(3).signal}`)
    await page.getByRole('link', { name: 'Withdraw…' }).click()
    expect(await page.locator('main').textContent()).toContain('2 organisations')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Withdraw for everybody' }).click()
    expect(await page.getByLabel('Mistaken').evaluate((one) => (one as HTMLInputElement).validity.valid)).toBe(false)
    await page.getByRole('link', { name: 'Keep it' }).click()
    await page.waitForURL((url) => url.pathname === `/submissions/${nth(3).signal}`)
    expect(await page.locator('main').textContent()).not.toContain('Withdrawn:')
  })

  test('in a window of 320 pixels, at 200 % and on paper nothing is cut off', { timeout: 60_000 }, async () => {
    const pages = ['/settings', `/submissions/${nth(0).signal}`, '/queue']
    for (const options of [{ width: 320 }, { width: 640, scale: 2, dark: true }]) {
      const one = await as('Lea', '/notices', options)
      await expectNoSideways(one.page)
      for (const path of options.width === 320 ? pages : ['/settings']) {
        await one.goto(path)
        await expectNoSideways(one.page)
      }
      await expectAccessible(one.page)
    }
    const { page } = await as('Lea', `/submissions/${nth(0).signal}`)
    await page.emulateMedia({ media: 'print' })
    const [bar, paper] = [page.locator('header.bar'), page.locator('footer.paper')]
    const shown = [await bar.isVisible(), await paper.isVisible()]
    await expectAccessible(page)
    await page.emulateMedia({ media: null })
    expect(shown).toEqual([false, true])
  })

  test('whoever rests is told before the session ends, and one press prolongs it', async () => {
    const { page } = await as('Ana', '/submissions')
    const ana = (await w.node.parts.participants.listPeople()).find(({ name }) => name === 'Ana')
    const sessions = w.node.t.owner
      .updateTable('console_session')
      .where('person_id', '=', ana?.person_id ?? nth(0).signal)
    await sessions.set({ seen_at: new Date(Date.now() - 28.5 * 60_000) }).execute()
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    const stay = page.getByRole('button', { name: 'Stay signed in' })
    await stay.waitFor()
    expect(await page.locator('#live').textContent()).toMatch(/Your session ends in [12] min/)
    await expectAccessible(page)
    await stay.click()
    await expect
      .poll(() =>
        w.node.t.owner
          .selectFrom('console_session')
          .select(({ fn }) => fn.max('seen_at').as('at'))
          .where('person_id', '=', ana?.person_id ?? nth(0).signal)
          .executeTakeFirst()
          .then((row) => Date.now() - (row?.at?.getTime() ?? 0) < 60_000),
      )
      .toBe(true)
    expect(await page.locator('#session-warning').count()).toBe(0)
  })
})
