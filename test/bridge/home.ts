import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Known } from '../../src/bridge/known.ts'
import { type Home, openHome } from '../../src/client/home.ts'
import { makeSigningKey } from '../../src/client/signing-key.ts'
import { aLog, aNode, FEED } from '../client/source.ts'
import { AUDIENCE, DAY, idOf, NOON, ORIGIN, PROGRAMME, uriOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'

/** Key of the epoch `spring`, whose tokens are made at home. */
export const SPRING = new Uint8Array(32).fill(7)

/** A participant's folder, enrolled at a node that does not answer. */
export async function aHome(node = 'https://127.0.0.1:1', pki?: TestPki): Promise<Home> {
  const home = openHome(mkdtempSync(join(tmpdir(), 'aldis-bridge-')))
  const { key, cert, ca } = await (pki ?? (await testPki())).participant('banana')
  const { receipt_keys } = aNode().home
  home.enrolled({
    membership: {
      ...{ participant: 'banana', uri: uriOf('banana'), node, node_origin: ORIGIN },
      programme: PROGRAMME,
      kid: '',
    },
    ...{ key, signing: makeSigningKey(), certificate: cert, ca },
    node: { log_vkey: aLog(0).vkey, receipt_keys } as Parameters<Home['enrolled']>[0]['node'],
  })
  mkdirSync(join(home.dir, 'hash-keys'))
  writeFileSync(join(home.dir, 'hash-keys', 'spring'), `${Buffer.from(SPRING).toString('base64url')}\n`, {
    mode: 0o600,
  })
  return home
}

const day = (n: number): string => new Date(NOON.getTime() + n * DAY).toISOString()

/** What the node said at a last synchronisation: one audience, and key epochs of which one is evaluated at the node. */
export const aKnown = (epochs: readonly string[] = ['spring'], synced_at = NOON): Known => ({
  synced_at: synced_at.toISOString(),
  feeds: [
    {
      ...{ feed: FEED, kind: 'audience', mode: 'full', audience: AUDIENCE, label: 'orchard' },
      ...{ from_seq: '1', last_seq: '9', sealed_seq: '0', start: '0' },
    },
  ],
  audiences: [
    ...[1, 2, 3].map((n) => ({
      ...{ audience: idOf(n), kind: n === 1 ? ('programme' as const) : ('named' as const), mode: 'full' as const },
      ...{ label: n === 1 ? 'orchard' : 'twins', may_share: true, members: ['apple', 'banana'] },
    })),
  ],
  hash_profiles: epochs.map((kid) => ({
    ...{ kid, suite: kid === 'spring' ? 'hmac-sha256' : 'oprf-ristretto255-sha512', status: 'active' as const },
    ...{ not_before: day(-30), not_after: day(60) },
  })),
})
