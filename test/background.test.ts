import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** As built for production: a thread starts from a file of its own. */
const BACKGROUND = join(import.meta.dirname, '../dist/src/background.js')

test("a thread of the log's loops that fails ends the process", { timeout: 60_000 }, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'aldis-background-'))
  // Nothing listens there.
  const database = { url: 'postgres://aldis@127.0.0.1:1/aldis' }
  const program = join(dataDir, 'program.mjs')
  const begun = `
    import { backgroundThread } from ${JSON.stringify(BACKGROUND)}
    const core = ${JSON.stringify({ config: { dataDir, logLevel: 'silent' }, database })}
    void backgroundThread(core, { onCarried() {}, onSigned() {} }).start()
    setTimeout(() => process.exit(0), 30_000)`
  writeFileSync(program, begun)
  const { status, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
  expect(status).toBe(1)
  expect(stderr).not.toBe('')
  rmSync(dataDir, { recursive: true, force: true })
})
