import { expect, test } from 'vitest'
import { formerSays } from '../../../src/cli/participant/histories.ts'
import { entriesToEnd, type FormerHistory } from '../../../src/client/former-histories.ts'
import type { HistoryEntry } from '../../../src/client/history.ts'
import { LOG_KEY } from '../../provenance/forge.ts'

/** Our chain up to `upTo` in a log that ended with `last` entries, and had `size` as far as we knew it. */
const former = (number: number, upTo: bigint, size: bigint | undefined, last = size): FormerHistory => ({
  key: { ...LOG_KEY.vkey, name: `node.example.org/provenance/${number}` },
  kept: {
    place: { seq: 1n, link: new Uint8Array(32), index: 0n, size: upTo },
    extend: async () => 0,
    async *entries() {
      for (const index of [3n, 4n, 5n, 6n]) yield { index } as HistoryEntry
    },
  },
  ...{ end: last === undefined ? undefined : { note: '', size: last, root: new Uint8Array(32) }, size },
})

test('a verdict names each log before the present one that had entries, and how far it is known', () => {
  expect(formerSays([])).toBe('')
  expect(formerSays([former(1, 0n, 0n)])).toBe('')
  expect(formerSays([former(1, 9n, 9n), former(2, 8n, 8n, 5n), former(3, 4n, undefined)])).toBe(
    '; of the logs before: node.example.org/provenance/1 to its end at 9, node.example.org/provenance/2 up to entry 5, and 3 were lost, ' +
      'node.example.org/provenance/3 up to entry 4, and where it ended was not noted',
  )
})

test('what a node lost behind the end of a log is told by the log that followed alone', async () => {
  const told = async (one: FormerHistory) => (await Array.fromAsync(entriesToEnd(one))).map(({ index }) => index)
  expect(await told(former(1, 7n, 7n))).toEqual([3n, 4n, 5n, 6n])
  expect(await told(former(1, 7n, 7n, 5n))).toEqual([3n, 4n])
  expect(await told({ ...former(1, 7n, 7n), end: undefined })).toEqual([])
})
