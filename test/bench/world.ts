import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { init } from '../../src/cli/node/init.ts'
import { enroll, makeTlsKey } from '../../src/client/enroll.ts'
import type { Enrolled } from '../../src/client/enrolled.ts'
import { makeSigningKey, type OwnSigningKey, openSigningKey } from '../../src/client/signing-key.ts'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { loadConfig } from '../../src/config.ts'
import { openBase } from '../../src/core.ts'
import { type EmbeddedPostgres, startEmbedded } from '../../src/db/embedded.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import type { ActionName, PayloadOf } from '../../src/participants/action.ts'
import type { Scope } from '../../src/participants/schema.ts'
import { openParts } from '../../src/parts.ts'
import { EPOCH } from './items.ts'
import { type NodeProcess, startNode } from './node-process.ts'
import { ROOT } from './root.ts'

/** Participants, and credentials of each: 64 clients have a credential each. */
const SLUGS = ['apricot', 'blackbird', 'cherry', 'dunnock', 'elder', 'finch', 'grape', 'heron'] as const
const CREDENTIALS = 8
const SCOPES: readonly Scope[] = [
  ...(['signals:submit', 'feed:read', 'lookup:evaluate', 'provenance:read', 'feedback:write', 'review:work'] as const),
]
const DAY_MS = 86_400_000

/** One credential of a participant, with the key that signs for it. */
export interface Member {
  slug: string
  uri: string
  node_origin: string
  programme: string
  tls: TlsIdentity
  signing: OwnSigningKey
  /** What its own folder would hold, but for the node's address, which changes. */
  enrolled: Enrolled
}

/** Whom signals are shared with, and where they are read. */
export interface Reach {
  audience: Uuid
  feed: Uuid
}

/** A programme on a database of its own, and the node that serves it. */
export interface World extends Reach {
  dir: string
  /** The database's folder. */
  pgdata: string
  /** Logged in as superuser, for looking and for the references. */
  db: pg.Client
  /** One a credential: neighbours belong to different participants. */
  members: readonly Member[]
  /** A group of the same members, for signals that no log tells of. */
  beside: Reach
  postgres: string
  /** Of another database of the same server. */
  url(role: string, database: string): string
  node(): NodeProcess
  /** Ends the node and starts it anew: what it had in memory is gone. */
  restart(): Promise<void>
  /** Admits one who may audit, under its own key. Once. */
  auditor(): Promise<TlsIdentity>
  end(): Promise<void>
}

