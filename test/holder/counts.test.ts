import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Count, openCounts } from '../../src/holder/counts.ts'
import { StartRefused } from '../../src/kernel/errors.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-counts-'))
  path = join(dir, 'counts.ndjson')
})
afterEach(() => rmSync(dir, { recursive: true }))

const count = (n: number): Count => ({
  ...{ at: '2026-11-26T12:00:00.000Z', participant: 'plum', kid: 'year-1', purpose: 'lookup', n },
  ...{ key: `key-${n}`, digest: 'AAAA' },
})

test('what was counted is there after a start, in its order, in a file that its owner alone may read', () => {
  const first = openCounts(path)
  expect(first.kept).toEqual([])
  for (const n of [1, 2, 3]) first.add(count(n))
  first.close()
  const again = openCounts(path)
  expect(again.kept).toEqual([count(1), count(2), count(3)])
  again.add(count(4))
  again.close()
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(5)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('half a line at the end, which a crash left, goes; the next count stands on a line of its own', () => {
  writeFileSync(path, `${JSON.stringify(count(1))}\n`, { mode: 0o600 })
  appendFileSync(path, '{"at":"2026-11-26T12:0')
  const counts = openCounts(path)
  expect(counts.kept).toEqual([count(1)])
  counts.add(count(2))
  counts.close()
  const again = openCounts(path)
  expect(again.kept).toEqual([count(1), count(2)])
  again.close()
})

test('of a count that the disk had no room for nothing is left, and the next stands on a line of its own', () => {
  const writing = `import { openCounts } from ${JSON.stringify(import.meta.resolve('../../src/holder/counts.ts'))}
    const counts = openCounts(process.argv[1])
    const add = (n, key) => counts.add({ ...${JSON.stringify(count(1))}, n, key })
    add(1, 'first')
    let code
    try { add(2, 'k'.repeat(2_000)) } catch (error) { code = error.code }
    add(3, 'last')
    console.log(code)`
  const limited = 'ulimit -f 2 && exec "$0" --input-type=module-typescript --eval "$1" "$2"'
  expect(execFileSync('sh', ['-c', limited, process.execPath, writing, path], { encoding: 'utf8' })).toBe('EFBIG\n')
  expect(openCounts(path).kept.map(({ n }) => n)).toEqual([1, 3])
})

test('of two that write one file neither takes away what the other counted, and the second is refused', () => {
  const [first, second] = [openCounts(path), openCounts(path)]
  second.add(count(1))
  expect(() => first.add(count(2))).toThrow('another program')
  second.add(count(3))
  for (const one of [first, second]) one.close()
  expect(openCounts(path).kept).toEqual([count(1), count(3)])
})

test.for(['pear', '{}', 'null', JSON.stringify({ ...count(1), n: 0 }), JSON.stringify({ ...count(1), at: 'noon' })])(
  'a line that is no count refuses the start: %s',
  (line) => {
    writeFileSync(path, `${JSON.stringify(count(1))}\n${line}\n`)
    expect(() => openCounts(path)).toThrow(StartRefused)
    expect(() => openCounts(path)).toThrow('line 2')
  },
)
