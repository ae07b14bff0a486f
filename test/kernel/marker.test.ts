import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMarker } from '../../src/kernel/marker.ts'

let dir: string
let path: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aldis-test-'))
  path = join(dir, 'supervisor')
})
afterEach(() => rm(dir, { recursive: true }))

test('one of many takes it, and it is free again after release', async () => {
  const markers = Array.from({ length: 8 }, () => createMarker(path))
  const taken = await Promise.all(markers.map((marker) => marker.take()))
  expect(taken.filter(Boolean)).toHaveLength(1)
  const holder = markers[taken.indexOf(true)]
  expect(await createMarker(path).take()).toBe(false)
  await holder?.release()
  expect(await readdir(dir)).toEqual([])
  const next = createMarker(path)
  expect(await next.take()).toBe(true)
  await next.release()
})

test.for([
  ['of a process that is gone', '4194305 boot 1'],
  ['of an earlier process with the id of this one', `${process.pid} an earlier boot 17`],
  ['that was cut short', ''],
] as const)('a marker %s is replaced', async ([, content]) => {
  await writeFile(path, content)
  const marker = createMarker(path)
  expect(await marker.take()).toBe(true)
  expect(await readFile(path, 'utf8')).toMatch(new RegExp(`^${process.pid} `))
  await marker.release()
})

test('a marker of another living process is respected', async () => {
  const mine = createMarker(path)
  await mine.take()
  const own = await readFile(path, 'utf8')
  await mine.release()
  // As another thread of this process would have left it: alive, but not in this module's hands.
  await writeFile(path, own)
  expect(await createMarker(path).take()).toBe(false)
  expect(await readFile(path, 'utf8')).toBe(own)
})
