import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { patternRevisions } from '../../src/client/pattern-revisions.ts'
import { anItem, idOf, PROGRAMME } from '../signals/factory.ts'
import { aMirror, apple, banana } from './mirror-folder.ts'

const [KITE, JAY] = [idOf(72), idOf(73)]
const patternItem = (signal: string, text: string, revision = 1) =>
  anItem({ signal, revision, value: { ...anItem({}, 'keyword_pattern').value, text } }, 'keyword_pattern')

let home: string
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'aldis-revisions-'))
  const mirror = aMirror(home)
  await mirror.says(apple, [patternItem(KITE, 'blue kite'), patternItem(JAY, 'green jay')])
  await mirror.says(banana, [patternItem(JAY, 'grey jay'), patternItem(JAY, 'grey jays', 2)])
  await mirror.says(apple, [patternItem(KITE, 'blue kites', 2)])
})
afterAll(() => rmSync(home, { recursive: true }))

const textsOf = async (signal: string, source?: string) =>
  (await patternRevisions({ home, programme: PROGRAMME, source }, signal)).map(({ value }) => value.text)

test('the revisions of a pattern are those of one source: of an id that several use, of the one that is named', async () => {
  expect(await textsOf(KITE)).toEqual(['blue kite', 'blue kites'])
  expect(await textsOf(JAY, 'apple')).toEqual(['green jay'])
  expect(await textsOf(JAY, 'banana')).toEqual(['grey jay', 'grey jays'])
  expect(await textsOf(JAY, 'cherry')).toEqual([])
  await expect(textsOf(JAY)).rejects.toMatchObject({ code: 'validation-failed' })
})
