import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Output } from '../../../src/cli/output.ts'
import { matchTexts } from '../../../src/cli/participant/match-text.ts'
import { matchFileOf, refreshMatchFile } from '../../../src/client/match-mirror.ts'
import { createMatcher } from '../../../src/client/matcher.ts'
import { aMirror, apple, banana } from '../../client/mirror-folder.ts'
import { anItem, idOf, NOON, PROGRAMME } from '../../signals/factory.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-match-text-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const patternOf = (text: string) => ({ ...anItem({}, 'keyword_pattern').value, kind: 'literal', text, must_match: [] })

test('a line is told the pattern of the source that said it, whoever else calls a signal so', async () => {
  const mirror = aMirror(dir)
  const says = (source: typeof apple, text: string, category: string) =>
    mirror.says(source, [anItem({ signal: idOf(4_711), category, value: patternOf(text) }, 'keyword_pattern')])
  await says(apple, 'grey heron', 'grooming')
  await says(banana, 'green jay', 'csam')
  await refreshMatchFile({ home: dir, programme: PROGRAMME, now: NOON })
  writeFileSync(join(dir, 'text'), 'a grey heron\na green jay\n')
  const told: object[] = []
  const output: Output = {
    ...{ json: true, say: () => {}, warn: () => {} },
    data: (value) => told.push(value),
    progress: () => ({ at: () => {}, end: () => {} }),
  }
  const matcher = createMatcher(matchFileOf(dir), { programme: PROGRAMME, now: () => NOON })
  await matchTexts(join(dir, 'text'), { matcher, output, at: () => {} }).finally(matcher.close)
  expect(told).toMatchObject([
    { line: 1, outcome: 'match', source: 'apple', category: 'grooming' },
    { line: 2, outcome: 'match', source: 'banana', category: 'csam' },
  ])
})
