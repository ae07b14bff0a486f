import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import type { Role } from '../../src/participants/schema.ts'
import { aTestNode, type TestNode } from './node.ts'

const CHROMIUM = '/usr/bin/chromium'

/** Debian's Chromium is asked for in CI; elsewhere these tests are skipped and say how to get it. */
export const hasChromium = existsSync(CHROMIUM)
if (!hasChromium) {
  const missing = `no ${CHROMIUM}: apt-get install chromium, then the browser tests run`
  if (process.env['CI'] !== undefined) throw new Error(missing)
  process.stderr.write(`${missing}\n`)
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

export interface NewPersona {
  /** The name shown, and the account's at the provider. */
  name: string
  organisation: string
  roles: readonly Role[]
}

/** A node whose console people sign in to by choosing who they are. */
export interface ConsoleNode extends TestNode {
  console: string
  /** The issuer of its personas. */
  issuer: string
  /** A person with roles and a login; roles of the programme by two administrators. */
  persona(persona: NewPersona): Promise<Uuid>
  browser(): Promise<Browser>
}

/** Once a file: a node and a browser take a while to start. */
export async function aConsoleNode(options: Parameters<typeof aTestNode>[0] = {}): Promise<ConsoleNode> {
  const node = await aTestNode({
    ...options,
    env: { CONSOLE_PORT: '0', CONSOLE_DEMO_PORT: '0', ...options.env },
  })
  const { console: origin } = node
  if (origin === undefined) throw new Error('the node has no console')
  const issuer = issuerOf(node)
  const { participants } = node.parts
  let browser: Promise<Browser> | undefined
  return {
    ...node,
    ...{ console: origin, issuer },
    persona: async ({ name, organisation, roles }) => {
      const { person_id } = await participants.addPerson(node.ada, { name, organisation })
      for (const role of roles) {
        if (SHARED.has(role)) await node.decide('role.grant', { person: person_id, role })
        else await participants.grantRole(node.ada, { person: person_id, role })
      }
      await participants.giveLogin(node.ada, { person: person_id, issuer, subject: subjectOf(name) })
      return person_id
    },
    browser: () => {
      browser ??= launchBrowser()
      return browser
    },
    end: async () => {
      await (await browser)?.close()
      await node.end()
    },
  }
}

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    // Chromium's sandbox does not start as root, as which containers run.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })

const SHARED: ReadonlySet<Role> = new Set(['node_admin', 'governance', 'observer'])

/** What the identity provider calls somebody; names may hold anything, accounts may not. */
export const subjectOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')

function issuerOf({ node }: TestNode): string {
  const issuer = node.issuer()
  if (issuer === undefined) throw new Error('the node has no provider of personas')
  return issuer
}

export interface Visitor {
  page: Page
  context: BrowserContext
  /** What the content security policy refused so far; a test ends with none. */
  violations: readonly string[]
  /** Signs in as somebody, and arrives at `path`. */
  signIn(name: string, path?: string): Promise<void>
  /** Confirms at the provider that it is the same person, where a page leads there. */
  confirm(): Promise<void>
  goto(path: string): Promise<void>
  close(): Promise<void>
}

export interface VisitOptions {
  javaScript?: boolean
  dark?: boolean
  width?: number
  height?: number
}

/** A browser of its own, without anybody's cookies. */
export async function visit(
  node: Pick<ConsoleNode, 'console' | 'browser'>,
  options: VisitOptions = {},
): Promise<Visitor> {
  const { javaScript = true, dark = false, width = 1280, height = 800 } = options
  const context = await (await node.browser()).newContext({
    // The certificate is the programme's own, which no browser knows.
    ignoreHTTPSErrors: true,
    javaScriptEnabled: javaScript,
    colorScheme: dark ? 'dark' : 'light',
    viewport: { width, height },
  })
  context.setDefaultTimeout(8_000)
  const violations: string[] = []
  const page = await context.newPage()
  page.on('console', (message) => {
    if (/content security policy|refused to/i.test(message.text())) violations.push(message.text())
  })
  page.on('pageerror', (error) => violations.push(`script: ${error.message}`))
  page.on('dialog', (dialog) => {
    violations.push(`a script said: ${dialog.message()}`)
    void dialog.dismiss()
  })
  const goto = async (path: string): Promise<void> => {
    await page.goto(`${node.console}${path}`)
  }
  return {
    ...{ page, context, violations, goto },
    signIn: async (name, path = '/') => {
      await goto(`/sign-in?to=${encodeURIComponent(path)}`)
      await page.getByRole('link', { name: 'Choose a persona' }).click()
      await page.locator(`button[name=subject][value="${subjectOf(name)}"]`).click()
      await page.waitForURL((url) => url.origin === node.console)
    },
    confirm: async () => {
      await page.getByRole('button', { name: /^Yes, I am/ }).click()
      await page.waitForURL((url) => url.origin === node.console)
    },
    close: () => context.close(),
  }
}

/** Fails with what axe-core finds against WCAG 2.2 A and AA; it is evaluated in the page's own world, past its policy. */
export async function expectAccessible(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const { readFileSync } = await import('node:fs')
  await session.send('Runtime.evaluate', { expression: readFileSync(AXE, 'utf8') })
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(WCAG)} } }).then((found) =>
      JSON.stringify(found.violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) =>
        html.slice(0, 160) + ' — ' + failureSummary).join(' | '))))`,
    awaitPromise: true,
  })
  await session.detach()
  expect(JSON.parse(String(result.value)), `${page.url()} against WCAG 2.2 AA`).toEqual([])
}
