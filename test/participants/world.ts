import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Uuid } from '../../src/kernel/ids.ts'
import { fileKeys } from '../../src/keys/file.ts'
import type { ActionName, PayloadOf } from '../../src/participants/action.ts'
import { createAuthority } from '../../src/participants/authority.ts'
import { initProgramme, type NewProgramme } from '../../src/participants/bootstrap.ts'
import { SIGNAL_TYPES } from '../../src/participants/schema.ts'
import { epochKey, epochOf, openedFields, openRecord } from '../../src/provenance/record.ts'
import { freshDatabase } from '../support/database.ts'
import { NODE_SPKI, recorderOver, serviceOver } from './service-over.ts'

export const NOON = new Date('2026-03-01T12:00:00Z')
export { NODE_SPKI }

export const TAXONOMY = '{"version":1,"categories":[]}'
const RETENTION = JSON.stringify({
  version: 1,
  signal_days: Object.fromEntries(SIGNAL_TYPES.map((type) => [type, { default: 90, maximum: 365 }])),
  read_journal_days: 400,
})

export const PROGRAMME = {
  slug: 'orchard',
  trust_domain: 'orchard.example',
  node_origin: 'https://node.example.org',
  admins: [
    { name: 'Ada', organisation: 'orchard-office' },
    { name: 'Ben', organisation: 'orchard-office' },
  ],
  policies: [
    { kind: 'taxonomy', version: 1, body: TAXONOMY },
    { kind: 'retention', version: 1, body: RETENTION },
  ],
} as const satisfies NewProgramme

export type World = Awaited<ReturnType<typeof aWorld>>

/** A programme of two administrators on its own database, with the real log's recorder and a clock that is turned by hand. */
export async function aWorld() {
  const t = await freshDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
  const keys = fileKeys(join(folder, 'keys'))
  for (const days of [0, 31, 62, 92, 122, 500])
    await keys.create(epochKey(epochOf(new Date(NOON.getTime() + days * 86_400_000))), 'symmetric')
  let now = NOON
  const clock = () => now
  const recorder = recorderOver({ app: t.app, ledger: t.ledger, clock, keys })
  const programme = await initProgramme({ admin: t.admin, clock, recorder }, PROGRAMME)
  const [ada, ben] = programme.admins
  if (ada === undefined || ben === undefined) throw new Error('two administrators')
  const authority = createAuthority({ db: t.app, clock })
  await authority.refresh()
  const hashKeys: string[] = []
  const conformance = { passed: true }
  const stale: unknown[] = []
  const over = { admin: t.admin, app: t.app, clock, recorder, programme, authority }
  const service = serviceOver({ ...over, hashKeys, conformance, stale })

  const events = () =>
    t.owner
      .selectFrom('prov_record as r')
      .innerJoin('prov_outbox as o', 'o.event_id', 'r.event_id')
      .select(['r.event_id', 'r.kind'])
      .execute()

  /** What the log says under a name, of every entry of a kind in the order of their ids. */
  const said = async (kind: string, name: string): Promise<unknown[]> => {
    const rows = await t.owner
      .selectFrom('prov_record')
      .select(['event_id', 'body', 'epoch', 'c'])
      .where('kind', '=', kind)
      .orderBy('event_id')
      .execute()
    return rows.map((row) => openedFields(openRecord(row, row.event_id, keys)).get(name))
  }

  /** Proposed by one administrator, approved by the other, executed. */
  const decide = async <A extends ActionName>(action: A, payload: PayloadOf<A>): Promise<unknown> => {
    const { request_id } = await service.propose(action, payload, ada)
    await service.approve(request_id, ben, now)
    return (await service.execute(request_id, ada)).result
  }

  return {
    ...{ t, clock, events, said, recorder, folder, programme, ada, ben },
    ...{ authority, service, decide, hashKeys, conformance, stale },
    now: () => now,
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms)
    },
    admit: async (slug: string, kind: PayloadOf<'participant.admit'>['kind'] = 'platform'): Promise<Uuid> => {
      const { participant_id } = (await decide('participant.admit', { slug, name: slug, kind })) as {
        participant_id: Uuid
      }
      return participant_id
    },
    /** A one-time code, as its two administrators see it. */
    code: async (participant: string, label = 'main'): Promise<string> => {
      const scopes = ['signals:submit', 'feed:read'] as const
      return ((await decide('credential.enrol', { participant, label, scopes: [...scopes] })) as { code: string }).code
    },
    /** Kinds of the events, sorted, that the work left with a record and waiting for the log. */
    recorded: async (work: () => Promise<unknown>): Promise<string[]> => {
      const before = new Set((await events()).map(({ event_id }) => event_id))
      await work()
      return (await events()).flatMap(({ event_id, kind }) => (before.has(event_id) ? [] : [kind])).sort()
    },
    end: async () => {
      await authority.stop()
      await t.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
