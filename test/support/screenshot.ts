import { mkdirSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { type ConsoleNode, expectAccessible, expectNoSideways, type Visitor, visit } from './browser.ts'

const FOLDER = 'screenshots'

interface Look {
  /** Part of the file's name. */
  name: string
  dark?: boolean
  width: number
  scale?: number
  print?: true
  /** Held against WCAG 2.2 AA, and against scrolling sideways. */
  held?: true
}

const LOOKS: readonly Look[] = [
  { name: 'light.1280', width: 1280 },
  { name: 'light.800', width: 800 },
  { name: 'dark.1280', dark: true, width: 1280 },
  { name: 'dark.800', dark: true, width: 800 },
  { name: 'light.320', width: 320, held: true },
  { name: 'dark.zoomed', dark: true, width: 640, scale: 2, held: true },
  { name: 'paper', width: 1000, print: true, held: true },
]

/** Who looks, at which page, and what is done there first. */
export interface Screen {
  name: string
  as?: string
  path: string
  before?(visitor: Visitor): Promise<void>
}

/** Does what leads to another page, and waits until that is there: a picture of a page that goes away is none. */
export async function following(page: Page, act: () => Promise<void>): Promise<void> {
  const arrived = page.waitForEvent('load')
  await act()
  await arrived
}

/** Writes each screen light and dark, 1280, 800 and 320 wide, at 200 % and as it is printed: `<name>.<look>.png`. */
export async function picture(
  node: Pick<ConsoleNode, 'console' | 'browser'>,
  screens: readonly Screen[],
  enter: (visitor: Visitor, name: string) => Promise<void> = (visitor, name) => visitor.signIn(name),
): Promise<void> {
  mkdirSync(FOLDER, { recursive: true })
  for (const look of LOOKS) {
    let who: string | undefined
    let visitor = await visit(node, look)
    for (const { name, as, path, before } of screens) {
      if (as !== who) {
        await visitor.close()
        visitor = await visit(node, look)
        if (as !== undefined) await enter(visitor, as)
        who = as
      }
      await visitor.goto(path)
      await before?.(visitor)
      if (look.print) await visitor.page.emulateMedia({ media: 'print' })
      await shoot(visitor.page, `${FOLDER}/${name}.${look.name}.png`)
      if (look.held) await hold(visitor.page)
      if (look.print) await visitor.page.emulateMedia({ media: null })
    }
    await visitor.close()
  }
}

const shoot = (page: Page, path: string): Promise<Buffer> => page.screenshot({ path, fullPage: true })

async function hold(page: Page): Promise<void> {
  await expectAccessible(page)
  await expectNoSideways(page)
}
