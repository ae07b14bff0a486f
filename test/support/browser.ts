import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import type { Role } from '../../src/participants/schema.ts'
import { aTestNode, type TestNode } from './node.ts'

/** Debian's; the one without windows takes two thirds of the other's time. */
const CHROMIUMS = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium']
const CHROMIUM = CHROMIUMS.find((one) => existsSync(one))

/** Debian's Chromium is asked for in CI; elsewhere these tests are skipped and say how to get it. */
export const hasChromium = CHROMIUM !== undefined
if (!hasChromium) {
  const missing = `none of ${CHROMIUMS.join(', ')}: apt-get install chromium-headless-shell, then the browser tests run`
  if (process.env['CI'] !== undefined) throw new Error(missing)
  process.stderr.write(`${missing}\n`)
}

const AXE_SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
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
    ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
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
  /** Pixels of the screen to one of the page: 2 at a zoom of 200 %. */
  scale?: number
}

/** A browser of its own, without anybody's cookies. */
export async function visit(
  node: Pick<ConsoleNode, 'console' | 'browser'>,
  options: VisitOptions = {},
): Promise<Visitor> {
  const { javaScript = true, dark = false, width = 1280, height = 800, scale = 1 } = options
  const context = await (await node.browser()).newContext({
    // The certificate is the programme's own, which no browser knows.
    ignoreHTTPSErrors: true,
    javaScriptEnabled: javaScript,
    colorScheme: dark ? 'dark' : 'light',
    viewport: { width, height },
    deviceScaleFactor: scale,
  })
  // Others share the machine: a page that comes late is no fault.
  context.setDefaultTimeout(20_000)
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

/** Fails where the page is wider than its window: what is wide scrolls in a region of its own (WCAG 1.4.10). */
export async function expectNoSideways(page: Page): Promise<void> {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth] as const)
  expect(wide, `${page.url()} in a window of ${window} pixels`).toBeLessThanOrEqual(window)
}

/**
 * Fails with what axe-core finds against WCAG 2.2 A and AA, in light and in dark; it is evaluated in the page's own
 * world, past its policy. A theme changes colours and nothing else, so the second one is looked at for these alone.
 */
export async function expectAccessible(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result } = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    return result.value
  }
  const found = async (options: object): Promise<unknown> =>
    evaluate(`axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations.map(({ id, nodes }) =>
      id + ': ' + nodes.map(({ html, failureSummary }) => html.slice(0, 160) + ' — ' + failureSummary).join(' | ')))`)
  await evaluate(AXE_SOURCE)
  const dark = await evaluate(`matchMedia('(prefers-color-scheme: dark)').matches`)
  const [here, there] = dark === true ? (['dark', 'light'] as const) : (['light', 'dark'] as const)
  expect(await found({ runOnly: { type: 'tag', values: WCAG } }), `${page.url()}, ${here}, WCAG 2.2 AA`).toEqual([])
  await page.emulateMedia({ colorScheme: there })
  const coloured = await found({ runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } })
  expect(coloured, `${page.url()}, ${there}, WCAG 2.2 AA`).toEqual([])
  await page.emulateMedia({ colorScheme: here })
  await session.detach()
}
