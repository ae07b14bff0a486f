import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { readModules, relinked } from '../../src/console/modules.ts'

const root = mkdtempSync(join(tmpdir(), 'aldis-modules-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const folder = join(root, 'dist/src/console/client')
const put = (path: string, text: string): void => {
  mkdirSync(join(root, 'dist', path, '..'), { recursive: true })
  writeFileSync(join(root, 'dist', path), text)
}

test('a module brings along what it imports from around its folder, JSON as a module, packages by the list', () => {
  put('src/console/client/page.js', `import { a } from '../../fruit/apple.js'\nconst later = import('./late.js')\n`)
  put('src/console/client/late.js', `import { getDomain } from 'tldts'\n`)
  put(
    'src/fruit/apple.js',
    `import words from '../../config/words.json' with { type: 'json' }\nexport const a = words\n`,
  )
  put('config/words.json', '["plum"]')
  const modules = readModules(folder)
  expect([...modules.keys()].sort()).toEqual(['config-words.js', 'fruit-apple.js', 'late.js', 'page.js', 'tldts.js'])
  expect(String(modules.get('config-words.js')?.body)).toBe('export default ["plum"]')
  const linked = (name: string): string => {
    const { body, imports } = modules.get(name) ?? { body: Buffer.alloc(0), imports: new Map<string, string>() }
    return String(
      relinked(body, (specifier) => (imports.has(specifier) ? `/assets/${imports.get(specifier)}` : undefined)),
    )
  }
  expect(linked('page.js')).toBe(
    `import { a } from '/assets/fruit-apple.js'\nconst later = import('/assets/late.js')\n`,
  )
  expect(linked('fruit-apple.js')).toContain(`import words from '/assets/config-words.js'\n`)
})

test('a package that is not on the list is loaded by no page', () => {
  put('src/console/client/other.js', `import { x } from 'plum-package'\n`)
  expect(() => readModules(folder)).toThrow('plum-package, which no page may load')
  rmSync(join(folder, 'other.js'))
})

const BUILT = join(import.meta.dirname, '../../dist/src/console/client')

/** What a page may load at once, and what a module that is loaded when first needed may bring, compressed. */
const LATE_MAX = 220 * 1024

describe.skipIf(!existsSync(BUILT))('of what is built', () => {
  const modules = existsSync(BUILT) ? readModules(BUILT) : new Map<string, never>()
  const closure = (name: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(name)) return seen
    seen.add(name)
    for (const target of modules.get(name)?.imports.values() ?? []) closure(target, seen)
    return seen
  }
  test.for(['search-keys.js', 'tactics-try.js'])('%s with everything that it loads is at most 220 KiB', (name) => {
    const size = [...closure(name)].reduce((n, one) => n + gzipSync(modules.get(one)?.body ?? '').length, 0)
    expect(size).toBeGreaterThan(10_000)
    expect(size).toBeLessThan(LATE_MAX)
  })
  test('what is loaded when first needed is imported by no page itself', () => {
    const late = ['search-keys.js', 'tactics-try.js', 'tldts.js', 're2js.js']
    const source = String(modules.get('search.js')?.body) + String(modules.get('tactics.js')?.body)
    expect(source).not.toMatch(/from '\.\/(search-keys|tactics-try)/)
    const page = closure('shell.js')
    expect(late.filter((one) => page.has(one))).toEqual([])
  })
})
