import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkReceipt, openVkey } from '../../src/client/verify.ts'
import { createBuckets } from '../../src/feeds/buckets.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { openWitnessKey } from '../../src/witness/key.ts'
import { runCli } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'

let n: TestNode
let apple: Member
let banana: Member
let audience: Uuid
let file: string

beforeAll(async () => {
  n = await aTestNode()
  ;[apple, banana] = [await n.member('apple'), await n.member('banana')]
  const made = await aldis(apple, 'audience', 'hidden', '--with', 'banana', '--mode', 'sealed')
  audience = String(made.lines[0]?.['audience']) as Uuid
  const held = [
    { type: 'email' as const, raw: 'fig@mail.example' },
    { type: 'url' as const, raw: 'https://bad.example/a' },
  ]
  const items = []
  for (const line of held) items.push(await apple.item(line, audience))
  const { submission } = await apple.client.submit(await apple.sign(items))
  await settled(n.t)
  const { pools, clock, authority: directory } = n.node.parts
  await createBuckets({ db: pools.projector, clock, directory, random: (bytes) => randomBytes(bytes) }).round()
  // Once the source has its receipt, so can who opens it.
  await apple.client.receipt(submission ?? '')
  file = join(banana.home.dir, 'met.ndjson')
  const met = [{ type: 'email', raw: 'kiwi@mail.example' }, ...held, { type: 'email', raw: 'no address' }]
  writeFileSync(file, met.map((line) => `${JSON.stringify(line)}\n`).join(''))
})
afterAll(() => n.end())

const aldis = ({ home }: Member, ...args: string[]) => runCli(home.dir, ...args)

describe('a sealed audience on the command line', { shuffle: false }, () => {
  test('is listed with its mode, and mirrored by sync, which tells of numbers alone', async () => {
    const listed = (await aldis(banana, 'audiences')).lines[0]?.['audiences'] as { label: string; mode: string }[]
    expect(listed.map(({ label, mode }) => [label, mode])).toContainEqual(['hidden', 'sealed'])
    const { code, lines } = await aldis(banana, 'sync')
    expect([code, lines]).toEqual([0, [{ feed: 'hidden', sealed: 2 }]])
  })

  test.each(['--private', '--buckets'])(
    'is asked by lookup %s: what matched is opened, and its receipt kept',
    async (how) => {
      const { code, lines } = await aldis(banana, 'lookup', file, how, '--audience', 'hidden')
      expect(lines.map(({ line, outcome, source }) => [line, outcome, source])).toEqual([
        [2, 'match', 'apple'],
        [3, 'match', 'apple'],
        [4, 'refused', undefined],
      ])
      expect(lines[0]).toMatchObject({ authority: 'origin', item: { type: 'email', audience } })
      expect(code).toBe(8)
      const receipt = readFileSync(String(lines[0]?.['receipt']), 'utf8')
      expect(checkReceipt(receipt, openVkey(banana.home.pinned().vkey))).toMatchObject({ passed: true })
    },
  )

  test('keeps no receipt without the pinned witnesses', async () => {
    const { vkey } = openWitnessKey(join(banana.home.dir, 'w'), 'w.example/w')
    const policy = join(banana.home.dir, 'witness.policy')
    banana.home.pinPolicy(`log ${banana.home.pinned().vkey.trim()}\nwitness w ${vkey} http://127.0.0.1:1\nquorum w\n`)
    const refused = await aldis(banana, 'lookup', file, '--private', '--audience', 'hidden')
    rmSync(policy)
    expect([refused.code, refused.says]).toEqual([7, expect.stringMatching(/0 of 1 witnesses/)])
  })

  test('that is none of ours is named as unknown', async () => {
    const { code } = await aldis(banana, 'lookup', file, '--private', '--audience', 'orchard')
    expect(code).not.toBe(0)
  })
})
