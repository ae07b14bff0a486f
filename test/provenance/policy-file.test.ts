import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StartRefused } from '../../src/kernel/errors.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { formatVkey, NOTE_TYPE } from '../../src/provenance/note.ts'
import { POLICY_MAX } from '../../src/provenance/policy.ts'
import { readPolicy } from '../../src/provenance/policy-file.ts'
import { log } from '../witness/tree.ts'
import { aKey } from './signing.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-policy-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const written = (text: string): string => {
  const path = join(dir, 'policy')
  writeFileSync(path, text)
  return path
}
function witness(i: number, url = ' https://w.example/'): string {
  const { name, publicKey } = aKey(`w${i}.example/w`, sha256(`w ${i}`))
  return `witness w${i} ${formatVkey(sha256, name, publicKey, NOTE_TYPE.cosignature)}${url}\n`
}
const vkeyOf = ({ name, publicKey }: ReturnType<typeof aKey>): string => formatVkey(sha256, name, publicKey)
const many = (n: number): string => Array.from({ length: n }, (_, i) => witness(i)).join('')

test('a policy of this log, whose witnesses can be asked, is read verbatim', () => {
  const text = `log ${vkeyOf(log)}\n${many(15)}quorum w0\n`
  const { text: read, policy } = readPolicy(written(text), log.vkey)
  expect([read, policy.witnesses.length, policy.quorum]).toEqual([text, 15, 'w0'])
})

describe('WITNESS_POLICY is refused at the start, by name, and shows nothing of the file,', () => {
  const other = aKey('other.example/provenance/1', new Uint8Array(32).fill(8))
  const cases: readonly (readonly [what: string, path: () => string, says: RegExp])[] = [
    ['if there is no such file', () => join(dir, 'none'), /names no file of at most/],
    ['if it is too long', () => written(`# ${'x'.repeat(POLICY_MAX)}\nquorum none\n`), /names no file of at most/],
    ['if it is empty', () => written(''), /line 1: /],
    ['if a line is none of a policy', () => written(`${witness(0)}witnesses w0\nquorum w0\n`), /line 2: it begins/],
    ['if it has no quorum', () => written(witness(0)), /there is no quorum line/],
    ['if its quorum is nobody', () => written(`${witness(0)}quorum w1\n`), /line 2: the name is not defined above/],
    [
      'if a witness is named twice',
      () => written(`${witness(0)}${witness(0)}quorum w0\n`),
      /line 2: the name is taken/,
    ],
    [
      'if it is for another log',
      () => written(`log ${vkeyOf(other)}\n${witness(0)}quorum w0\n`),
      /its logs are others than this node's/,
    ],
    [
      'if a checkpoint would have more lines than readers take',
      () => written(`${many(16)}quorum w0\n`),
      /more than 15/,
    ],
    ['if a witness has no URL', () => written(`${witness(0, '')}quorum w0\n`), /the witness w0 has no URL/],
    [
      'if a witness is asked over plain HTTP',
      () => written(`${witness(0, ' http://w.example/')}quorum w0\n`),
      /line 1: /,
    ],
    ['if a URL holds a password', () => written(`${witness(0, ' https://a:b@w.example/')}quorum w0\n`), /line 1: /],
  ]
  test.for(cases)('%s', ([, path, says]) => {
    const refusal = (() => {
      try {
        return readPolicy(path(), log.vkey)
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toBeInstanceOf(StartRefused)
    expect((refusal as Error).message).toMatch(/^WITNESS_POLICY: /)
    expect((refusal as Error).message).toMatch(says)
    expect((refusal as Error).message).not.toMatch(/a:b|w\.example/)
  })
})
