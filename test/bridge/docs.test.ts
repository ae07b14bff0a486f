import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { BRIDGE_LIMITS } from '../../src/bridge/limits.ts'

const page = readFileSync('docs/bridge.md', 'utf8')

test.each(Object.entries(BRIDGE_LIMITS))('the limit %s stands in docs/bridge.md, as it is: %d', (name, value) => {
  expect(page).toMatch(new RegExp(`\\| \`${name}\` \\| ${value.toLocaleString('en')}\\b`))
})
