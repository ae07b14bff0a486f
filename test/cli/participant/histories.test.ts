import { expect, test } from 'vitest'
import { formerSays } from '../../../src/cli/participant/histories.ts'
import type { FormerHistory } from '../../../src/client/former-histories.ts'
import { LOG_KEY } from '../../provenance/forge.ts'

const former = (number: number, upTo: bigint, size: bigint | undefined): FormerHistory => ({
  key: { ...LOG_KEY.vkey, name: `node.example.org/provenance/${number}` },
  kept: {
    place: { seq: 1n, link: new Uint8Array(32), index: 0n, size: upTo },
    extend: async () => 0,
    async *entries() {},
  },
  ...{ end: undefined, size },
})

test('a verdict names each log before the present one that had entries, and how far it is known', () => {
  expect(formerSays([])).toBe('')
  expect(formerSays([former(1, 0n, 0n)])).toBe('')
  expect(formerSays([former(1, 9n, 9n), former(2, 5n, 8n), former(3, 4n, undefined)])).toBe(
    '; of the logs before: node.example.org/provenance/1 to its end at 9, node.example.org/provenance/2 up to entry 5, and 3 were lost, ' +
      'node.example.org/provenance/3 up to entry 4, and where it ended was not noted',
  )
})
