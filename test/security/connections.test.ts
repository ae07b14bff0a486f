import { createPrivateKey, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DAY_MS } from '../../src/ca/ca.ts'
import { openProgrammeCa } from '../../src/ca/files.ts'
import type { PeerFault } from '../../src/http/peer.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { type Oddity, SERVER_AUTH, type TestCa, type TestPki, testPki, uriOf } from '../support/pki.ts'
import { CANARY, caller, callerOf, changesNothing, expectRefusal, type Identity, received } from './world.ts'

const TRUST = 'orchard.example'
const GET = 'GET /v1/whoami HTTP/1.1\r\nhost: localhost\r\n\r\n'

let n: TestNode
let apple: Member
let pki: TestPki
let home: TestCa
let pinned: KeyObject
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  await n.member('banana')
  pki = await testPki()
  const signer = openProgrammeCa(join(n.parts.config.dataDir, 'ca'))
  home = { root: signer.rootCertificate(), issuer: signer.issuerCertificate(), signer, rootSigner: signer }
  pinned = createPrivateKey(apple.home.tlsKey())
})
afterAll(() => n.end())

/** A certificate that the programme's own authority would never issue. */
const odd = async (oddity: Oddity): Promise<Identity> => {
  const { key, cert } = await pki.odd({ ca: home, uris: [uriOf('apple', TRUST)], ...oddity })
  return { key, cert, ca: home.root }
}

describe('a connection', () => {
  const past = () => ({ notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) })
  const closed: readonly [who: string, identity: () => Promise<Identity>][] = [
    ['nobody', async () => ({ ca: home.root })],
    ['another authority’s', async () => ({ ...(await pki.participant('apple')), ca: home.root })],
    ['another authority’s over the enrolled key', async () => odd({ ca: pki.ca, key: pinned })],
    ['an expired certificate’s', async () => odd({ key: pinned, ...past() })],
    ['a certificate of tomorrow’s', async () => odd({ key: pinned, notBefore: new Date(Date.now() + DAY_MS / 2) })],
    ['a server’s', async () => odd({ key: pinned, usages: [SERVER_AUTH] })],
  ]
  test.for(closed)('of %s is closed without a word', async ([, identity]) => {
    const stranger = caller(n.partner, await identity())
    expect(await changesNothing(n.t, () => stranger.raw(GET))).toBe('')
  })

  const told: readonly [who: string, oddity: () => Oddity, reason: PeerFault][] = [
    ['of a key that was never enrolled', () => ({}), 'key-unknown'],
    ['of another participant’s name', () => ({ key: pinned, uris: [uriOf('banana', TRUST)] }), 'key-of-another'],
    ['of a participant that is none', () => ({ uris: [uriOf('cherry', TRUST)] }), 'key-unknown'],
    ['of another trust domain', () => ({ key: pinned, uris: [uriOf('apple', 'meadow.example')] }), 'uri-foreign'],
    ['of two names', () => ({ key: pinned, uris: [uriOf('apple', TRUST), uriOf('banana', TRUST)] }), 'uri-count'],
    ['without a purpose', () => ({ key: pinned, usages: undefined }), 'client-auth-missing'],
    ['of an authority', () => ({ key: pinned, authority: true }), 'certificate-authority'],
  ]
  test.for(told)('with a certificate %s is told why once, and closed', async ([, oddity, reason]) => {
    const stranger = caller(n.partner, await odd(oddity()))
    const answer = await changesNothing(n.t, () => stranger.ask({ path: '/v1/whoami' }))
    expect(expectRefusal(answer, 'credential-not-enrolled')).toMatchObject({ reason })
    expect(answer.headers.connection).toBe('close')
    expect(answer.headers['provenance-checkpoint']).toBeUndefined()
    stranger.close()
  })

  test('of a stranger learns of no path whether it is there', async () => {
    const stranger = caller(n.partner, await odd({}))
    for (const path of ['/v1/feeds', '/nowhere', '/provenance/1/checkpoint', '/v1/feeds?plover=1']) {
      expectRefusal(await stranger.ask({ path }), 'credential-not-enrolled')
    }
    stranger.close()
  })

  test('ends with a URL that cannot be read, before anybody was asked who they are', async () => {
    const stranger = caller(n.partner, await odd({}))
    const member = callerOf(n, apple)
    for (const path of ['/%E0%A4%A', '/v1/feeds/%ff/events', `/v1/feeds/${CANARY.repeat(10)}/events`]) {
      for (const who of [stranger, member]) {
        const answer = await who.ask({ path })
        expectRefusal(answer, 'not-found', [path])
        expect(answer.headers.connection).toBe('close')
      }
    }
    expect(n.logged()).toMatch(/"route":"unknown","status":404,"ms":0,"code":"not-found"/)
    stranger.close()
    member.close()
  })
})

describe('a member that loses its rights', () => {
  /** As another process of the node would: this one learns of it by looking. */
  async function fromElsewhere(change: (id: Uuid) => Promise<unknown>, member: Member): Promise<void> {
    const { credential } = await member.client.whoami()
    await change(credential.id)
    await sql`update authority_epoch set epoch = epoch + 1`.execute(n.t.owner)
  }

  async function cutAfter(member: Member, change: (id: Uuid) => Promise<unknown>): Promise<number> {
    const socket = await callerOf(n, member).dial()
    const { feeds } = await member.client.feeds()
    const feed = feeds.find(({ kind }) => kind === 'inbox')
    const answered = received(socket)
    socket.write(`GET /v1/feeds/${feed?.feed}/events?wait=30 HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    const began = performance.now()
    await fromElsewhere(change, member)
    expect(await answered).toBe('')
    return performance.now() - began
  }

  test('by revocation is cut within five seconds, in the middle of a request, and told so when it comes again', async () => {
    const cherry = await n.member('cherry')
    const took = await cutAfter(cherry, (id) =>
      n.t.owner.updateTable('credential').set({ status: 2 }).where('credential_id', '=', id).execute(),
    )
    expect(took).toBeLessThan(5_000)
    const again = callerOf(n, cherry)
    const answer = await changesNothing(n.t, () => again.ask({ path: '/v1/whoami' }))
    expect(expectRefusal(answer, 'credential-not-enrolled')).toMatchObject({ reason: 'credential-revoked' })
    again.close()
  })

  test('by suspension is cut as soon, and is told so on every way in', async () => {
    const grape = await n.member('grape')
    const took = await cutAfter(grape, () =>
      n.t.owner.updateTable('participant').set({ status: 2 }).where('slug', '=', 'grape').execute(),
    )
    expect(took).toBeLessThan(5_000)
    const again = callerOf(n, grape)
    for (const path of ['/v1/whoami', '/v1/feeds', '/nowhere']) {
      expectRefusal(await changesNothing(n.t, () => again.ask({ path })), 'participant-suspended')
    }
    again.close()
  })

  test('by an act of this node is cut without waiting for the next look', async () => {
    await n.parts.authority.stop()
    const lemon = await n.member('lemon')
    const socket = await callerOf(n, lemon).dial()
    const closed = received(socket)
    const { credential } = await lemon.client.whoami()
    await n.parts.participants.revokeCredential(n.ada, { credential: credential.id, reason: 'key_theft' })
    expect(await closed).toBe('')
    n.parts.authority.start()
  })
})