export async function openWorld(settings: Readonly<Record<string, string>> = {}): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'aldis-bench-'))
  const server = await startEmbedded({ dataDir: join(dir, 'postgres'), settings })
  const env = settingsIn(dir)
  let node: NodeProcess | undefined
  let db: pg.Client | undefined
  const closeOnce = async (): Promise<void> => {
    await node?.stop().catch(() => {})
    await db?.end().catch(() => {})
    await server.destroy()
    rmSync(dir, { recursive: true, force: true })
  }
  let closed: Promise<void> | undefined
  // By a signal and by the failure that it causes.
  const close = (): Promise<void> => {
    closed ??= closeOnce()
    return closed
  }
  try {
    const { members, admins } = await foundProgramme(env, async () => {
      node = await startNode(env, dir)
      return node
    })
    db = await connected(server)
    const { rows } = await db.query<Reach & { version: string }>(
      `select audience_id as audience, feed_id as feed, current_setting('server_version') as version
        from audience join feed using (audience_id) order by group_id nulls first`,
    )
    const [everybody, beside] = rows
    if (everybody === undefined || beside === undefined) throw new Error('the programme has an audience and a group')
    const { version: postgres, ...reach } = everybody
    return {
      ...{ dir, pgdata: server.dir, db, members, ...reach, beside, postgres, url: server.url },
      node: () => {
        if (node === undefined) throw new Error('the node does not run')
        return node
      },
      restart: async () => {
        await node?.stop()
        node = undefined
        node = await startNode(env, dir)
      },
      auditor: () =>
        acting(env, admins, async (decide) => {
          const slug = 'ibis'
          const scopes: Scope[] = ['provenance:read', 'provenance:audit']
          await decide('participant.admit', { slug, name: slug, kind: 'observer' })
          const made = await decide('credential.enrol', { participant: slug, label: slug, scopes })
          const [tls, signing] = [await makeTlsKey(), openSigningKey(makeSigningKey())]
          const origin = node?.addresses.enrol ?? ''
          const { certificate, ca } = await enroll({ origin, code: (made as { code: string }).code, tls, signing })
          return { key: tls.key, cert: certificate, ca }
        }),
      end: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The settings of production, but for the ports, which may be any. */
const settingsIn = (dir: string): Record<string, string> => ({
  ...{ DATA_DIR: dir, CONFIG_DIR: join(ROOT, 'config') },
  ...{ PARTNER_PORT: '0', ENROL_PORT: '0', OPS_PORT: '0', LOG_ORIGIN: 'node.example.org/provenance/1' },
  // A receiver of webhooks on this machine, with the certificate of the node's own authority.
  ...{ WEBHOOK_HOSTS: 'apricot=localhost', WEBHOOK_INSIDE: 'allow', WEBHOOK_CA: join(dir, 'ca', 'root.crt') },
})

async function connected(server: EmbeddedPostgres): Promise<pg.Client> {
  const db = new pg.Client({ connectionString: server.url('postgres', 'aldis') })
  await db.connect()
  return db
}

/** Programme, key epoch and participants, by the same services as the command line's; keys over the enrolment listener. */
async function foundProgramme(
  env: Readonly<Record<string, string>>,
  start: () => Promise<NodeProcess>,
): Promise<{ members: Member[]; admins: readonly Uuid[] }> {
  const { admins } = await init(loadConfig({ ...env }), {
    ...{ slug: 'orchard', trust_domain: 'orchard.example', node_origin: 'https://node.example.org' },
    admins: [
      { name: 'Ada', organisation: 'office' },
      { name: 'Ben', organisation: 'office' },
    ],
  })
  const members = await acting(env, admins, async (decide) => {
    const [not_before = '', not_after = ''] = [-DAY_MS, 90 * DAY_MS].map(
      (ms) => `${new Date(Date.now() + ms).toISOString().slice(0, 19)}Z`,
    )
    await decide('hash-profile.publish', { kid: EPOCH, suite: 'hmac-sha256', not_before, not_after })
    for (const slug of SLUGS) await decide('participant.admit', { slug, name: slug, kind: 'platform' })
    await decide('group.create', { slug: 'beside', name: 'beside', mode: 'full', members: [...SLUGS] })
    const { addresses } = await start()
    return enrolAll(addresses.enrol, async (participant, label) => {
      const made = await decide('credential.enrol', { participant, label, scopes: [...SCOPES] })
      return (made as { code: string }).code
    })
  })
  return { members, admins }
}

/** Has two administrators agree to an act, and carry it out; its result. */
type Decide = <A extends ActionName>(action: A, payload: PayloadOf<A>) => Promise<unknown>

/** What administrators do beside the node. */
async function acting<T>(
  env: Readonly<Record<string, string>>,
  [ada, ben]: readonly Uuid[],
  work: (decide: Decide) => Promise<T>,
): Promise<T> {
  if (ada === undefined || ben === undefined) throw new Error('two administrators')
  const config = loadConfig({ ...env })
  const base = await openBase({ config, clock: systemClock, log: silentLog, small: 1 })
  try {
    const { participants } = await openParts(base, { onWake: () => {}, healthy: () => true })
    return await work(async (action, payload) => {
      const { request_id } = await participants.propose(action, payload, ada)
      await participants.approve(request_id, ben, new Date())
      return (await participants.execute(request_id, ada)).result
    })
  } finally {
    await base.close()
  }
}

async function enrolAll(
  origin: string,
  codeFor: (participant: string, label: string) => Promise<string>,
): Promise<Member[]> {
  const secretOf = new Map(SLUGS.map((slug) => [slug, makeSigningKey()]))
  const members: Member[] = []
  for (let i = 0; i < CREDENTIALS; i++) {
    for (const [slug, secret] of secretOf) {
      const [tls, signing] = [await makeTlsKey(), openSigningKey(secret)]
      const result = await enroll({ origin, code: await codeFor(slug, `client-${i}`), tls, signing })
      const { participant: id, uri, kid, programme, certificate, ca, node } = result
      const { node_origin, slug: name } = programme
      const membership = { participant: id, uri, kid, node: origin, node_origin, programme: name }
      members.push({
        ...{ slug, uri, node_origin, programme: name, tls: { key: tls.key, cert: certificate, ca }, signing },
        enrolled: { membership, key: tls.key, signing: secret, certificate, ca, node },
      })
    }
  }
  return members
}
