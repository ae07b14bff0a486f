import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CATALOGUE } from '../../src/kernel/errors.ts'

/** Files that name codes without throwing them: the catalogue, the tables for documents, and those who receive refusals; lists are fetched at home. */
const TELLING = /^src\/(kernel\/errors\.ts|http\/(limits|openapi.*|operations?)\.ts|client\/(?!imports\/)|cli\/)/

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((name) => join('src', name))
  .filter((name) => /\.tsx?$/.test(name) && !TELLING.test(name))
const source = files.map((name) => readFileSync(name, 'utf8')).join('\n')

test.for(Object.keys(CATALOGUE))('the code %s is thrown somewhere', (code) => {
  expect(source).toContain(`'${code}'`)
})

test('a code is looked for in the whole tree', () => {
  expect(files.length).toBeGreaterThan(80)
})
