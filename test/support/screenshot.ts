import { mkdirSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { type ConsoleNode, type Visitor, visit } from './browser.ts'

const FOLDER = 'screenshots'
const LOOKS = [
  { dark: false, width: 1280 },
  { dark: false, width: 800 },
  { dark: true, width: 1280 },
  { dark: true, width: 800 },
]

/** Who looks, at which page, and what is done there first. */
export interface Screen {
  name: string
  as?: string
  path: string
  before?(visitor: Visitor): Promise<void>
}

/** Writes each screen light and dark, 1280 and 800 wide, as `<name>.<theme>.<width>.png`. */
export async function picture(
  node: Pick<ConsoleNode, 'console' | 'browser'>,
  screens: readonly Screen[],
  enter: (visitor: Visitor, name: string) => Promise<void> = (visitor, name) => visitor.signIn(name),
): Promise<void> {
  mkdirSync(FOLDER, { recursive: true })
  for (const { dark, width } of LOOKS) {
    let who: string | undefined
    let visitor = await visit(node, { dark, width })
    for (const { name, as, path, before } of screens) {
      if (as !== who) {
        await visitor.close()
        visitor = await visit(node, { dark, width })
        if (as !== undefined) await enter(visitor, as)
        who = as
      }
      await visitor.goto(path)
      await before?.(visitor)
      await shoot(visitor.page, `${FOLDER}/${name}.${dark ? 'dark' : 'light'}.${width}.png`)
    }
    await visitor.close()
  }
}

const shoot = (page: Page, path: string): Promise<Buffer> => page.screenshot({ path, fullPage: true })
