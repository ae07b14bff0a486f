import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mirroredSignals, theSignal } from '../../src/client/acts.ts'
import { anItem, idOf } from '../signals/factory.ts'
import { aMirror, apple, banana, type MirrorFolder } from './mirror-folder.ts'

const signal = idOf(1)
let mirror: MirrorFolder
beforeEach(() => {
  mirror = aMirror(mkdtempSync(join(tmpdir(), 'aldis-acts-')))
})
afterEach(() => rmSync(mirror.home, { recursive: true }))

const found = async () => (await mirroredSignals(join(mirror.home, 'feeds'), new Set([signal]))).get(signal)

test('a signal is that of the source that is named, and of none where several have one of its id', async () => {
  const other = idOf(901)
  await mirror.says(apple, [anItem({ signal })])
  await mirror.says(banana, [anItem({ signal }, 'email')], { feed: other })
  const among = await found()
  expect(theSignal(among, 'apple')).toMatchObject({ source: 'apple', signal, revision: 1 })
  expect(theSignal(among, 'banana')).toMatchObject({ source: 'banana', signal })
  expect(theSignal(among, 'apple')?.key).not.toBe(theSignal(among, 'banana')?.key)
  expect(theSignal(among, 'cherry')).toBeUndefined()
  expect(() => theSignal(among)).toThrow(expect.objectContaining({ code: 'validation-failed' }))
})

test('a signal that one source has needs no name, and is in its newest revision in whichever feed it stands', async () => {
  const prev = Buffer.alloc(32).toString('base64url')
  await mirror.says(apple, [anItem({ signal })], { feed: idOf(901) })
  await mirror.says(apple, [anItem({ signal, revision: 2, prev })])
  expect(theSignal(await found())).toMatchObject({ source: 'apple', revision: 2 })
  expect(theSignal(undefined)).toBeUndefined()
})

test('what a crash left behind the noted bytes of a mirror is not read', async () => {
  await mirror.says(apple, [anItem({ signal })])
  appendFileSync(mirror.file(), '{"event":{"seq":"2","ty')
  expect(theSignal(await found())).toMatchObject({ source: 'apple' })
})
