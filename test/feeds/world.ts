import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { fileErasures } from '../../src/erasure/list-file.ts'
import { createErasures } from '../../src/erasure/service.ts'
import { createBuckets } from '../../src/feeds/buckets.ts'
import { createFeedEraser } from '../../src/feeds/erase.ts'
import { createGrowth } from '../../src/feeds/growth.ts'
import { createKnownKeys } from '../../src/feeds/known-keys.ts'
import { createProjector } from '../../src/feeds/project.ts'
import type { EventsPage, EventsQuery, LookupResult } from '../../src/feeds/schema.ts'
import { createSealer } from '../../src/feeds/segment.ts'
import { createSegmentFiles } from '../../src/feeds/segment-files.ts'
import { createFeedService, type Reader } from '../../src/feeds/service.ts'
import { createPatternChecker } from '../../src/jobs/pattern-check.ts'
import { fromBase64Url, toBase64Url, toHex, utf8 } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { fileKeys } from '../../src/keys/file.ts'
import { oversightActs } from '../../src/oversight-acts.ts'
import type { ActionName, PayloadOf } from '../../src/participants/action.ts'
import { createAuthority } from '../../src/participants/authority.ts'
import { initProgramme } from '../../src/participants/bootstrap.ts'
import { pinOfRequest } from '../../src/participants/certificate-request.ts'
import { createSettling } from '../../src/participants/request.ts'
import { type AudienceMode, OPRF_SUITE } from '../../src/participants/schema.ts'
import { createParticipantService } from '../../src/participants/service.ts'
import { fileAnchor } from '../../src/provenance/anchor-file.ts'
import { createRecordEraser } from '../../src/provenance/erase.ts'
import { createIntegrator } from '../../src/provenance/integrate.ts'
import { epochKey, epochOf, openRecord } from '../../src/provenance/record.ts'
import { createProvenanceService, openLog } from '../../src/provenance/service.ts'
import { countersign } from '../../src/signals/countersignature.ts'
import { createSignalEraser } from '../../src/signals/erase.ts'
import { createExpiry } from '../../src/signals/expire.ts'
import { createHolds } from '../../src/signals/hold.ts'
import { rulesOf } from '../../src/signals/rules.ts'
import type { SignalItem, SignalType, Submission, SubmissionResult } from '../../src/signals/schema.ts'
import { createSignalService, type Submitter } from '../../src/signals/service.ts'
import { type SigningKey, type SubmissionType, signSubmission } from '../../src/signals/submission.ts'
import type { UploadPosition } from '../../src/signals/upload.ts'
import { createUploadJobs } from '../../src/signals/upload-jobs.ts'
import { ensureValueKeys } from '../../src/signals/value-rewrap.ts'
import { forgetValues } from '../../src/signals/values.ts'
import { anEnrolment, aSigner, type Signer } from '../participants/keys.ts'
import {
  anItem,
  aWithdrawal,
  type Change,
  DAY,
  decoded,
  instantAt,
  NOON,
  ORIGIN,
  PROGRAMME,
  textOf,
  uriOf,
} from '../signals/factory.ts'
import { approveAs } from '../support/approve.ts'
import { freshDatabase } from '../support/database.ts'

const LOG_ID = 1
const NODE_SPKI = toHex(sha256(utf8('the key of the node')))
const published = (name: string): string => readFileSync(join(import.meta.dirname, `../../config/${name}.json`), 'utf8')

/** Everything that stands in the way of an act, switched by hand. */
/** What is published of an OPRF key; nothing is evaluated here. */
const PUBLISHED = {
  public_key: Buffer.alloc(32, 7),
  shares: [{ index: 1, public_key: toBase64Url(Buffer.alloc(32, 7)) }],
}

export interface Weather {
  /** Whether the log can be written. */
  healthy: boolean
  /** Whether look-ups follow it. */
  following: boolean
  /** Called before each countersignature: a node that fails while it answers. */
  beforeCountersignature: () => void
}

export interface Party extends Submitter {
  signer: Signer
  key: SigningKey
}

export type World = Awaited<ReturnType<typeof aWorld>>

