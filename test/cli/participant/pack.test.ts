import { describe, expect, test } from 'vitest'
import { createPack } from '../../../src/cli/participant/pack.ts'
import { toBase64Url } from '../../../src/kernel/bytes.ts'
import { type Framed, linesOf, submissionsOf } from '../../../src/signals/stream.ts'
import { ITEM_BYTES_MAX, ITEMS_MAX, SUBMISSION_BYTES_MAX, signSubmission } from '../../../src/signals/submission.ts'

/** Texts packed as they come. */
function packed(texts: readonly string[]): string[][] {
  const pack = createPack<{ text: string }>()
  const packs: string[][] = []
  const take = () => packs.push(pack.take().map(({ text }) => text))
  for (const text of texts) {
    if (!pack.fits({ text })) take()
    pack.add({ text })
  }
  take()
  return packs
}

/** What the node reads of a pack, signed under a header as long as any. */
async function framed(items: readonly string[]): Promise<Framed[]> {
  const key = { kid: 'k'.repeat(43), alg: 'Ed25519', sign: async () => new Uint8Array(64) } as const
  const [typ, uri, now] = ['aldis-signal+jws', `spiffe://${'n'.repeat(200)}`, new Date()] as const
  const { jws, items: salted } = await signSubmission({ typ, iss: uri, aud: uri, prg: 'plum', items, key, now })
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const line of [{ jws }, ...salted]) yield Buffer.from(`${JSON.stringify(line)}\n`)
  }
  return Array.fromAsync(submissionsOf(linesOf(chunks())))
}

describe('items are packed into as few submissions as may be', () => {
  test('a thousand small ones into one', () => {
    const texts = Array.from({ length: 2 * ITEMS_MAX + 1 }, (_, i) => `{"fruit":${i}}`)
    expect(packed(texts).map((pack) => pack.length)).toEqual([ITEMS_MAX, ITEMS_MAX, 1])
    expect(packed(texts).flat()).toEqual(texts)
  })

  test.for([
    ['plain', 'x'.repeat(ITEM_BYTES_MAX)],
    ['escaped', '"'.repeat(ITEM_BYTES_MAX)],
    ['beyond ASCII', 'ü'.repeat(ITEM_BYTES_MAX / 2)],
  ] as const)('large ones that are %s so that the node takes each', async ([, text]) => {
    const texts = Array.from({ length: ITEMS_MAX }, () => text)
    const packs = packed(texts)
    expect(packs.flat()).toHaveLength(ITEMS_MAX)
    const line = Buffer.byteLength(JSON.stringify({ salt: toBase64Url(new Uint8Array(16)), item: text })) + 1
    for (const [i, pack] of packs.entries()) {
      const [read, ...rest] = await framed(pack)
      if (read?.outcome !== 'submission') throw new Error('the node refuses it')
      expect(rest).toEqual([])
      expect(read.bytes).toBeLessThanOrEqual(SUBMISSION_BYTES_MAX)
      // One more would not have fitted; below that only the room for a header is left.
      if (i < packs.length - 1) expect(read.bytes + line + 4_096).toBeGreaterThan(SUBMISSION_BYTES_MAX)
    }
  })

  test('one that is larger than any stands alone, for the node to refuse', () => {
    const [small, huge] = ['x', 'x'.repeat(SUBMISSION_BYTES_MAX)]
    expect(packed([huge, small, huge])).toEqual([[huge], [small], [huge]])
  })
})
