import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mirroredSignal } from '../../src/client/acts.ts'
import { eventAt } from '../../src/client/mirror-seek.ts'
import { anItem, idOf } from '../signals/factory.ts'
import { aMirror, apple } from './mirror-folder.ts'
import { FEED } from './source.ts'

let home: string
let dir: string
const items = Array.from({ length: 40 }, (_, i) =>
  // Some lines are longer than what is read at once.
  anItem(i % 13 === 0 ? { note: `${'ü'.repeat(45_000)}${i}` } : {}),
)

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'aldis-seek-'))
  dir = join(home, 'feeds')
  const mirror = aMirror(home)
  await mirror.says(apple, items.slice(0, 30))
  mirror.nodeSays('signal.expired', { source: 'apple', signal: idOf(1) })
  for (const item of items.slice(30)) await mirror.says(apple, [item])
})
afterAll(() => rmSync(home, { recursive: true }))

test('each event of a mirror is found by its sequence, however long lines are', () => {
  items.forEach(({ signal }, i) => {
    const seq = BigInt(i < 30 ? i + 1 : i + 2)
    expect(eventAt(dir, { feed: FEED, seq })).toMatchObject({ seq: String(seq), signal })
  })
})

test('what brings no signal, and what is not there, is not found', () => {
  const end = eventAt(dir, { feed: FEED, seq: 31n })
  expect(end?.type).toBe('signal.expired')
  expect(mirroredSignal(end ?? {})).toBeUndefined()
  for (const seq of [0n, 42n, 10n ** 17n]) expect(eventAt(dir, { feed: FEED, seq })).toBeUndefined()
  expect(eventAt(dir, { feed: idOf(3), seq: 1n })).toBeUndefined()
})
