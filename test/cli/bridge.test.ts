import { spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runningAt } from '../../src/bridge/running.ts'
import type { Home } from '../../src/client/home.ts'
import { numberOf } from '../../src/interop/threatexchange/numbers.ts'
import { bridgeClient } from '../bridge/client.ts'
import { aHome } from '../bridge/home.ts'

const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js')

let home: Home
beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error('dist/src/cli/main.js is missing: run `npm run build` first')
  home = await aHome()
})
afterAll(() => rmSync(home.dir, { recursive: true }))

/** The command in a process of its own; its node does not answer. */
function aldis(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, '--home', home.dir, '--json', ...args], { stdio: 'pipe' })
  const lines: Record<string, unknown>[] = []
  let says = ''
  const listening = new Promise<{ origin: string }>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(JSON.parse(line) as Record<string, unknown>)
      if (lines.at(-1)?.['what'] === 'listening') resolve(lines.at(-1) as { origin: string })
    })
  })
  child.stderr.on('data', (bytes: Buffer) => {
    says += bytes.toString()
  })
  const ended = new Promise<{ code: number | null; says: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, says })),
  )
  return { child, lines, listening, ended }
}

test('aldis bridge starts at no address that other machines reach: it names it and ends with 78', async () => {
  const { code, says } = await aldis('bridge', '--listen', '0.0.0.0:8480').ended
  expect([code, says]).toEqual([78, expect.stringContaining('not-loopback')])
})

test('aldis bridge answers until it is told to end; meanwhile nobody else writes its folder', async () => {
  const first = aldis('bridge', '--listen', '127.0.0.1:0')
  const listening = await first.listening
  const { origin } = listening
  const ask = bridgeClient(listening, home.dir)
  expect((await ask('/livez')).status).toBe(200)
  await expect.poll(() => runningAt(home.dir)).toBe(origin)
  expect((await ask('/readyz')).body).toMatchObject({ status: 'unready' })
  const second = await aldis('bridge', '--listen', '127.0.0.1:0').ended
  expect([second.code, second.says]).toEqual([5, expect.stringContaining('home-in-use')])
  first.child.kill('SIGTERM')
  expect((await first.ended).code).toBe(0)
  expect(JSON.stringify(first.lines)).not.toContain(home.membership().node)
  expect(await runningAt(home.dir)).toBeUndefined()
})

test('a bridge that was killed runs nowhere: whoever has its port since is sent no secret', async () => {
  const killed = aldis('bridge', '--listen', '127.0.0.1:0')
  const { origin } = await killed.listening
  await expect.poll(() => runningAt(home.dir)).toBe(origin)
  killed.child.kill('SIGKILL')
  await killed.ended
  expect(await runningAt(home.dir)).toBeUndefined()
})

test('aldis bridge client makes a secret for a program, names it without, and takes it back', async () => {
  const added = aldis('bridge', 'client', 'add', 'scanner', '--category', 'grooming')
  expect((await added.ended).code).toBe(0)
  const [{ secret, access_token } = {}] = added.lines
  expect(access_token).toBe(`${numberOf('participant', 'banana')}|${String(secret)}`)
  const twice = await aldis('bridge', 'client', 'add', 'scanner').ended
  expect([twice.code, twice.says]).toEqual([5, expect.stringContaining('state-conflict')])
  const list = aldis('bridge', 'client', 'list')
  await list.ended
  expect(list.lines).toMatchObject([{ name: 'scanner', category: 'grooming' }])
  expect(JSON.stringify(list.lines)).not.toContain(String(secret))
  expect((await aldis('bridge', 'client', 'end', 'scanner').ended).code).toBe(0)
  expect((await aldis('bridge', 'client', 'end', 'scanner').ended).code).toBe(4)
})
