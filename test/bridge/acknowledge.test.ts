import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acknowledge, unacknowledged } from '../../src/bridge/acknowledge.ts'
import type { Client } from '../../src/client/client.ts'
import { aMirror, apple, type MirrorFolder } from '../client/mirror-folder.ts'
import { FEED } from '../client/source.ts'
import { anItem, idOf } from '../signals/factory.ts'

let home: string
let mirror: MirrorFolder
const told: [string, string, string][] = []
let away = false
const client = {
  acknowledge: async (...said: [string, string, string]) => {
    if (away) throw new Error('away')
    told.push(said)
    return { feed: said[0], upto: said[1] }
  },
} as unknown as Client

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aldis-acks-'))
  mirror = aMirror(home)
  told.length = 0
})
afterEach(() => rmSync(home, { recursive: true }))

test('the last end that came is acknowledged once, and signals are not', async () => {
  const [one, two] = [anItem(), anItem()]
  await mirror.says(apple, [one, two])
  await acknowledge(client, home, unacknowledged(home))
  expect(told).toEqual([])
  mirror.nodeSays('signal.expired', { source: 'apple', signal: one.signal })
  mirror.nodeSays('signal.erased', { source: 'apple', signal: two.signal })
  await mirror.says(apple, [anItem()])
  await acknowledge(client, home, unacknowledged(home))
  expect(told).toEqual([[FEED, '4', 'mirror_removed']])
  expect(unacknowledged(home)).toEqual([])
})

test('one that could not be told is found again', async () => {
  mirror.nodeSays('signal.withdrawn', { source: 'apple', signal: idOf(1) })
  away = true
  await expect(acknowledge(client, home, unacknowledged(home))).rejects.toThrow('away')
  away = false
  await acknowledge(client, home, unacknowledged(home))
  expect(told).toEqual([[FEED, '1', 'mirror_removed']])
})

test('an end in a mirror that was taken anew is found before the bytes that were read of the former one', async () => {
  await mirror.says(apple, [anItem(), anItem()])
  await acknowledge(client, home, unacknowledged(home))
  rmSync(join(home, 'feeds'), { recursive: true })
  const again = aMirror(home)
  again.nodeSays('signal.expired', { source: 'apple', signal: idOf(1) })
  await again.says(apple, [anItem(), anItem()])
  await acknowledge(client, home, unacknowledged(home))
  expect(told).toEqual([[FEED, '1', 'mirror_removed']])
  expect(unacknowledged(home)).toEqual([])
})
