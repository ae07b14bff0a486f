import fc from 'fast-check'
import { expect, test } from 'vitest'
import { linesOf } from '../../src/client/lines.ts'

async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const LINE = fc.string({ unit: fc.constantFrom('a', 'ä', '\u2028', '\u2029', '\u0085', '\r', '😀') })

test('a line ends at a newline and nowhere else, in whatever pieces it comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(LINE), fc.boolean(), fc.integer({ min: 1, max: 9 }), async (lines, ended, size) => {
      const text = ended ? lines.map((line) => `${line}\n`).join('') : lines.join('\n')
      const expected = text.split('\n')
      if (expected.at(-1) === '') expected.pop()
      expect(await Array.fromAsync(linesOf(piecesOf(Buffer.from(text), size)))).toEqual(expected)
    }),
  )
})

test('what the lines come from fails, and so do they', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('one\ntwo')
    throw new Error('gone')
  }
  const got: string[] = []
  await expect(async () => {
    for await (const line of linesOf(broken())) got.push(line)
  }).rejects.toThrow('gone')
  expect(got).toEqual(['one'])
})

test('a line that does not end is not waited for without end', async () => {
  const lines = (most: number) => Array.fromAsync(linesOf(piecesOf(Buffer.from('pear\nbanana'), 1), most))
  expect(await lines(6)).toEqual(['pear', 'banana'])
  await expect(lines(5)).rejects.toMatchObject({ name: 'AnswerTooLong' })
})
