import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { loadAssets } from '../../src/console/assets.ts'
import { policyOf } from '../../src/console/security-headers.ts'

const assets = loadAssets()
const bodyOf = (name: string): string => assets.find(assets.href(name).slice('/assets/'.length))?.body.toString() ?? ''

test('a file is served under the hash of what it holds', () => {
  const href = assets.href('console.css')
  const hash = createHash('sha256').update(bodyOf('console.css')).digest('hex').slice(0, 16)
  expect(href).toBe(`/assets/console.${hash}.css`)
})

test('modules import each other by the names that are served', () => {
  const imports = [...bodyOf('shell.js').matchAll(/from ["']([^"']+)["']/g)].map(([, name]) => name ?? '')
  expect(imports.length).toBeGreaterThan(4)
  for (const name of imports) expect(assets.find(name.slice('/assets/'.length)), name).toBeDefined()
})

test('what the shell loads is smaller than 60 KB, compressed', async () => {
  const { gzipSync } = await import('node:zlib')
  const own = [
    'console.css',
    'htmx.js',
    'shell.js',
    'keys.js',
    'palette.js',
    'session.js',
    'refusals.js',
    'theme.js',
    'copy.js',
    'dom.js',
  ]
  const size = own.reduce((sum, name) => sum + gzipSync(bodyOf(name)).length, 0)
  expect(size).toBeLessThan(60 * 1_024)
})

test('a name that is none of the files is a mistake, and finds nothing', () => {
  expect(() => assets.href('nothing.css')).toThrow('nothing.css')
  expect(assets.find('console.css')).toBeUndefined()
  expect(assets.find('../app.js')).toBeUndefined()
})

test('the policy names where forms may lead, and nothing inline', () => {
  expect(policyOf()).not.toContain('unsafe')
  expect(policyOf({ formAction: ['https://console.example'] })).toContain("form-action 'self' https://console.example;")
})
