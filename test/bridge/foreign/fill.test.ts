import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fill } from '../../../src/bridge/foreign/fill.ts'
import { openShelf, type Shelf } from '../../../src/bridge/foreign/shelf.ts'
import { aHash, aMirror, apple } from '../../client/mirror-folder.ts'
import { PROGRAMME, sha } from '../../signals/factory.ts'

const [one, two, three] = [1, 2, 3].map((n) => aHash('pdq', sha(`heron ${n}`)))
if (one === undefined || two === undefined || three === undefined) throw new Error('three hashes')

let home: string
let shelf: Shelf
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aldis-fill-'))
  mkdirSync(join(home, 'bridge'))
  shelf = openShelf(join(home, 'bridge', 'foreign.db'))
})
afterEach(() => {
  shelf.close()
  rmSync(home, { recursive: true })
})

const filled = () => fill({ shelf, home, programme: PROGRAMME, kindOf: () => 'audience', onWithheld: () => {} })
const signals = (): unknown[] =>
  shelf.db
    .prepare('select signal from sign order by seq')
    .all()
    .map((row) => row['signal'])

test('a shelf is read anew where the mirror was taken anew in other bytes, however many they are', async () => {
  await aMirror(home).says(apple, [one, two])
  await filled()
  rmSync(join(home, 'feeds'), { recursive: true })
  const again = aMirror(home)
  for (const item of [one, two, three]) await again.says(apple, [item])
  await filled()
  expect(signals()).toEqual([one, two, three].map(({ signal }) => signal))
})

test('of a mirror that is damaged behind what was read a shelf keeps what it has', async () => {
  const mirror = aMirror(home)
  await mirror.says(apple, [one])
  await filled()
  const read = statSync(mirror.file()).size
  await mirror.says(apple, [two])
  const all = readFileSync(mirror.file())
  writeFileSync(mirror.file(), all.fill(7, read))
  await expect(filled()).rejects.toMatchObject({ reason: 'mirror-damaged' })
  expect(signals()).toEqual([one.signal])
})
