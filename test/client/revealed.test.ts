import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkRevealed } from '../../src/client/revealed.ts'
import { anItem, idOf, sha } from '../signals/factory.ts'
import { aMirror, apple, banana } from './mirror-folder.ts'

const home = mkdtempSync(join(tmpdir(), 'aldis-revealed-'))
const scope = (path: string) => ({ profile: 'url/1', sha256: sha('bad.example/'), scope: { host: 'exact', path } })
const signal = idOf(1)
const shown = { source: 'apple', signal, type: 'url' as const, value: 'https://bad.example/' }
const check = (change: Partial<typeof shown> = {}, asked: Parameters<typeof checkRevealed>[2] = { signal }) =>
  checkRevealed(join(home, 'feeds'), { ...shown, ...change }, asked)

beforeAll(async () => {
  const mirror = aMirror(home)
  await mirror.says(apple, [anItem({ signal, value: scope('exact') }), anItem({ signal: idOf(2) })])
  await mirror.says(banana, [anItem({ signal: idOf(3) })])
  const prev = Buffer.alloc(32).toString('base64url')
  await mirror.says(apple, [anItem({ signal, revision: 2, prev, value: scope('root') })])
})
afterAll(() => rmSync(home, { recursive: true }))

test('a revealed link is taken where its source signed its hash, in whichever revision', async () => {
  expect(await check()).toBe(true)
  expect(await check({ value: 'https://bad.example/below' })).toBe(true)
})

test.each<[string, Partial<typeof shown>, Parameters<typeof checkRevealed>[2]]>([
  ['is another', { value: 'https://good.example/' }, { signal }],
  ['is said to be of another type', { type: 'domain', value: 'bad.example' } as never, { signal }],
  ['is of another signal', { signal: idOf(2) }, { signal }],
  ['is of another source', {}, { signal, source: 'banana' }],
])('a revealed link that %s is refused', async (_, change, asked) => {
  await expect(check(change, asked)).rejects.toMatchObject({ name: 'VerificationFailed', step: 'reveal' })
})

test('a revealed link of a signal that is not mirrored, or of another source there, is not checked', async () => {
  expect(await check({ signal: idOf(9) }, { signal: idOf(9) })).toBe(false)
  expect(await check({ signal: idOf(3) }, { signal: idOf(3) })).toBe(false)
})
