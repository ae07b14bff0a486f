import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { loadAssets } from '../../../src/console/assets.ts'
import { SESSION_COOKIE } from '../../../src/console/cookies.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import { launchBrowser, type VisitOptions, type Visitor, visit } from '../../support/browser.ts'
import { testPki } from '../../support/pki.ts'
import { aConsoleWorld, type Person } from '../review/world.ts'

export type ReviewSite = Awaited<ReturnType<typeof aReviewSite>>

/** The console of banana, whose people look at apple's and cherry's signals; signed in without a provider, on a clock turned by hand. */
export async function aReviewSite() {
  const { material } = await testPki()
  const w = await aConsoleWorld({ https: { key: material.key, cert: material.chain }, assets: loadAssets() })
  const [apple, banana, cherry] = [await w.admit('apple'), await w.admit('banana'), await w.admit('cherry')]
  const { audience } = await w.group('fruit', [apple, banana, cherry])
  const people = {
    ana: await w.person(banana, 'analyst'),
    ben: await w.person(banana, 'analyst'),
    lea: await w.person(banana, 'lead'),
  }
  await w.app.listen({ port: 0, host: 'localhost' })
  const console = `https://localhost:${(w.app.server.address() as AddressInfo).port}`
  w.place.origin = console
  let browser: Promise<Browser> | undefined
  const at = {
    console,
    browser: () => {
      browser ??= launchBrowser()
      return browser
    },
  }
  /** From now on the browser is somebody's. */
  const enter = async ({ context }: Visitor, { cookie: value }: Person): Promise<void> => {
    const cookie = { name: SESSION_COOKIE, value, url: console, httpOnly: true, secure: true }
    await context.addCookies([{ ...cookie, sameSite: 'Lax' }])
  }
  return {
    ...{ w, at, apple, banana, cherry, audience, people, enter },
    /** A browser of somebody's own. */
    as: async (who: Person, path: string, options?: VisitOptions): Promise<Visitor> => {
      const visitor = await visit(at, options)
      await enter(visitor, who)
      await visitor.goto(path)
      return visitor
    },
    /** Cases of banana's, each over hits of a signal of apple's. */
    cases: async (...changes: readonly { hits?: number; change?: object }[]): Promise<Uuid[]> => {
      // Longer than the grace: nothing of another test may be undone any more.
      await w.later(30_000)
      const items: SignalItem[] = changes.map(({ change = {} }) => w.item({ audience, severity: 'medium', ...change }))
      await w.submit(apple, items)
      await w.settle()
      const found: Uuid[] = []
      for (const [i, item] of items.entries()) {
        const { results } = await w.hit(banana, apple, item, changes[i]?.hits ?? 1)
        found.push(...results.flatMap((one) => one.case ?? []))
      }
      return found
    },
    end: async () => {
      await (await browser)?.close()
      await w.end()
    },
  }
}
