import { recountOf } from '../../src/exploring.ts'
import type { Member, TestNode } from '../support/node.ts'

const FILTERS = [
  'kind:signal.* recipient:banana -party:banana -actor:banana -kind:signal.expired',
  'recipient:banana party:apple at>=2020-01-01 at<2020-12-01',
  'party:apple at>=2020-01-01',
]

/** Entries are looked for by each kind of term, and the matrix is asked for; what is kept of the log is counted again. */
export async function lookedFor(n: TestNode, own: Member): Promise<void> {
  const { client } = await n.member('oleander', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  await counted(n)
  for (const q of FILTERS) await client.logEntries({ q })
  const [one] = (await client.logEntries({ q: 'kind:feedback.given' })).entries
  await client.logEntries({ q: `signal:${one?.event ?? '018f6b2e-0000-7000-8000-000000000001'}` })
  await own.client.logEntries({})
  await own.client.shareMatrix({ category: 'grooming' })
  const { differences } = await recountOf(n.parts)
  if (differences.length > 0) throw new Error(`what is kept and the log differ: ${differences.join('; ')}`)
}

/** Until every entry can be found. */
async function counted({ t: { owner }, parts: { logId } }: TestNode): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const { size } = await owner
      .selectFrom('log_fence')
      .select('size')
      .where('log_id', '=', logId)
      .executeTakeFirstOrThrow()
    const last = await owner
      .selectFrom('log_entry')
      .select('idx')
      .where('log_id', '=', logId)
      .orderBy('idx', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (last !== undefined && last.idx + 1n >= size) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('waited in vain for the explorer')
}