/** A node on its own database with its real log, authority, signals and feeds; loops are turned by hand, and so is the clock. */
export async function aWorld() {
  const t = await freshDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
  const keys = fileKeys(join(folder, 'keys'))
  let now = NOON
  const clock = () => now
  for (const days of [0, 31, 62, 92, 122]) {
    await keys.create(epochKey(epochOf(new Date(NOON.getTime() + days * DAY))), 'symmetric')
  }
  await keys.create('receipt', 'ed25519')
  await ensureValueKeys(keys, NOON)
  const weather: Weather = { healthy: true, following: true, beforeCountersignature: () => {} }
  const origin = 'node.example.org/provenance/1'
  const provenance = createProvenanceService({
    ...{ db: t.app, ledger: t.ledger, clock, keys, logId: LOG_ID, origin },
    onWake: () => {},
    healthy: () => weather.healthy,
    following: () => weather.following,
  })
  const programme = await initProgramme(
    { admin: t.admin, clock, recorder: provenance },
    {
      ...{ slug: PROGRAMME, trust_domain: 'orchard.example', node_origin: ORIGIN },
      admins: [
        { name: 'Ada', organisation: 'orchard-office' },
        { name: 'Ben', organisation: 'orchard-office' },
      ],
      policies: [
        { kind: 'taxonomy', version: 1, body: published('taxonomy') },
        { kind: 'retention', version: 1, body: published('retention') },
      ],
    },
  )
  await openLog(t.admin, { logId: LOG_ID, origin, at: now, anchor: fileAnchor(join(folder, 'anchor')) })
  const [ada, ben] = programme.admins
  if (ada === undefined || ben === undefined) throw new Error('two administrators')
  const authority = createAuthority({ db: t.app, clock })
  await authority.refresh()
  const rules = rulesOf(authority)
  const listed = fileErasures(join(folder, 'anchor', 'erasures'))
  const erasures = createErasures({
    ...{ app: t.app, admin: t.admin, clock, recorder: provenance, directory: authority, listed },
    records: createRecordEraser({ keys, logId: LOG_ID }),
    signals: createSignalEraser({ categorySlug: rules.categorySlug }),
    feeds: createFeedEraser(authority),
    requests: createSettling({ recorder: provenance, programme }),
    participants: () => authority.participants(),
  })
  const participants = createParticipantService({
    ...{ admin: t.admin, app: t.app, clock, recorder: provenance, programme, authority },
    nonceKey: randomBytes(32),
    randomBytes: (n) => randomBytes(n),
    nodeSpki: () => NODE_SPKI,
    rootCertificate: () => 'the root\n',
    issue: async ({ csrPem, uri }) => ({
      chain: `leaf of ${uri}\n`,
      spki: toHex(await pinOfRequest(csrPem)),
      notAfter: new Date(now.getTime() + 7 * DAY),
    }),
    nextLog: async () => ({ origin: 'node.example.org/provenance/1', next: 'node.example.org/provenance/2' }),
    oversight: oversightActs({ recorder: provenance, attempted: async () => {} }),
    ...{ scanReaders: erasures.scan, eraseSignals: erasures.erase },
    releaseSignal: createHolds(provenance).release,
    conformant: async () => true,
    forgetValues,
    nodeKeys: () => ({ log_vkey: 'node.example.org/provenance/1+00000000+AAAA', receipt_keys: [] }),
    makeHashKey: async (_, suite) => (suite === OPRF_SUITE ? PUBLISHED : undefined),
  })
  /** Proposed by one administrator, approved by the other or by governance, executed. */
  const decide = async <A extends ActionName>(action: A, payload: PayloadOf<A>): Promise<unknown> => {
    const { request_id } = await participants.propose(action, payload, ada)
    await approveAs(participants, request_id, { second: ben, at: now })
    return (await participants.execute(request_id, ada)).result
  }
  await decide('hash-profile.publish', {
    ...{ kid: 'spring', suite: 'hmac-sha256' },
    ...{ not_before: instantAt(-DAY), not_after: instantAt(365 * DAY) },
  })

  const signals = createSignalService({
    ...{ db: t.app, clock, keys, provenance, rules, categoryId: rules.categoryId, categorySlug: rules.categorySlug },
    patterns: createPatternChecker(),
    timeoutMs: 10_000,
    verifyContext: ({ participant, uri }) => ({
      ...{ iss: uri, aud: ORIGIN, prg: PROGRAMME, now },
      findKey: (kid) => authority.signingKey(participant, kid),
    }),
    countersign: async (input) => {
      weather.beforeCountersignature()
      return countersign(input, { kid: 'receipt', iss: ORIGIN, sign: (data) => keys.sign('receipt', data) })
    },
  })
  const expire = createExpiry({ db: t.app, clock, provenance, categorySlug: rules.categorySlug })
  const growth = createGrowth()
  const onError = (error: unknown): void => {
    throw error
  }
  const segments = createSegmentFiles({ dir: join(folder, 'segments'), maxBytes: 1e9, onError })
  const known = createKnownKeys({ db: t.projector, logId: LOG_ID })
  await known.load()
  const counted = { pages: [] as number[], lookups: [] as (readonly [keys: number, matches: number])[] }
  const cursorKey = randomBytes(32)
  const feeds = createFeedService({
    ...{ db: t.app, ledger: t.ledger, clock, provenance, directory: authority, growth, known, segments, cursorKey },
    timeoutMs: 10_000,
    values: signals.values,
    deltaKey: { kid: 'receipt', sign: (data) => keys.sign('receipt', data) },
    onPage: (n) => counted.pages.push(n),
    onLookUps: (looked) => counted.lookups.push(...looked.map(({ keys, matches }) => [keys, matches] as const)),
  })
  const integrator = createIntegrator({ db: t.integrator, logId: LOG_ID, salt: provenance.salt })
  const aProjector = () =>
    createProjector({
      ...{ db: t.projector, clock, logId: LOG_ID, provenance, directory: authority, categoryId: rules.categoryId },
      onCarried: ({ feeds, keys, from, to }) => {
        known.add(keys, from, to)
        growth.grew(feeds)
      },
    })
  const projector = aProjector()

  const admit = async (slug: string, kind: PayloadOf<'participant.admit'>['kind'] = 'platform'): Promise<Party> => {
    const { participant_id } = (await decide('participant.admit', { slug, name: slug, kind })) as {
      participant_id: Uuid
    }
    const scopes: PayloadOf<'credential.enrol'>['scopes'] = [
      ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'reveal'] as const),
    ]
    const { code } = (await decide('credential.enrol', { participant: slug, label: 'main', scopes })) as {
      code: string
    }
    const signer = aSigner()
    const { uri, credential } = await participants.enrol(await anEnrolment(code, signer))
    const sign = async (data: Uint8Array) => fromBase64Url(signer.sign(data)) ?? new Uint8Array(0)
    const key = { kid: signer.kid, alg: 'Ed25519' as const, sign }
    return { participant: participant_id, slug, uri, credential: credential as Uuid, scopes, signer, key }
  }

  /** Signed by the party; items may be given as text. */
  const sign = (by: Party, items: readonly unknown[], typ: SubmissionType = 'aldis-signal+jws'): Promise<Submission> =>
    signSubmission({
      ...{ typ, iss: by.uri, aud: ORIGIN, prg: PROGRAMME, key: by.key, now },
      items: items.map((item) => (typeof item === 'string' ? item : textOf(item))),
    })

  /** Which credentials may not submit any more. */
  const ended = new Set<Uuid>()
  const uploads = createUploadJobs({
    ...{ db: t.app, projector: t.projector, clock, signals },
    submitter: (participant, credential) => {
      const slug = authority.slugOf(participant)
      const uri = uriOf(slug)
      return ended.has(participant) ? undefined : { participant, slug, credential, uri }
    },
    wake: () => {},
  })

  const own = (by: Party, signal: Uuid) => signals.own(by.participant, signal)
  const submit = async (by: Party, items: readonly unknown[], upload?: UploadPosition): Promise<SubmissionResult> =>
    signals.submit(by, await sign(by, items), upload)

  const someBuckets = (options: { most?: number; widest?: number; restMs?: number }) =>
    createBuckets({
      ...{ db: t.projector, clock, directory: authority, random: (n: number) => randomBytes(n) },
      ...options,
    })

  return {
    ...{ t, clock, keys, provenance, authority, participants, decide, admit, ada, ben },
    ...{ programme, erasures, listed, segments, folder },
    ...{ uploads, ended },
    ...{ rules, signals, expire, feeds, growth, known, counted, cursorKey, weather, aProjector, sign, submit, own },
    integrate: () => integrator.round(),
    divide: (most?: number) => someBuckets(most === undefined ? {} : { most }).round(),
    someBuckets,
    seal: () => createSealer({ db: t.projector, provenance, directory: authority }).round(),
    now: () => now,
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms)
    },
    /** A group with its audience and feed. */
    group: async (
      slug: string,
      members: readonly Party[],
      mode: AudienceMode = 'full',
    ): Promise<{ audience: Uuid; feed: Uuid }> => {
      const { audience_id } = (await decide('group.create', {
        ...{ slug, name: slug, mode },
        members: members.map((one) => one.slug),
      })) as { audience_id: Uuid }
      return { audience: audience_id, feed: authority.feedOf(audience_id) }
    },
    regroup: (group: string, { join = [], leave = [] }: { join?: readonly Party[]; leave?: readonly Party[] }) =>
      decide('group.change', {
        group,
        ...{ join: join.map(({ slug }) => slug), leave: leave.map(({ slug }) => slug) },
        ...(join.length > 0 && { history: 'included' as const }),
      }),
    /** An item dated by the world's clock. */
    item: <T extends SignalType = 'url'>(change: Change, type: T = 'url' as T): Extract<SignalItem, { type: T }> =>
      anItem(
        {
          ...{ signal: newId(now), observed_at: instantAt(-DAY, now), expires_at: instantAt(30 * DAY, now) },
          ...change,
        },
        type,
      ),
    /** The next revision of an item that stands. */
    revise: async (by: Party, item: SignalItem, change: Change = {}): Promise<SubmissionResult> => {
      const { revision, leaf } = await own(by, item.signal)
      return submit(by, [{ ...item, revision: revision + 1, prev: leaf, ...change }])
    },
    withdraw: async (by: Party, signal: Uuid, change: Change = {}): Promise<SubmissionResult> => {
      const { revision, leaf } = await own(by, signal)
      const item = aWithdrawal({ signal, revision: revision + 1, prev: leaf, ...change })
      return signals.submit(by, await sign(by, [item], 'aldis-withdrawal+jws'))
    },
    /** The programme's switch on the collection context of `item`. */
    hold: async (held: boolean): Promise<void> => {
      const { region, legal_basis, surface } = anItem().context
      await sql`insert into hold_switch (region, legal_basis, surface, held, last_event)
        values (${region}, ${legal_basis}, ${surface}, ${held}, ${newId(now)})
        on conflict (region, legal_basis, surface) do update set held = excluded.held`.execute(t.owner)
      await sql`update authority_epoch set epoch = epoch + 1`.execute(t.owner)
      await authority.refresh()
    },
    /** Everything that is committed now reaches log and feeds. */
    project: async (): Promise<number> => {
      while ((await integrator.round()) > 0);
      let entries = 0
      for (let n = await projector.round(); n > 0; n = await projector.round()) entries += n
      return entries
    },
    reader: ({ participant, slug }: Party, route = '/v1/feeds/:feed/events'): Reader => ({ participant, slug, route }),
    page: async (by: Party, feed: Uuid, query: EventsQuery = {}): Promise<EventsPage> => {
      const { body } = await feeds.events({ ...by, route: '/v1/feeds/:feed/events' }, feed, query)
      return JSON.parse(String(body)) as EventsPage
    },
    find: async (
      by: Party,
      queries: readonly { type: string; profile: string; keys: readonly string[] }[],
    ): Promise<LookupResult> => {
      const lookup = { queries, purpose: 'investigation' } as never
      const { body } = await feeds.lookUp({ ...by, route: '/v1/lookups' }, lookup)
      return JSON.parse(String(body)) as LookupResult
    },
    /** Kinds of the records that the work left, sorted. */
    recorded: async (work: () => Promise<unknown>): Promise<string[]> => {
      const all = () => t.owner.selectFrom('prov_record').select(['event_id', 'kind']).execute()
      const before = new Set((await all()).map(({ event_id }) => event_id))
      await work()
      return (await all()).flatMap(({ event_id, kind }) => (before.has(event_id) ? [] : [kind])).sort()
    },
    /** What one record says, opened. */
    opened: async (event_id: Uuid): Promise<Record<string, unknown>> => openedRecord({ t, keys }, event_id),
    /** Everything that feeds and look-ups hold, to be compared. */
    projection: async () => ({
      heads: await t.owner
        .selectFrom('feed_head')
        .select(['feed_id', 'next_seq', 'applied_idx', 'sealed_seq'])
        .orderBy('feed_id')
        .execute(),
      entries: await t.owner.selectFrom('feed_entry').selectAll().orderBy('feed_id').orderBy('seq').execute(),
      submissions: await t.owner
        .selectFrom('feed_submission')
        .selectAll()
        .orderBy('feed_id')
        .orderBy('submission_id')
        .execute(),
      shared: await t.owner
        .selectFrom('shared_signal')
        .selectAll()
        .orderBy('signal_key')
        .orderBy('signal_id')
        .execute(),
      next: await t.owner.selectFrom('projector').selectAll().execute(),
    }),
    /** The database refuses one kind of write while the work goes on: the process finds it as it would a crash. */
    without: async (what: string, grantee: string, work: () => Promise<unknown>): Promise<void> => {
      await sql.raw(`revoke ${what} from ${grantee}`).execute(t.owner)
      await work().finally(() => sql.raw(`grant ${what} to ${grantee}`).execute(t.owner))
    },
    end: async () => {
      await authority.stop()
      await t.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function openedRecord(
  { t, keys }: Pick<Awaited<ReturnType<typeof aWorld>>, 't' | 'keys'>,
  event_id: Uuid,
): Promise<Record<string, unknown>> {
  const row = await t.owner
    .selectFrom('prov_record')
    .select(['kind', 'body', 'epoch', 'c'])
    .where('event_id', '=', event_id)
    .executeTakeFirstOrThrow()
  const fields = openRecord(row, event_id, keys).flatMap(([, text]): [string, unknown][] => {
    if (text === null) return []
    const [, name, value] = JSON.parse(decoded(text)) as [string, string, unknown]
    return [[name, value]]
  })
  return { kind: row.kind, ...Object.fromEntries(fields) }
}
