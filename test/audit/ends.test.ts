import { expect, test } from 'vitest'
import { checkEnds } from '../../src/audit/ends.ts'
import type { Entry } from '../../src/audit/entry.ts'
import { createFeedTable } from '../../src/audit/feeds.ts'
import { createNames } from '../../src/audit/names.ts'
import { emptyProgramme } from '../../src/audit/programme.ts'
import { createSignalTable } from '../../src/audit/signals.ts'

/** What check 15 says of acknowledgements of one stage in a feed of three events, none of which is an end. */
function found(...uptos: string[]) {
  const signals = createSignalTable(createNames())
  const feeds = createFeedTable(signals)
  for (let at = 0; at < 3; at++) feeds.push('pond', { row: at, revision: 1, at, end: false })
  const check = checkEnds({ programme: emptyProgramme(), signals, feeds, audienceOf: () => 'pond', told: true })
  for (const [i, upto] of uptos.entries()) {
    const fields = new Map(Object.entries({ actor: 'plum', feed: 'f', stage: 'mirror_removed', upto }))
    check.entry({ index: BigInt(i), kind: 'tombstone.acked', time: 0, fields, sources: [] } as unknown as Entry)
  }
  return check.end()
}

test('an acknowledgement is of a place that the feed has', () => {
  expect(found('1', '3')).toMatchObject({ result: 'PASS' })
  for (const upto of ['4', '-Infinity', '-9007199254740991', '1e0', 'NaN', ''])
    expect(found(upto, '1')).toMatchObject({ result: 'FAIL', says: expect.stringContaining('acknowledges up to') })
})
