import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, type Node, type NodeOptions } from '../../src/app.ts'
import { init } from '../../src/cli/node/init.ts'
import type { Client } from '../../src/client/client.ts'
import { type DeriveContext, derive, type RawLine } from '../../src/client/derive.ts'
import { enroll, makeTlsKey } from '../../src/client/enroll.ts'
import { type Home, openHome } from '../../src/client/home.ts'
import { makeSigningKey, openSigningKey } from '../../src/client/signing-key.ts'
import { loadConfig } from '../../src/config.ts'
import { openBase } from '../../src/core.ts'
import { stop } from '../../src/http/shutdown.ts'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { createLog, silentLog } from '../../src/kernel/log.ts'
import type { ActionName, PayloadOf } from '../../src/participants/action.ts'
import type { Scope } from '../../src/participants/schema.ts'
import type { Parts } from '../../src/parts.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { type SignedSubmission, type SubmissionType, signSubmission } from '../../src/signals/submission.ts'
import { approveAs } from './approve.ts'
import { freshDatabase, type TestDatabase } from './database.ts'

const SCOPES: readonly Scope[] = [
  'signals:submit',
  'signals:withdraw',
  'feed:read',
  'lookup:evaluate',
  'lookup:open',
  'reveal',
  'provenance:read',
]
const DAY_MS = 86_400_000
/** Tests share their machine; what the limit does has tests of its own. */
const PATIENT_MS = 60_000
export const EPOCH = 'epoch-1'

/** A whole node on its own database and ports, as `main.ts` would start it, with one key epoch. */
export interface TestNode {
  node: Node
  parts: Parts
  t: TestDatabase
  partner: string
  enrol: string
  ops: string
  /** Where there is one. */
  console: string | undefined
  ada: Uuid
  /** Proposed by one administrator, approved by the other or by governance, executed. */
  decide<A extends ActionName>(action: A, payload: PayloadOf<A>): Promise<unknown>
  /** Admits a participant and enrols it over the listener, with keys in a folder of its own. */
  member(slug: string, options?: { kind?: 'platform' | 'observer'; scopes?: readonly Scope[] }): Promise<Member>
  /** A further credential of a participant that was admitted. */
  enrolled(slug: string, scopes?: readonly Scope[]): Promise<Member>
  /** Everything that the node's log wrote so far. */
  logged(): string
  end(): Promise<void>
}

/** A participant with its keys, as its own machine would hold them. */
export interface Member {
  slug: string
  home: Home
  client: Client
  /** The audience of the whole programme. */
  everybody(): Promise<Uuid>
  /** An audience of this one and others. */
  audience(label: string, ...others: string[]): Promise<Uuid>
  /** A raw line as the item to be signed. */
  item(line: RawLine, audience: Uuid): Promise<SignalItem>
  /** Items under this participant's signature. */
  sign(items: readonly object[], typ?: SubmissionType): Promise<SignedSubmission>
}

