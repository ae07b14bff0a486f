import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Uuid } from '../../../src/kernel/ids.ts'
import {
  aConsoleNode,
  type ConsoleNode,
  expectAccessible,
  hasChromium,
  subjectOf,
  type VisitOptions,
  type Visitor,
  visit,
} from '../../support/browser.ts'

/** Each would run, or break out of an attribute, if it were taken for more than text. */
const CORPUS = [
  `<script>alert(1)</script>`,
  `"><img src=x onerror=alert(2)>`,
  `' onmouseover='alert(3)`,
  `</textarea></title><svg onload=alert(4)>`,
  `javascript:alert(5)`,
  `{{7*7}}\${7*7}<!--`,
]

let node: ConsoleNode
let gil: Uuid
let nia: Uuid
const open: Visitor[] = []

async function visitor(options?: VisitOptions): Promise<Visitor> {
  const one = await visit(node, options)
  open.push(one)
  return one
}

const admission = (slug: string, by: Uuid, name = slug) =>
  node.parts.participants.propose('participant.admit', { slug, name, kind: 'platform' }, by)

describe.skipIf(!hasChromium)('the console in a browser', () => {
  beforeAll(async () => {
    node = await aConsoleNode()
    await node.decide('participant.admit', { slug: 'apple', name: 'Apple', kind: 'platform' })
    gil = await node.persona({ name: 'Gil', organisation: 'council', roles: ['governance'] })
    nia = await node.persona({ name: 'Nia', organisation: 'office', roles: ['node_admin'] })
    await node.persona({ name: 'Pam', organisation: 'apple', roles: ['partner_admin'] })
    await node.persona({ name: 'Ana', organisation: 'apple', roles: [] })
  })
  afterAll(() => node.end())
  afterEach(async () => {
    for (const one of open.splice(0)) {
      expect(one.violations).toEqual([])
      await one.close()
    }
  })

  test('a page leads to the sign-in and back to itself', async () => {
    const { page, context, goto, signIn } = await visitor()
    await goto('/log')
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    await signIn('Gil', '/log')
    expect(new URL(page.url()).pathname).toBe('/log')
    expect(await page.locator('h1').textContent()).toBe('Log')
    const cookies = (await context.cookies()).filter(({ name }) => name === '__Host-sid')
    expect(cookies).toMatchObject([{ httpOnly: true, secure: true, sameSite: 'Lax', path: '/', expires: -1 }])
  })

  test('an account that nobody was given lets nobody in, and says what to tell the administrator', async () => {
    const { page, goto } = await visitor()
    const { participants } = node.parts
    const { person_id } = await participants.addPerson(node.ada, { name: 'Gone', organisation: 'office' })
    const login = { person: person_id, issuer: node.issuer, subject: 'gone' }
    const { login_id } = await participants.giveLogin(node.ada, login)
    await goto('/sign-in')
    await page.getByRole('link', { name: 'Choose a persona' }).click()
    await page.locator('button[value=gone]').waitFor()
    await participants.endLogin(node.ada, login_id)
    await page.locator('button[value=gone]').click()
    await page.waitForURL((url) => url.origin === node.console || url.pathname.startsWith('/auth'))
    expect(await node.parts.participants.findLogin(login)).toBeUndefined()
    await goto('/log')
    expect(new URL(page.url()).pathname).toBe('/sign-in')
  })

  test('an approval takes a step-up, shows the act again, and changes the cookie', async () => {
    const { request_id } = await admission('banana', node.ada)
    const { page, context, goto, signIn, confirm } = await visitor()
    const sid = async () => (await context.cookies()).find(({ name }) => name === '__Host-sid')?.value
    await signIn('Gil', `/requests/${request_id}`)
    const before = await sid()
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0)
    await page.getByRole('link', { name: 'Confirm it is you' }).click()
    await confirm()
    expect(new URL(page.url()).pathname).toBe(`/requests/${request_id}`)
    expect(await sid()).not.toBe(before)
    await page.getByText('banana').first().waitFor()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('button', { name: 'Carry out' }).click()
    await page.getByText('Admit a participant: carried out').waitFor()
    await goto(`/requests/${request_id}`)
    await page.getByText('It is carried out.').waitFor()
    expect(node.parts.authority.participantBySlug('banana')).toBeDefined()
  })

  test('nobody finds a control to approve what they proposed, and a forged form is refused too', async () => {
    const { request_id } = await node.parts.participants.propose('role.grant', { person: gil, role: 'observer' }, nia)
    const { page, signIn, confirm, goto } = await visitor()
    await signIn('Nia')
    await goto(`/step-up?to=/requests/${request_id}`)
    await confirm()
    await page.getByText('You proposed this.').waitFor()
    expect(await page.getByRole('button', { name: /Approve|Deny|Carry out/ }).count()).toBe(0)
    const answer = await page.evaluate(async (path) => {
      const csrf = document.querySelector<HTMLInputElement>('input[name=csrf]')?.value ?? ''
      const sent = await fetch(path, { method: 'POST', body: new URLSearchParams({ csrf }) })
      return { status: sent.status, text: await sent.text() }
    }, `/requests/${request_id}/approve`)
    expect(answer.status).toBe(403)
    expect(answer.text).toContain('self-approval')
    await goto(`/requests/${request_id}`)
    expect(await page.getByText('0 of').count()).toBe(0)
  })

  test('a session that is ended in mid-work keeps what was typed, with JavaScript and without', async () => {
    const [withScript, without] = [await visitor(), await visitor({ javaScript: false })]
    await withScript.signIn('Pam', '/people')
    await without.signIn('Pam', '/people')
    const { page } = withScript
    await page.getByLabel('Name').fill('Half a na')
    await without.page.getByLabel('Name').fill('Half a na')
    const pam = (await node.parts.participants.listPeople()).find(({ name }) => name === 'Pam')
    await endAll(pam?.person_id)
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor()
    expect(await page.getByLabel('Name').inputValue()).toBe('Half a na')
    await without.page.getByRole('button', { name: 'Add' }).click()
    expect(await without.page.getByLabel('What you had typed: name').inputValue()).toBe('Half a na')
    await page.getByRole('button', { name: 'Back to the page' }).click()
    await withScript.goto('/people')
    expect(new URL(page.url()).pathname).toBe('/sign-in')
  })

  test('without JavaScript an act is approved and denied', async () => {
    const [cherry, elder] = [await admission('cherry', node.ada), await admission('elder', node.ada)]
    const { page, signIn, confirm, goto } = await visitor({ javaScript: false })
    await signIn('Gil', `/requests/${cherry.request_id}`)
    await page.getByRole('link', { name: 'Confirm it is you' }).click()
    await confirm()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByText('approved, not carried out').waitFor()
    await goto(`/requests/${elder.request_id}`)
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('It was denied.').waitFor()
    await page.getByRole('link', { name: 'Keys and help' }).click()
    expect(new URL(page.url()).pathname).toBe('/help')
  })

  test('with keys alone one goes to the list, opens an act, confirms, and approves it', async () => {
    await admission('fig', node.ada)
    const { page, signIn } = await visitor()
    await signIn('Gil', '/settings')
    const { keyboard } = page
    await keyboard.press('g')
    await keyboard.press('a')
    await page.waitForURL('**/requests')
    await keyboard.press('?')
    await page.getByRole('heading', { name: 'Keys' }).waitFor()
    await keyboard.press('Escape')
    await keyboard.press('j')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Admit a participant')
    await keyboard.press('Enter')
    await page.waitForURL('**/requests/*')
    await keyboard.press('y')
    await page.getByRole('button', { name: /^Yes, I am/ }).waitFor()
    await keyboard.press('Tab')
    await keyboard.press('Enter')
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await keyboard.press('y')
    await page.getByText('approved, not carried out').waitFor()
    await keyboard.press('u')
    await page.waitForURL('**/requests')
    await keyboard.press('Control+k')
    await keyboard.type('sett')
    await keyboard.press('Enter')
    await page.waitForURL('**/settings')
  })

  test('what a form is refused is said beside it, with what was typed still there and the focus kept', async () => {
    const { page, signIn } = await visitor()
    await signIn('Pam', '/people')
    const name = page.getByLabel('Name')
    await name.evaluate((field) => field.removeAttribute('maxlength'))
    await name.fill('x'.repeat(121))
    await name.press('Enter')
    await page.locator('#errors').getByText('validation-failed').waitFor()
    expect(await name.inputValue()).toBe('x'.repeat(121))
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('f-name')
    await name.fill('Uma')
    await name.press('Enter')
    await page.getByRole('heading', { name: 'Uma' }).waitFor()
  })

  test('whoever leaves is out with the next request, and colleagues see it', async () => {
    await node.persona({ name: 'Lou', organisation: 'apple', roles: ['analyst'] })
    const [lou, pam] = [await visitor(), await visitor()]
    await lou.signIn('Lou', '/settings')
    await pam.signIn('Pam', '/people')
    await pam.page.getByRole('link', { name: 'Lou' }).click()
    await pam.page.getByText('End all access …').click()
    await pam.page.getByRole('button', { name: 'End all access of Lou' }).click()
    await pam.page.waitForURL('**/people')
    expect(await pam.page.getByRole('link', { name: 'Lou' }).count()).toBe(0)
    await lou.goto('/log')
    await lou.page.getByText('Your access was ended.').waitFor()
  })

  test('whatever stands in a text is shown as it stands, and runs nowhere', async () => {
    for (const [i, text] of CORPUS.entries()) {
      await node.parts.participants.addPerson(node.ada, { name: text, organisation: 'apple' })
      await admission(`xss-${i}`, node.ada, text)
    }
    const odd = await node.persona({ name: CORPUS[1] ?? '', organisation: 'apple', roles: ['partner_admin'] })
    const [gilSees, oddSees] = [await visitor(), await visitor()]
    await oddSees.goto('/sign-in')
    await oddSees.page.getByRole('link', { name: 'Choose a persona' }).click()
    await oddSees.page.locator(`button[value="${subjectOf(CORPUS[1] ?? '')}"]`).click()
    await oddSees.page.waitForURL((url) => url.origin === node.console)
    await oddSees.goto('/people')
    const names = await oddSees.page.locator('td a').allTextContents()
    for (const text of CORPUS) expect(names).toContain(text)
    await oddSees.goto(`/people/${odd}`)
    expect(await oddSees.page.locator('h1').textContent()).toBe(CORPUS[1])
    const found = (await node.parts.participants.requestsFor(gil)).filter(({ payload }) => payload.includes('xss-'))
    await gilSees.signIn('Gil')
    for (const { request_id, payload } of found.slice(0, 3)) {
      await gilSees.goto(`/requests/${request_id}`)
      const { name } = JSON.parse(payload) as { name: string }
      expect(await gilSees.page.locator('.facts .value').allTextContents()).toContain(name)
    }
    await oddSees.goto(`/log/find?index=${encodeURIComponent(CORPUS[0] ?? '')}`)
    await oddSees.page.getByText('no entry has this number').waitFor()
    for (const one of [gilSees, oddSees]) expect(await one.page.locator('main script, main img').count()).toBe(0)
  })

  test('each screen meets WCAG 2.2 AA in light and dark', { timeout: 90_000 }, async () => {
    const { request_id } = await admission('hazel', node.ada)
    const [gilSees, pamSees] = [await visitor(), await visitor({ width: 800 })]
    await gilSees.goto('/sign-in')
    await expectAccessible(gilSees.page)
    await gilSees.page.getByRole('link', { name: 'Choose a persona' }).click()
    await expectAccessible(gilSees.page)
    await gilSees.signIn('Gil')
    const pages = ['/requests', `/requests/${request_id}`, '/log', '/log/entries/2', '/settings', '/help', '/nowhere']
    for (const path of pages) {
      await gilSees.goto(path)
      await expectAccessible(gilSees.page)
    }
    await gilSees.page.keyboard.press('Control+k')
    await expectAccessible(gilSees.page)
    await pamSees.signIn('Pam')
    const ana = (await node.parts.participants.listPeople()).find(({ name }) => name === 'Ana')
    for (const path of ['/people', `/people/${ana?.person_id}`]) {
      await pamSees.goto(path)
      await expectAccessible(pamSees.page)
    }
    await pamSees.page.locator('.menu summary').click()
    await expectAccessible(pamSees.page)
  })
})

/** As an administrator does on another page. */
async function endAll(person: Uuid | undefined): Promise<void> {
  if (person === undefined) throw new Error('nobody of this name')
  const { createSessions } = await import('../../../src/console/session.ts')
  const { randomBytes } = await import('node:crypto')
  const sessions = createSessions({ db: node.t.admin, clock: () => new Date(), randomBytes })
  expect(await sessions.end({ person, reason: 'ended_by_admin' })).toBeGreaterThan(0)
}
