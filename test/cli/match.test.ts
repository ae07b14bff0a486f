import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faultOf } from '../../src/cli/exit.ts'
import { lookupKeys } from '../../src/client/derive.ts'
import { matchFileOf, refreshMatchFile } from '../../src/client/match-mirror.ts'
import { MATCH_FAULTS, type MatchFault, MatchFileRefused } from '../../src/matching/refused.ts'
import { aHash, aMirror, apple } from '../client/mirror-folder.ts'
import { anItem, instantAt, NOON, PROGRAMME, sha } from '../signals/factory.ts'

const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js')
const KEY = new Uint8Array(32).fill(7)
const LATER = { expires_at: instantAt(10 * 365 * 86_400_000) }

let home: string
beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error('dist/src/cli/main.js is missing: run `npm run build` first')
  home = mkdtempSync(join(tmpdir(), 'aldis-match-'))
  writeFileSync(join(home, 'membership.json'), JSON.stringify({ programme: PROGRAMME }))
  mkdirSync(join(home, 'hash-keys'))
  writeFileSync(join(home, 'hash-keys', 'spring'), `${Buffer.from(KEY).toString('base64url')}\n`, { mode: 0o600 })
  const mirror = aMirror(home)
  const derived = lookupKeys({ type: 'email', raw: 'plum@mail.example' }, { kid: 'spring', key: KEY })
  const token = derived.outcome === 'keys' ? derived.keys[0]?.key : ''
  await mirror.says(apple, [
    anItem({ ...LATER, handling: 'block_link', value: { profile: 'email/1', kid: 'spring', token } }, 'email'),
    anItem({
      ...LATER,
      value: { profile: 'url/1', sha256: sha('bad.example/'), scope: { host: 'exact', path: 'root' } },
    }),
    aHash('pdq', `03${'6b'.repeat(31)}`, LATER),
    anItem({ ...LATER, value: { profile: 'phone/1', kid: 'autumn', token: sha('phone') } }, 'phone'),
  ])
  await refreshMatchFile({ home, programme: PROGRAMME, now: NOON })
})
afterAll(() => rmSync(home, { recursive: true }))

interface Ended {
  code: number | null
  lines: Record<string, unknown>[]
  says: string
}

/** The command as a process without a node, given these lines on standard input. */
function aldisMatch(lines: readonly unknown[], args: readonly string[] = ['--json'], folder = home): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, '--home', folder, 'match', '-', ...args], { stdio: 'pipe' })
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
    child.on('close', (code) => {
      const text = Buffer.concat(out).toString()
      const said = text.split('\n').filter((line) => line !== '')
      resolve({
        code,
        lines: args.includes('--json') ? said.map((line) => JSON.parse(line)) : [],
        says: `${text}${Buffer.concat(err)}`,
      })
    })
    child.stdin.end(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  })
}

describe('aldis match', () => {
  test('matches lines of every kind against the mirror, offline, and says which signal of whom', async () => {
    const { code, lines } = await aldisMatch([
      { type: 'email', raw: 'Plum@mail.example' },
      { type: 'url', raw: 'https://www.bad.example/some/page' },
      { type: 'media_hash', algorithm: 'pdq', hash: '6b'.repeat(32) },
      { type: 'phone', profile: 'phone/1', kid: 'autumn', token: sha('phone') },
      { type: 'url', raw: 'https://good.example/' },
    ])
    expect(lines).toMatchObject([
      { line: 1, outcome: 'match', type: 'email', source: 'apple', handling: 'block_link', distance: 0 },
      { line: 2, outcome: 'match', type: 'url', provenance: { seq: '2', index: 1 } },
      { line: 3, outcome: 'match', type: 'media_hash', profile: 'pdq', distance: 3 },
      { line: 4, outcome: 'match', type: 'phone' },
    ])
    expect(lines).toHaveLength(4)
    expect(code).toBe(0)
  })

  test('names what it could not match, without the value, and ends with 8', async () => {
    const { code, lines, says } = await aldisMatch([
      'no json',
      { type: 'media_hash', algorithm: 'pdq', hash: 'ab' },
      { type: 'phone', raw: '+442079460018' },
      { type: 'tactic' },
      { type: 'email', raw: 'plum@mail.example' },
    ])
    expect(lines.map(({ line, outcome }) => [line, outcome])).toEqual([
      [1, 'refused'],
      [2, 'refused'],
      [3, 'refused'],
      [4, 'refused'],
      [5, 'match'],
    ])
    expect(lines[2]?.['reason']).toContain('autumn')
    expect(says).not.toContain('442079460018')
    expect(code).toBe(8)
  })

  test('tells people the same in words', async () => {
    const { says } = await aldisMatch([{ type: 'email', raw: 'plum@mail.example' }], [])
    expect(says).toMatch(/^line 1 {2}match {2}email {2}grooming {2}severity high {2}handling block_link {2}from apple/)
    expect(says).toContain('1 lines, 1 with matches, 0 not matched')
  })

  test('ends with 7 where the match file is damaged, and names the fault', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aldis-match-'))
    writeFileSync(join(folder, 'membership.json'), JSON.stringify({ programme: PROGRAMME }))
    writeFileSync(matchFileOf(folder), readFileSync(matchFileOf(home)).fill(1, 900))
    const { code, says } = await aldisMatch([], [], folder)
    rmSync(folder, { recursive: true })
    expect([code, says]).toEqual([7, expect.stringContaining('aldis: damaged: ')])
  })

  test('ends with 78 where it is of another programme', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aldis-match-'))
    writeFileSync(join(folder, 'membership.json'), JSON.stringify({ programme: 'garden' }))
    const { code, says } = await aldisMatch([], ['--file', matchFileOf(home)], folder)
    rmSync(folder, { recursive: true })
    expect([code, says]).toEqual([78, expect.stringContaining('other-programme')])
  })
})

test.for(Object.entries(MATCH_FAULTS))('the fault %s is told by its name, with what to do', ([reason, what]) => {
  const { code, says } = faultOf(new MatchFileRefused(reason as MatchFault, 'match.bin'))
  expect(says).toBe(`${reason}: match.bin; ${what}`)
  expect(code).toBe(
    { truncated: 7, damaged: 7, 'mirror-truncated': 7, 'mirror-damaged': 7, 'too-many': 1, 'too-many-words': 1 }[
      reason
    ] ?? 78,
  )
})