export async function aTestNode(
  options: { clock?: Clock; env?: Readonly<Record<string, string>> } & Pick<NodeOptions, 'startBackground'> = {},
): Promise<TestNode> {
  const { clock = systemClock, env = {}, ...started } = options
  const t = await freshDatabase()
  const dir = mkdtempSync(join(tmpdir(), 'aldis-node-'))
  const config = loadConfig({
    ...{ DATABASE_URL: t.url('owner'), DATA_DIR: join(dir, 'node'), CONFIG_DIR: 'config', LOG_LEVEL: 'debug' },
    ...{ PARTNER_PORT: '0', ENROL_PORT: '0', OPS_PORT: '0', LOG_ORIGIN: 'node.example.org/provenance/1' },
    ...env,
  })
  const { admins } = await init(config, {
    ...{ slug: 'orchard', trust_domain: 'orchard.example', node_origin: 'https://node.example.org' },
    admins: [
      { name: 'Ada', organisation: 'office' },
      { name: 'Ben', organisation: 'office' },
    ],
  })
  const [ada, ben] = admins
  if (ada === undefined || ben === undefined) throw new Error('two administrators')
  const lines: string[] = []
  const log = createLog({ level: 'debug', destination: { write: (line) => void lines.push(line) } })
  const base = await openBase({ config, clock, log })
  const node = await createNode(base, log, { measuring: { loopDelayMs: PATIENT_MS }, ...started })
  const { parts } = node
  const { partner, enrol, ops, console } = await node.listen()
  const { participants } = parts

  const decide = async <A extends ActionName>(action: A, payload: PayloadOf<A>): Promise<unknown> => {
    const { request_id } = await participants.propose(action, payload, ada)
    await approveAs(participants, request_id, { second: ben, at: clock() })
    return (await participants.execute(request_id, ada)).result
  }
  const now = clock().getTime()
  const [not_before, not_after] = [now - DAY_MS, now + 90 * DAY_MS].map(
    (at) => `${new Date(at).toISOString().slice(0, 19)}Z`,
  )
  await decide('hash-profile.publish', {
    kid: EPOCH,
    suite: 'hmac-sha256',
    not_before: not_before ?? '',
    not_after: not_after ?? '',
  })

  let homes = 0
  const members: Member[] = []
  const enrolled: TestNode['enrolled'] = async (slug, scopes = SCOPES) => {
    const { code } = (await decide('credential.enrol', { participant: slug, label: 'main', scopes: [...scopes] })) as {
      code: string
    }
    homes += 1
    const home = openHome(join(dir, `${slug}-${homes}`))
    await fill(home, { code, enrol, partner })
    const member = memberOf(slug, home, clock)
    members.push(member)
    return member
  }

  return {
    ...{ node, parts, t, partner, enrol, ops, console, ada, decide, enrolled },
    member: async (slug, { kind = 'platform', scopes } = {}) => {
      await decide('participant.admit', { slug, name: slug, kind })
      return enrolled(slug, scopes)
    },
    logged: () => lines.join(''),
    end: async () => {
      for (const { client } of members) client.close()
      const clean = await stop(node.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })
      await t.drop()
      rmSync(dir, { recursive: true, force: true })
      if (!clean) throw new Error('the node did not stop cleanly')
    },
  }
}

async function fill(home: Home, at: { code: string; enrol: string; partner: string }): Promise<void> {
  const [tls, signing] = [await makeTlsKey(), makeSigningKey()]
  const result = await enroll({ origin: at.enrol, code: at.code, tls, signing: openSigningKey(signing) })
  const { participant, uri, programme, kid, certificate, ca, node } = result
  const membership = {
    participant,
    uri,
    kid,
    node: at.partner,
    node_origin: programme.node_origin,
    programme: programme.slug,
  }
  home.enrolled({ membership, key: tls.key, signing, certificate, ca, node })
}

function memberOf(slug: string, home: Home, clock: Clock): Member {
  const client = home.connect()
  const { uri: iss, node_origin: aud, programme: prg } = home.membership()
  return {
    ...{ slug, home, client },
    everybody: async () => {
      const { audiences } = await client.audiences()
      const found = audiences.find(({ kind }) => kind === 'programme')
      if (found === undefined) throw new Error('no audience of the programme')
      return found.audience
    },
    audience: async (label, ...others) =>
      (await client.openAudience(newId(clock()), { label, mode: 'full', members: others })).audience,
    item: async (line, audience) => {
      const key = await home.hashKey(client, EPOCH)
      const derived = derive(line, { ...CONTEXT, audience, now: clock(), epoch: { kid: EPOCH, key } })
      if (derived.outcome === 'refused') throw new Error(derived.reason)
      return derived.item
    },
    sign: (items, typ = 'aldis-signal+jws') =>
      signSubmission({
        ...{ typ, iss, aud, prg, key: home.signingKey(), now: clock() },
        items: items.map((item) => JSON.stringify(item)),
      }),
  }
}

const CONTEXT: Omit<DeriveContext, 'audience' | 'now' | 'epoch'> = {
  taxonomy: 1,
  defaults: {
    ...{
      category: 'grooming',
      severity: 'high',
      confidence: 80,
      basis: 'human_reviewed',
      handling: 'review',
      tlp: 'amber',
    },
    context: { region: 'IE', legal_basis: 'terms_of_service', surface: 'public' },
  },
  days: () => 80,
}
