import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const CLI = join(ROOT, 'dist/src/cli/main.js')
const MINUTES = 60_000

let dir: string
beforeAll(() => {
  if (!existsSync(CLI)) throw new Error('run npm run build first: the demo is tested as it is shipped')
  dir = mkdtempSync(join(tmpdir(), 'aldis-demo-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** A past of a few days only: what ninety hold is planned by the same rules. */
const SHORT = ['--days', '10', '--signals', '60']

/** As `npm run demo -- --once` runs it, with data in a folder of the test. */
function play(): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, 'demo', '--once', '--dir', join(dir, 'demo'), ...SHORT], { cwd: ROOT })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (some: string) => {
        text += some
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, text }))
  })
}

test('the demo proves each of its claims, and again on what it left behind', { timeout: 10 * MINUTES }, async () => {
  const first = await play()
  expect(first.code, first.text).toBe(0)
  expect(first.text).toContain('Every step held.')
  expect(first.text).not.toContain('NOT TRUE')
  const second = await play()
  expect(second.code, second.text).toBe(0)
  expect(second.text).toContain('found as an earlier run left them')
  expect(second.text).toContain('as an earlier run made them')
})
