import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js')

test('output that nobody reads any more ends a command without a word, as SIGPIPE does', async () => {
  const child = spawn(process.execPath, [MAIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let says = ''
  child.stderr.on('data', (bytes: Buffer) => {
    says += bytes.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  expect([code, says]).toEqual([141, ''])
})
