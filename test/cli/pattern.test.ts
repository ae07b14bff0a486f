import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refreshMatchFile } from '../../src/client/match-mirror.ts'
import { aMirror, apple, banana } from '../client/mirror-folder.ts'
import { anItem, type Change, idOf, instantAt, NOON, PROGRAMME } from '../signals/factory.ts'

const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js')
const LATER = { expires_at: instantAt(10 * 365 * 86_400_000) }
const [WREN, KITE, JAY] = [idOf(71), idOf(72), idOf(73)]

const patternItem = (signal: string, value: Change, change: Change = {}) =>
  anItem(
    { ...LATER, signal, ...change, value: { ...anItem({}, 'keyword_pattern').value, ...value } },
    'keyword_pattern',
  )

let home: string
beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error('dist/src/cli/main.js is missing: run `npm run build` first')
  home = mkdtempSync(join(tmpdir(), 'aldis-pattern-'))
  writeFileSync(join(home, 'membership.json'), JSON.stringify({ programme: PROGRAMME }))
  const mirror = aMirror(home)
  await mirror.says(apple, [
    patternItem(WREN, { kind: 're2', text: 'w[rh]en\\s+sings', whole_word: true }),
    patternItem(KITE, { text: 'blue kite' }),
  ])
  await mirror.says(apple, [patternItem(KITE, { text: 'blue kites' }, { revision: 2, handling: 'monitor' })])
  await mirror.says(apple, [patternItem(JAY, { text: 'green jay' })])
  await mirror.says(banana, [patternItem(JAY, { text: 'grey jay' })])
  await mirror.says(apple, [patternItem(JAY, { text: 'green jays' }, { revision: 2 })])
  await refreshMatchFile({ home, programme: PROGRAMME, now: NOON })
})
afterAll(() => rmSync(home, { recursive: true }))

/** The command as a process without a node. */
function aldis(
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, '--home', home, ...args], { stdio: 'pipe' })
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
    child.on('close', (code) =>
      resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    )
    child.stdin.end(input)
  })
}
const jsonOf = (out: string): Record<string, unknown>[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

describe('aldis match --text', () => {
  test('tells which signal each line of a text matches, where, and what to do; never the text', async () => {
    const text = `a Blue\u00a0Kites here\nnothing\n${'x'.repeat(70_000)}\nthe WREN  sings, blue kites\n`
    const { code, out } = await aldis(['--json', 'match', '--text', '-'], text)
    expect(jsonOf(out)).toMatchObject([
      { line: 1, outcome: 'match', signal: KITE, revision: 2, start: 2, end: 12, handling: 'monitor', source: 'apple' },
      { line: 3, outcome: 'refused', reason: 'the line is longer than 64 KiB' },
      { line: 4, outcome: 'match', signal: WREN, start: 4, end: 15, provenance: { index: 0 } },
      { line: 4, outcome: 'match', signal: KITE },
    ])
    expect(out).not.toMatch(/kite|sings/i)
    expect(code).toBe(8)
  })
  test('says it to people in words', async () => {
    const { code, out, err } = await aldis(['match', '--text', '-'], 'blue kites')
    expect(out).toMatch(/^line 1 {2}match at 0-10 {2}grooming {2}severity high {2}handling monitor {2}from apple/)
    expect([code, err]).toEqual([0, expect.stringContaining('1 lines, 1 with matches, 0 not matched')])
  })
})

describe('aldis pattern test', () => {
  const { must_match, must_not_match } = anItem({}, 'keyword_pattern').value
  const lineOf = (change: Change): string =>
    JSON.stringify({
      type: 'keyword_pattern',
      pattern: {
        ...{ kind: 'literal', text: 'blue kite', language: 'en', case_sensitive: false, whole_word: false },
        ...{ must_match, must_not_match, ...change },
      },
    })

  test('tries each pattern as the node would, and estimates how often it hits in a sample that stays here', async () => {
    const file = join(home, 'patterns.ndjson')
    writeFileSync(
      file,
      [lineOf({}), lineOf({ kind: 're2', text: '(?i)kite' }), '{"type":"tactic"}', lineOf({ text: 'ki' })].join('\n'),
    )
    const sample = 'a blue kite\nnothing\nBLUE KITE, blue kite\nblue\n'
    const { code, out } = await aldis(['--json', 'pattern', 'test', file, '--sample', '-', '--lines'], sample)
    expect(jsonOf(out)).toMatchObject([
      { line: 1, outcome: 'ok' },
      { line: 2, outcome: 'refused', code: 'pattern-syntax', pointer: '/value/text' },
      { line: 4, outcome: 'refused', code: 'pattern-literals' },
      { line: 1, outcome: 'hit', sample_line: 1 },
      { line: 1, outcome: 'hit', sample_line: 3 },
      {
        line: 1,
        outcome: 'rate',
        lines: 4,
        hits: 2,
        rate: 0.5,
        low: expect.closeTo(0.15, 2),
        high: expect.closeTo(0.85, 2),
      },
    ])
    expect(code).toBe(8)
  })
})

describe('aldis pattern diff', () => {
  test('of a signal shows what each revision in the mirror changed', async () => {
    const { code, out } = await aldis(['pattern', 'diff', KITE])
    expect(out).toBe('revision 1 to 2\n- text: "blue kite[]"\n+ text: "blue kite[s]"\n')
    expect(code).toBe(0)
  })
  test('of an id that several sources use is of the source that is named', async () => {
    const { out } = await aldis(['pattern', 'diff', JAY, '--source', 'apple'])
    expect(out).toBe('revision 1 to 2\n- text: "green jay[]"\n+ text: "green jay[s]"\n')
    expect((await aldis(['pattern', 'diff', JAY])).err).toContain('validation-failed')
  })
  test('of a signal that the mirror does not have says so', async () => {
    expect((await aldis(['pattern', 'diff', idOf(99)])).code).toBe(4)
  })
})
