import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type Db } from '../../src/db/connect.ts'
import { createIntegrator } from '../../src/provenance/integrate.ts'
import { createSigner } from '../../src/provenance/sign.ts'
import { aLog, type LogWorld, ORIGIN, rowsOf } from '../provenance/world.ts'
import { type NoticingProxy, noticesAt } from './notices.ts'

let w: LogWorld
let proxy: NoticingProxy
let integratorDb: Db
let signerDb: Db
beforeAll(async () => {
  w = await aLog()
  proxy = await noticesAt(w.t.url('aldis_app'))
  integratorDb = connect({ url: proxy.url('aldis_integrator'), max: 2 })
  signerDb = connect({ url: proxy.url('aldis_signer'), max: 2 })
})
afterAll(async () => {
  await Promise.all([integratorDb, signerDb].map((db) => db.destroy()))
  await proxy.close()
  await w.end()
})

const integrator = () => createIntegrator({ db: integratorDb, logId: 1, salt: w.provenance.salt })
const signer = () =>
  createSigner({
    ...{ db: signerDb, clock: w.clock, keys: w.keys, anchor: w.anchor, halts: w.halts, askHeld: async () => {} },
    ...{ logId: 1, origin: ORIGIN, kid: 'log-1', later: async () => [], refreshMs: 3_600_000 },
  })
const checkpoints = async (): Promise<number> =>
  (await w.t.owner.selectFrom('log_checkpoint').select('size').execute()).length

/** Does the work with the notice at each of its commits in turn; `after` once for each. */
async function atEach(work: () => Promise<unknown>, after: (commit: number) => Promise<void>): Promise<number> {
  for (let commit = 0; ; commit++) {
    proxy.arm(commit)
    const outcome = await work().then(
      () => 'done',
      (error: { code?: string }) => error.code,
    )
    const { given } = proxy.disarm()
    if (!given) return commit
    expect(outcome).toBe('outcome-unknown')
    await after(commit)
  }
}

test('what no standby has confirmed is indexed, cleared and fenced again, and each change is one entry', async () => {
  const before = (await rowsOf(w)).events.length
  let recorded = 0
  const commits = await atEach(
    async () => {
      await w.record('apple')
      recorded += 1
      return integrator().round()
    },
    async () => {
      await integrator().round()
    },
  )
  expect(commits).toBe(3)
  const { events, head, fence, outbox } = await rowsOf(w)
  expect([events.length - before, outbox]).toEqual([recorded, []])
  expect(events.map(({ idx }) => idx)).toEqual(events.map((_, i) => BigInt(i)))
  expect([fence.size, fence.root]).toEqual([head.size, head.root])
  await w.signer.round()
})

test('nothing is signed from what no standby has confirmed: before that the anchor does not move', async () => {
  await w.record('apple')
  await w.integrator().round()
  const [anchored, signed] = [await w.anchor.read(), await checkpoints()]
  const looks = signer()
  await looks.check()
  const seen: [commit: number, moved: boolean, more: number][] = []
  const commits = await atEach(
    async () => {
      await w.record('apple')
      await w.integrator().round()
      return looks.round()
    },
    async (commit) => {
      const now = await w.anchor.read()
      seen.push([commit, now?.size !== anchored?.size, (await checkpoints()) - signed])
    },
  )
  expect(commits).toBe(2)
  // The second is the checkpoint itself: written here, and shown to nobody before a later commit is confirmed.
  expect(seen).toEqual([
    [0, false, 0],
    [1, true, 1],
  ])
})

test('a checkpoint is neither shown to witnesses nor published before a commit behind it is confirmed', async () => {
  await w.publish()
  await w.record('apple')
  await w.integrator().round()
  const before = (await w.ledger.checkpoint())?.size
  const [looks, publisher] = [signer(), w.publisher({ db: signerDb })]
  await looks.check()
  proxy.arm(1)
  await expect(looks.round()).rejects.toMatchObject({ code: 'outcome-unknown' })
  expect(proxy.disarm().given).toBe(true)
  proxy.arm(0)
  await expect(publisher.round()).rejects.toMatchObject({ code: 'outcome-unknown' })
  expect(proxy.disarm().given).toBe(true)
  expect((await w.ledger.checkpoint())?.size).toBe(before)
  expect(await publisher.round()).toBe(true)
  expect((await w.ledger.checkpoint())?.size).toBeGreaterThan(before ?? 0n)
  await publisher.close()
})
