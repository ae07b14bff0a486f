import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, type Db } from '../../src/db/connect.ts'
import { createPatternChecker } from '../../src/jobs/pattern-check.ts'
import { utf8 } from '../../src/kernel/bytes.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { countersign } from '../../src/signals/countersignature.ts'
import { rulesOf } from '../../src/signals/rules.ts'
import type { UploadLine } from '../../src/signals/schema.ts'
import { createSignalService, type SignalService, type Submitter } from '../../src/signals/service.ts'
import { takeUpload } from '../../src/signals/upload.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { aHistory, type Found, faultsOf, movingIn, readFound } from './history.ts'
import { type Cut, type CuttingProxy, proxyTo } from './proxy.ts'
import { seededRandom } from './random.ts'
import { type Prepared, prepare } from './sender.ts'

/** More than an upload has: then the cut is not come to any more. */
const MOST = 200

const random = seededRandom('gaps.test.ts')
const history = aHistory()
let n: TestNode
let proxy: CuttingProxy
let db: Db
let signals: SignalService
let apple: Member
let by: Submitter
let audience: Uuid

beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  audience = await apple.everybody()
  const { participant_id: participant } = await n.t.owner
    .selectFrom('participant')
    .select('participant_id')
    .where('slug', '=', 'apple')
    .executeTakeFirstOrThrow()
  const credential = (await apple.client.whoami()).credential.id as Uuid
  const scopes = ['signals:submit', 'signals:withdraw']
  by = { participant, slug: 'apple', uri: apple.home.membership().uri, credential, scopes }
  // The node's own loops do not go through the proxy: what is cut is the upload.
  proxy = await proxyTo(n.t.url('aldis_app'))
  db = connect({ url: proxy.url, max: 1 })
  signals = signalsOver(db)
})
afterAll(async () => {
  await db?.destroy()
  await proxy?.close()
  await n?.end()
})

/** The node's own service, on another connection. */
function signalsOver(through: Db): SignalService {
  const { authority, provenance, programme, clock, keys, receiptKid } = n.parts
  const rules = rulesOf(authority)
  const { slug: prg, node_origin: aud } = programme
  return createSignalService({
    ...{ db: through, clock, keys, provenance, rules, categoryId: rules.categoryId, categorySlug: rules.categorySlug },
    verifyContext: ({ participant, uri }) => ({
      ...{ iss: uri, aud, prg, now: clock() },
      findKey: (kid) => authority.signingKey(participant, kid),
    }),
    countersign: (input) =>
      countersign(input, { kid: receiptKid, iss: aud, sign: (data) => keys.sign('receipt', data) }),
    patterns: createPatternChecker(),
    timeoutMs: 10_000,
  })
}

/** One request from the first line on that is not durable; answers the code that it ended with. */
async function upload({ upload: upload_id, lines }: Prepared): Promise<string | undefined> {
  const from = await signals.nextLine(by.participant, upload_id)
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (const line of lines.slice(Number(from) - 1)) yield utf8(`${line}\n`)
  }
  const answer = takeUpload({
    ...{ upload_id, line: from, chunks: chunks(), bytes: 1_000_000, lines: 10_000 },
    submit: (submission, position) => signals.submit(by, submission, position),
  })
  for await (const text of answer) {
    for (const one of text.split('\n').filter((line) => line !== '')) {
      const { code, signal, revision, submission } = JSON.parse(one) as UploadLine
      if (code !== undefined) return code
      if (signal !== undefined && revision !== undefined) history.acknowledged.push({ signal, revision })
      if (typeof submission === 'string') history.submissions.push(submission)
    }
  }
  return undefined
}

/** An upload with one cut, and its continuation; whether it came to the cut. */
async function cutUpload(cut: Cut): Promise<boolean> {
  const prepared = await prepare({ home: apple.home, audience, random, items: 12, largest: 2, history })
  proxy.arm(cut)
  const code = await upload(prepared).catch((error: { code: string }) => error.code)
  const hit = proxy.disarm()
  expect(['busy', 'outcome-unknown', undefined]).toContain(code)
  if (code !== undefined) expect(await upload(prepared)).toBeUndefined()
  expect(await signals.nextLine(by.participant, prepared.upload)).toBe(BigInt(prepared.lines.length + 1))
  return hit
}

describe('an upload whose connection to the database is cut', () => {
  test.for(['before', 'after'] as const)(
    '%s each of its messages gets there, loses no acknowledged line, and stores none twice',
    { timeout: 120_000 },
    async (when) => {
      let burst = 0
      while (burst < MOST && (await cutUpload({ burst, when }))) burst += 1
      expect(burst).toBeGreaterThan(5)
      expect(burst).toBeLessThan(MOST)
      await expect.poll(() => movingIn(n.t.owner), { timeout: 20_000 }).toEqual([])
      const found = { ...(await readFound(n.t.owner, 'apple')), feed: await feedOf() }
      expect(faultsOf(history, found), `ALDIS_FAULT_SEED=${random.seed}`).toEqual([])
    },
  )
})

async function feedOf(): Promise<Found['feed']> {
  const rows = await n.t.owner
    .selectFrom('feed_entry')
    .select(['seq', 'signal_id', 'revision', 'submission_id'])
    .orderBy('seq')
    .execute()
  return rows.map(({ seq, signal_id, revision, submission_id }) => ({
    ...{ seq, signal: signal_id, revision, event: submission_id },
  }))
}
