import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../src/kernel/sha256.ts'
import { evidenceOf, formatEvidence } from '../../src/provenance/evidence.ts'
import { formatVkey } from '../../src/provenance/note.ts'
import { LOG } from '../provenance/vectors.ts'
import { aTree, log } from '../witness/tree.ts'

const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js')
const vkey = formatVkey(sha256, log.name, log.publicKey)
const [mine, theirs] = [aTree('plum'), aTree('fig')]

let dir: string
beforeAll(() => {
  if (!existsSync(MAIN)) throw new Error('dist/src/cli/main.js is missing: run `npm run build` first')
  dir = mkdtempSync(join(tmpdir(), 'aldis-evidence-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const written = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}
/** The command with a folder of nobody: what it says, and its exit code. */
const aldis = (...args: string[]): { code: number | null; says: string } => {
  const env = { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, '--home', join(dir, 'none'), ...args], { env })
  return { code: status, says: `${stdout}${stderr}` }
}

test('evidence is checked offline: proof is PASS, a claim UNKNOWN, anything else FAIL', { timeout: 60_000 }, () => {
  const key = written('log.vkey', `${vkey}\n`)
  const check = (name: string, text: string) => aldis('evidence', '--vkey', key, written(name, text))
  const [five, other, seven] = [mine.note(5), theirs.note(5), theirs.note(7)]
  expect(check('a', formatEvidence(evidenceOf(vkey, five, other)))).toMatchObject({ code: 0, says: /^PASS {2}/ })
  expect(check('b', formatEvidence(evidenceOf(vkey, five, seven)))).toMatchObject({ code: 9, says: /^UNKNOWN {2}/ })
  expect(check('c', formatEvidence(evidenceOf(vkey, five, five)))).toMatchObject({ code: 7, says: /^FAIL {2}/ })
  expect(check('d', 'pear')).toMatchObject({ code: 7, says: expect.stringMatching(/not evidence/) })
})

test('a receipt passes with the policy whose witnesses cosigned its checkpoint, and with no other', {
  timeout: 60_000,
}, () => {
  const [key, receipt] = [written('vector.vkey', `${LOG.vkey}\n`), written('receipt', LOG.receipt)]
  const verify = (policy: string) => aldis('verify', '--vkey', key, '--policy', written('policy', policy), receipt)
  const cosigner = `witness w ${LOG.witness_vkey}\n`
  expect(verify(`log ${LOG.vkey}\n${cosigner}quorum w\n`)).toMatchObject({
    code: 0,
    says: expect.stringMatching(/^PASS/),
  })
  const absent = formatVkey(sha256, 'witness.example/w2', log.publicKey, 4)
  const both = `${cosigner}witness x ${absent}\ngroup g all w x\nquorum g\n`
  expect(verify(both)).toMatchObject({
    code: 7,
    says: expect.stringMatching(/✗ the policy's witnesses.*1 of 2.*missing: x/),
  })
})
