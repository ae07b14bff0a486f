import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atKeys } from '../../../src/db/as-participant.ts'
import { KEY_ROW, sharedKeys } from '../../../src/feeds/key-store.ts'
import { concat } from '../../../src/kernel/bytes.ts'
import { newId, uuidBytes } from '../../../src/kernel/ids.ts'
import { freshDatabase, type TestDatabase } from '../../support/database.ts'

/** More than two rows of the answer hold, and no multiple of a page. */
const KEYS = 2_001

let t: TestDatabase
let all: Buffer
beforeAll(async () => {
  t = await freshDatabase()
  const now = new Date()
  const [origin, audience_id, feed_id] = [newId(now), newId(now), newId(now)]
  const rows = Array.from({ length: KEYS }, (_, i) => ({
    ...{ signal_key: randomBytes(32), signal_id: newId(now), origin, audience_id, feed_id },
    ...{ type: 1, profile: 'open', revision: 1, state: 1, expires_at: now, log_idx: BigInt(i), seq: BigInt(i + 1) },
  }))
  await t.owner.insertInto('shared_signal').values(rows).execute()
  all = Buffer.concat(
    rows
      .map((row) => concat(row.signal_key, ...[row.signal_id, origin, audience_id].map((id) => uuidBytes(id))))
      .sort(Buffer.compare),
  )
})
afterAll(() => t.drop())

const pageAfter = (after: Buffer | undefined, limit: number): Promise<Buffer> =>
  atKeys(t.projector, (tx) => sharedKeys(tx, { after, limit }))

test.for([1_000, KEYS, 2 * KEYS])('every shared key is read once and in order, %i at a time', async (limit) => {
  const pages: Buffer[] = []
  for (
    let page = await pageAfter(undefined, limit);
    page.length > 0;
    page = await pageAfter(page.subarray(-KEY_ROW), limit)
  ) {
    pages.push(page)
    if (pages.length > KEYS) expect.fail('the pages do not end')
  }
  expect(Buffer.concat(pages).equals(all)).toBe(true)
  expect(pages.map(({ length }) => Math.ceil(length / KEY_ROW / limit))).toEqual(pages.map(() => 1))
})
