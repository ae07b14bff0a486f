import { createHash, X509Certificate } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { issueClientCertificate } from '../../src/ca/ca.ts'
import { openProgrammeCa } from '../../src/ca/files.ts'
import { requestOver } from '../../src/client/enroll.ts'
import { type Home, openHome } from '../../src/client/home.ts'
import { newId } from '../../src/kernel/ids.ts'
import { createSandbox, type Sandbox } from '../../src/sandboxing.ts'
import { aTestNode, type TestNode } from '../support/node.ts'

const [DAY_MS, MINUTE_MS] = [86_400_000, 60_000]
const ENDED = -MINUTE_MS / 2

let n: TestNode
let home: Home
let sandbox: Sandbox

/** As a node that is started has it. */
function started(): Sandbox {
  const one = createSandbox(n.parts)
  one.open(n)
  return one
}

beforeAll(async () => {
  n = await aTestNode()
  home = openHome(join(n.parts.config.dataDir, 'sandbox', 'sandbox-peer'))
  const first = started()
  await shares(first)
  first.close()
})
afterAll(() => n.end())
beforeEach(() => {
  sandbox = started()
})
afterEach(() => sandbox.close())

const shares = (one: Sandbox) => one.ask({ participant: newId(new Date()), slug: 'apple' }, { do: 'signal' })

/** A leaf over the key that is there, which ends so many milliseconds from now. */
async function leafOf(ms: number): Promise<void> {
  const request = { csrPem: await requestOver(home.tlsKey()), uri: home.membership().uri }
  const [now, notAfter] = [new Date(Date.now() - MINUTE_MS), new Date(Date.now() + ms)]
  const ca = openProgrammeCa(join(n.parts.config.dataDir, 'ca'))
  const issued = await issueClientCertificate(ca, { ...request, now, notAfter })
  home.renewed(issued.chain)
}

const daysLeft = () => (new X509Certificate(home.certificate()).validToDate.getTime() - Date.now()) / DAY_MS

async function pinned() {
  const spki = new X509Certificate(home.certificate()).publicKey.export({ type: 'spki', format: 'der' })
  await n.parts.authority.refresh()
  return n.parts.authority.find(createHash('sha256').update(spki).digest('hex')) ?? expect.fail('no pin')
}

test.for(['membership.json', 'tls.crt', 'tls.key'])(
  'a simulated participant that a kill left without %s is enrolled again, with the signing key that it has',
  async (name) => {
    const key = home.signingKey().kid
    rmSync(join(home.dir, name))
    expect(await shares(sandbox)).toMatchObject({ source: 'sandbox-peer' })
    expect(home.signingKey().kid).toBe(key)
  },
)

test('one whose leaf has ended is enrolled again', async () => {
  await leafOf(ENDED)
  expect(await shares(sandbox)).toMatchObject({ source: 'sandbox-peer' })
  expect(daysLeft()).toBeGreaterThan(6)
})

test('while it runs its leaf is renewed, and it goes by another key once it has one', async () => {
  await shares(sandbox)
  await leafOf(MINUTE_MS)
  await shares(sandbox)
  expect(daysLeft()).toBeGreaterThan(6)

  const before = await pinned()
  await leafOf(ENDED)
  await shares(sandbox)
  await n.parts.participants.revokeCredential(n.ada, { credential: before.credential, reason: 'key_theft' })
  expect(await shares(sandbox)).toMatchObject({ source: 'sandbox-peer' })
  expect((await pinned()).credential).not.toBe(before.credential)
})
