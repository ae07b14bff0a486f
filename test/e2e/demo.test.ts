import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placeOf } from '../../src/db/embedded-place.ts'

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

test('a demo that is told to end ends its node first, and that its database', { timeout: 5 * MINUTES }, async () => {
  const at = join(dir, 'ended')
  const demo = spawn(process.execPath, [CLI, 'demo', '--no-past', '--dir', at], {
    ...{ cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'], detached: true },
  })
  let said = ''
  demo.stdout.setEncoding('utf8').on('data', (some: string) => {
    said += some
  })
  const ended = once(demo, 'close')
  const ready = async (): Promise<boolean> => {
    const { ops } = JSON.parse(readFileSync(join(at, 'ports.json'), 'utf8')) as { ops: number }
    return (await fetch(`http://127.0.0.1:${ops}/readyz`)).ok
  }
  const node = async (): Promise<boolean> => ready().catch(() => false)
  // From here on one command runs after the other, and the one that breaks off breaks off the story too.
  await expect.poll(() => said, { timeout: 3 * MINUTES, interval: 50 }).toContain('Three platforms are admitted')
  expect(await node()).toBe(true)
  // As a terminal does: its group, and with it what it is running.
  process.kill(-(demo.pid ?? expect.fail('no process')), 'SIGTERM')
  expect(await ended).toEqual([null, 'SIGTERM'])
  expect(await node()).toBe(false)
  const { pgdata } = await placeOf(join(at, 'node', 'postgres'))
  // PostgreSQL takes it away where it ends in order.
  expect(existsSync(join(pgdata, 'postmaster.pid'))).toBe(false)
})
