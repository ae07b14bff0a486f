import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')

/** Features left to right: one may know those left of it, never those right of it. */
const FEATURES = [
  'provenance',
  'participants',
  'access',
  'matching',
  'signals',
  'feeds',
  'erasure',
  'feedback',
  'review',
  'notices',
  'webhooks',
  'sandbox',
  'usage',
  'governance',
  'registers',
  'publishing',
  'anomalies',
  'oversight',
  'peers',
  'interop',
  'console',
]

/**
 * Files of a feature that are named neither schema, store, service nor routes and yet touch the world (keys, clock,
 * database, Node). Every other file of a feature is pure. The one list to extend, with a reason.
 */
const EFFECTFUL: Readonly<Record<string, string>> = {
  'src/provenance/ed25519.ts': 'signs and verifies with node:crypto',
  'src/provenance/anchor-file.ts': 'remembers outside the database what was signed',
  'src/provenance/explore.ts': 'loop: entries of the log to where they are found by',
  'src/provenance/explore-check.ts': 'part of the service: rows held against the signed tree',
  'src/provenance/explorer.ts': 'part of the service: entries as people look for them',
  'src/provenance/halts.ts': 'remembers outside the database why the log was halted',
  'src/provenance/read-back.ts': 'reads back what was committed, and recomputes it',
  'src/provenance/held.ts': 'holds what witnesses have against the log',
  'src/provenance/integrate.ts': 'loop: outbox to log',
  'src/provenance/append.ts': 'what a batch adds to the log',
  'src/provenance/read-batch.ts': 'part of the journal: reads to one entry',
  'src/provenance/kept-read.ts': 'part of the journal: opens what is kept of a read',
  'src/provenance/decoys.ts': 'part of the journal: decoys of its records, made ahead',
  'src/provenance/flush.ts': 'loop: journal of reads to entries',
  'src/provenance/rotate.ts': "one log's end and the next one's beginning",
  'src/provenance/sign.ts': 'loop: log to checkpoint',
  'src/provenance/standing.ts': "for the operator's copies: how far each log has come, recomputed",
  'src/provenance/ledger.ts': 'part of the service: the log as it is given out',
  'src/provenance/ask-witness.ts': 'asks one witness over HTTP',
  'src/provenance/lanes.ts': 'asks the witnesses of a policy',
  'src/provenance/outage.ts': 'records that the quorum was missing',
  'src/provenance/policy-file.ts': 'part of the settings: reads the policy of the node',
  'src/provenance/publish.ts': 'loop: signed to witnessed to published',
  'src/provenance/tiles-now.ts': 'part of the service: tiles from their rows, and from the head',
  'src/provenance/opened.ts': 'part of the service: records opened for whoever counts',
  'src/provenance/cut.ts': 'part of the service: records opened for whoever asks',
  'src/provenance/audited.ts': 'what auditors are told of other features, by these features',
  'src/provenance/auditor.ts': 'part of the service: records and state as auditors are given them',
  'src/provenance/own-chain.ts': 'part of the service: the chain of one party',
  'src/provenance/item-proof.ts': 'part of the service: opens a batch of reads for a source',
  'src/provenance/ledgers.ts': 'part of the service: the logs of a node side by side',
  'src/provenance/erase.ts': 'part of an erasure: records, and who obtained what',
  'src/provenance/journal.ts': 'writes reads down before the first byte leaves',
  'src/provenance/retire-keys.ts': 'loop: keys of months of which something was erased',
  'src/provenance/expire-reads.ts': 'loop: ends reads whose time is over',
  'src/provenance/record.ts': 'the part of the service that seals and stores a record within a transaction',
  'src/participants/audited.ts': 'part of the service: the programme as auditors see it',
  'src/participants/act.ts': 'one logged change of reference tables: transaction, epoch, record',
  'src/anomalies/sightings.ts': 'part of the service: counts and networks that no entry tells of',
  'src/participants/due.ts': 'part of the service: acts that wait for their time',
  'src/participants/undo.ts': 'part of the service: what a request changes, and what brings it back',
  'src/participants/feed-pause.ts': 'part of the service: feeds that two persons pause, and what that keeps from whom',
  'src/participants/group.ts': 'part of the service: groups, and what a change of one would do',
  'src/governance/sight.ts': 'part of the service: who may see a signal, and by which rule',
  'src/sandbox/passed.ts': 'part of the service: whether somebody showed that its programs work',
  'src/participants/onboarding.ts': 'part of the service: what is shown before an admission',
  'src/participants/pin.ts': 'part of an enrolment: the keys of somebody',
  'src/participants/read-back.ts': 'part of the service: keys that wait for their fingerprint',
  'src/participants/directory.ts': 'part of the service: participants as those who administer see them',
  'src/participants/request.ts': 'part of an act: what is asked of other persons, with its entry',
  'src/participants/approval.ts': 'part of the service: requests, votes, execution',
  'src/participants/audience.ts': 'part of the service: groups and named audiences',
  'src/participants/authority.ts': 'loop: reference tables to the snapshot in memory',
  'src/participants/bootstrap.ts': 'the programme and its first people, once',
  'src/participants/credential.ts': 'part of the service: revocation and signing keys',
  'src/participants/enrolment.ts': 'part of the service: one-time codes and certificates',
  'src/participants/handshake-audit.ts': 'keeps who was refused before any request',
  'src/participants/hash-profile.ts': 'part of the service: key epochs, whose keys are given out by journaled reads',
  'src/participants/erasure.ts': 'part of the service: erasures that two persons decided',
  'src/participants/policy-list.ts': 'part of the service: versions of policies as people see them',
  'src/participants/oversight.ts': 'part of the service: acts that two persons decided, which other features carry out',
  'src/participants/hold.ts': 'part of the service: releases of held signals that two persons decided',
  'src/participants/member.ts': 'part of the service: admission to departure',
  'src/participants/person.ts': 'part of the service: people and roles',
  'src/participants/login.ts': 'part of the service: which account is which person',
  'src/participants/request-list.ts': 'part of the service: requests as people see them',
  'src/participants/rotation.ts': 'part of the service: rotations of the log that two persons decided',
  'src/participants/publication.ts': 'part of the service: hash profiles and policies',
  'src/matching/flush.ts': 'loop: evaluated batches to entries',
  'src/signals/attested.ts': 'part of the service: ends that people decide',
  'src/signals/audited.ts': 'part of the service: signals as auditors see them',
  'src/signals/checked.ts': 'part of the service: what a submission is held to before the database is asked',
  'src/signals/dry-run.ts': 'part of the service: what would become of a submission',
  'src/signals/erase.ts': "part of an erasure: the source's own rows",
  'src/signals/expire.ts': 'loop: ends what is over',
  'src/signals/forget-uploads.ts': 'loop: forgets uploads that rest',
  'src/signals/upload-jobs.ts': 'part of the service: uploads that are left with the node',
  'src/signals/upload-parts.ts': 'part of the service: rows of such an upload',
  'src/signals/upload-work.ts': 'loop: works off what was left',
  'src/signals/source-hold.ts': 'part of a change: holds what a source shares, and lets it go',
  'src/signals/values.ts': 'part of the service: raw links that sources keep sealed',
  'src/signals/value-rewrap.ts': 'loop: keys under which data keys of sealed values are',
  'src/signals/hold.ts': 'part of a change: holds a signal and lets it go',
  'src/feeds/facts.ts': 'part of the service: what a participant may know of a signal that it names',
  'src/feeds/pattern-read.ts': 'part of the service: patterns and tactics as people read them',
  'src/feeds/reveal.ts': 'part of the service: raw links that are opened, each as an entry',
  'src/feeds/object-read.ts': 'part of the service: signals as objects of other protocols',
  'src/feeds/event-stream.ts': 'part of the routes: feeds as server-sent events',
  'src/feeds/event-read.ts': 'part of the service: events one by one',
  'src/feeds/reach.ts': 'part of the service: who is known to have what a source said',
  'src/feedback/tell.ts': 'part of the service: what is said, in the transaction that says it',
  'src/feedback/signed-acts.ts': 'part of the service: what participants sign of the signals of others',
  'src/feedback/answers.ts': 'part of the service: what sources answer to disputes',
  'src/feedback/questions.ts': 'part of the service: what sources answer to questions',
  'src/feedback/said.ts': 'part of the service: what was said, as it is given out',
  'src/feedback/follow.ts': 'loop: what others say of a signal, to its source',
  'src/feedback/sent.ts': 'part of the service: what became of what a source sent',
  'src/governance/reconcile.ts': 'part of that loop: counts again, and compares',
  'src/registers/holds.ts': 'part of the service: what may not be removed',
  'src/registers/government.ts': 'part of the service: requests of authorities',
  'src/registers/subject.ts': 'part of the service: requests of persons',
  'src/oversight/told.ts': 'part of the service: rows as they cross the wire',
  'src/anomalies/count.ts': 'part of that loop: what each organisation does by the hour',
  'src/governance/who-read.ts': 'part of the service: who obtained one signal, proved',
  'src/governance/count.ts': 'part of that loop: who shared what with whom',
  'src/publishing/facts.ts': 'part of that loop: what reports are made of',
  'src/publishing/facts-anew.ts': 'part of that loop: opens all again, and compares',
  'src/review/seen.ts': 'a question that feedback asks, whose rows are of the review',
  'src/review/case.ts': 'part of the service: opens and moves cases',
  'src/review/hits.ts': 'part of the service: what platforms find',
  'src/review/leases.ts': 'part of the service: who works on a case',
  'src/review/decisions.ts': 'part of the service: verdicts, second persons, undoing',
  'src/review/read.ts': 'part of the service: cases as they are given out',
  'src/review/queue.ts': 'part of the service: pages of cases, and what waits',
  'src/review/figures.ts': 'part of the service: what cases come to',
  'src/review/bulk.ts': 'part of the service: cases that are decided alike',
  'src/review/bulk-move.ts': 'part of that service: moves jobs, with their entries',
  'src/review/bulk-plan.ts': 'part of that service: what would become of cases',
  'src/review/bulk-told.ts': 'part of that service: jobs as they are told',
  'src/review/samples.ts': 'part of the service: closed decisions that are made a second time, blind',
  'src/review/bulk-work.ts': 'loop: cases of jobs, one after the other',
  'src/review/deciding.ts': 'part of a change: writes decisions down, and takes them back',
  'src/review/release.ts': 'loop: decisions whose grace is over',
  'src/review/notices.ts': 'part of the service: what people are told of cases',
  'src/usage/forget-requests.ts': 'part of the purge: requests that were listed for their time',
  'src/usage/limits.ts': 'part of the service: what is used of limits, as the counters say',
  'src/webhooks/endpoints.ts': 'part of the service: endpoints, each change with its entry',
  'src/webhooks/post.ts': 'posts to one receiver over HTTPS',
  'src/webhooks/deliver.ts': 'loop: notices to messages, and messages to receivers',
  'src/webhooks/feeds.ts': 'part of that loop: feeds that grew, to messages',
  'src/review/follow.ts': 'loop: what the log tells of, to cases',
  'src/review/lifecycle.ts': 'part of that loop: what sources change or take back',
  'src/review/open-for.ts': 'part of that loop: a case for a reason',
  'src/review/forget.ts': 'part of that loop, and a loop: match keys of what was erased',
  'src/review/again.ts': 'part of a change: a case shows what is said now, or is opened for what came meanwhile',
  'src/feeds/audited.ts': 'part of the service: acknowledgements as auditors see them',
  'src/erasure/list-file.ts': 'remembers outside the database what was erased',
  'src/feeds/erase.ts': 'part of an erasure: entries, segments and match keys',
  'src/feeds/known-keys.ts': 'part of the service: which keys are shared with whom, in memory',
  'src/feeds/lookup.ts': 'part of the service: keys to live signals',
  'src/feeds/sealed-lookup.ts': 'part of the service: buckets of sealed entries, and signals that are opened',
  'src/feeds/network-read.ts': 'part of the service: what is related to a signal',
  'src/feeds/buckets.ts': 'loop: live sealed entries to buckets',
  'src/feeds/project.ts': 'loop: log to feeds and match keys',
  'src/feeds/project-read.ts': 'part of that loop: entries to planned events',
  'src/feeds/project-place.ts': 'part of that loop: planned events to their places',
  'src/feeds/shared.ts': 'part of the service: what a source finds of itself in feeds',
  'src/feeds/segment-read.ts': 'part of the service: sealed segments, one or several in a run',
  'src/feeds/segment-files.ts': 'part of the service: sealed segments as files beside the process',
  'src/feeds/segment.ts': 'loop: seals full segments of a feed',
}

/** Folders of `src` that are no feature. */
const PARTS = [
  'kernel',
  'identifiers',
  'keys',
  'db',
  'http',
  'jobs',
  'operations',
  'client',
  'audit',
  'bridge',
  'ca',
  'cli',
  'console',
  'holder',
  'reports',
  'witness',
]

/** Where the parts are joined, and the only files that see them all. */
const APP =
  /^src\/(administering|app|background|console|console-oversight|console-reviewing|console-screens|console-sending|core|governing|parts|loops|listeners|metering|notifying|overseeing|oversight-acts|registering|retention|review-loops|reviewing|sandboxing|uploading|watching|worker|exploring)\.ts$/

/** Layers, inner first. An import goes to the same or an inner one. */
const LAYER = { kernel: 0, pure: 1, store: 2, service: 3, edge: 4, app: 5, main: 6 } as const

/** Programs beside the node, and the only parts of ours that each may use. */
const FENCED: readonly { from: RegExp; to: RegExp; why: string }[] = [
  { from: /^src\/kernel\//, to: /^src\/kernel\//, why: 'the kernel imports nothing of ours' },
  { from: /^src\/identifiers\//, to: /^src\/(kernel|identifiers)\//, why: 'identifiers rest on the kernel alone' },
  { from: /^src\/ca\//, to: /^src\/(kernel|ca)\//, why: "the programme's CA is a program of its own" },
  {
    from: /^src\/client\//,
    to: /^src\/(kernel|identifiers|client)\/|\/schema\.ts$|^src\/jobs\/pattern-check\.ts$|^src\/matching\/(text-match|pattern|pattern-diff|hit-rate|suppression|sealed|sealed-table|bucket|exact|match-file|pdq|record|refused|tag)\.ts$|^src\/signals\/(submission|open-submission|stream|countersignature|suppressed|try-patterns|value-rule)\.ts$|^src\/interop\/stix\/(from-stix|pattern)\.ts$|^src\/matching\/oprf\.ts$|^src\/feeds\/delta\.ts$|^src\/feedback\/sent-schema\.ts$|^src\/review\/(bulk|sample)-schema\.ts$|^src\/provenance\/(merkle|tile|note|origin|checkpoint|proof|commitment|chain|events|readset|asked|receipt|log-source|verified-log|policy|add-checkpoint|evidence|bundle)\.ts$/,
    why: 'the client has no server code but pure verification',
  },
  {
    from: /^src\/audit\//,
    to: /^src\/(kernel|audit|reports)\/|^src\/provenance\/(tile|note|origin|checkpoint|proof|policy|log-source|verified-log|merkle|commitment|chain|readset|signal-change|journal-rule|schema|events|batch)\.ts$|^src\/participants\/(action|approval-rule|schema)\.ts$/,
    why: 'an audit rests on pure verification, without node, network or file',
  },
  {
    from: /^src\/reports\//,
    to: /^src\/(kernel|reports)\//,
    why: 'a report is made of entries, without node, network or file',
  },
  {
    from: /^src\/holder\//,
    to: /^src\/(kernel|keys|holder)\/|^src\/matching\/(oprf|schema)\.ts$|^src\/http\/(peer|problem|tls-context)\.ts$/,
    why: 'a holder has nothing of the node but the evaluation',
  },
  {
    from: /^src\/bridge\//,
    to: /^src\/(kernel|client|bridge)\/|\/schema\.ts$|^src\/jobs\/pattern-check\.ts$|^src\/http\/problem\.ts$|^src\/matching\/(text-match|pattern|refused)\.ts$|^src\/signals\/(submission|stream)\.ts$|^src\/interop\/(stix|threatexchange|stopncii)\/|^src\/interop\/taxii\/(answer|collection-id|cursor|envelope|instant|media-type|port|protocol|query|resource|standing|version-rule)\.ts$/,
    why: 'a bridge has nothing of the node: it stands on the client',
  },
  {
    from: /^src\/witness\//,
    to: /^src\/(kernel|witness)\/|^src\/client\/files\.ts$|^src\/provenance\/(merkle|note|checkpoint|add-checkpoint)\.ts$/,
    why: 'a witness has nothing of the node that it watches',
  },
]

/** What also runs in a browser. */
const BROWSER =
  /^src\/identifiers\/|^src\/matching\/(oprf|text-match|pattern|hit-rate|pattern-diff)\.ts$|^src\/provenance\/(merkle|tile|note|origin|checkpoint|proof|commitment|chain|events|readset|asked|receipt|log-source|verified-log|policy|add-checkpoint|evidence|proof-steps|bundle)\.ts$/

const IMPORT = /^(?:import|export)\s+(type\s)?(?:[\w\s{},*$]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm

interface Edge {
  from: string
  to: string
  typeOnly: boolean
  /** Loaded only when it is asked for. */
  later?: boolean
}

const files = ['src', 'migrations', 'scripts'].flatMap((folder) =>
  globSync(`${folder}/**/*.{ts,tsx}`, { cwd: ROOT }).map((path) => path.replaceAll('\\', '/')),
)
const sourceOf = new Map(files.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]))

/** Package and `node:` imports keep their name; relative ones become paths from the root. */
const edges: readonly Edge[] = files.flatMap((from) => edgesOf(from, sourceOf.get(from) ?? ''))
const imports = edges.filter(({ to }) => isOurs(to))

function edgesOf(from: string, source: string): Edge[] {
  return [...source.matchAll(IMPORT)].map(([, type, named, dynamic]) => {
    const name = named ?? dynamic ?? ''
    return {
      from,
      to: name.startsWith('.') ? join(dirname(from), name) : name,
      typeOnly: type !== undefined,
      later: dynamic !== undefined,
    }
  })
}

function isOurs(path: string): boolean {
  return /^(src|migrations|scripts|config)\//.test(path)
}

const featureOf = (path: string): string | undefined => FEATURES.find((feature) => path.startsWith(`src/${feature}/`))

function layerOf(path: string): number {
  if (/^(src\/(main\.ts$|cli\/)|scripts\/)/.test(path)) return LAYER.main
  if (APP.test(path)) return LAYER.app
  if (path.startsWith('src/kernel/') || path.startsWith('config/')) return LAYER.kernel
  if (/^src\/(identifiers|reports)\//.test(path) || path.endsWith('/schema.ts')) return LAYER.pure
  if (/^(src\/(db|keys|ca)|migrations)\//.test(path) || path.endsWith('store.ts')) return LAYER.store
  if (featureOf(path) === undefined || path.startsWith('src/console/')) return LAYER.edge
  if (path.endsWith('/routes.ts')) return LAYER.edge
  return path.endsWith('/service.ts') || path in EFFECTFUL ? LAYER.service : LAYER.pure
}

/** Every rule that the import breaks, as sentences. */
function broken({ from, to, typeOnly }: Edge): string[] {
  const [mine, theirs] = [featureOf(from), featureOf(to)]
  const foreign = dirname(from) !== dirname(to)
  const joins = APP.test(from) || layerOf(from) === LAYER.main
  const says: string[] = []
  if (layerOf(to) > layerOf(from)) says.push('imports point inwards')
  if (foreign && to.endsWith('store.ts')) says.push('SQL stays in its feature')
  // The folders of the console are one feature.
  const isOther = foreign && (mine === undefined || mine !== theirs)
  if (isOther && !joins && !typeOnly && theirs !== undefined && layerOf(to) >= LAYER.service)
    says.push('features meet by interface')
  if (mine !== undefined && theirs !== undefined && FEATURES.indexOf(theirs) > FEATURES.indexOf(mine))
    says.push('no feature looks right')
  for (const fence of FENCED) if (fence.from.test(from) && !fence.to.test(to)) says.push(fence.why)
  return says
}

/** Everything that a file brings with it at run time, itself included. */
function closure(start: string, when?: 'at once'): Set<string> {
  const seen = new Set([start])
  for (const path of seen)
    for (const { from, to, typeOnly, later } of edges)
      if (from === path && !typeOnly && !(when === 'at once' && later === true)) seen.add(to)
  return seen
}

test('the expression finds the imports of the tree', () => {
  expect(imports.length).toBeGreaterThan(20)
  expect(imports.filter(({ to }) => !existsSync(join(ROOT, to)))).toEqual([])
  for (const [path, source] of sourceOf) {
    const lines = source.split('\n').filter((line) => /^(import\b|(import|export)\b.* from '|\} from ')/.test(line))
    const ends = lines.filter((line) => line.endsWith("'")).length
    expect(edges.filter(({ from }) => from === path).length, path).toBeGreaterThanOrEqual(ends)
  }
})

test.for([...imports])('$from may import $to', (edge) => {
  expect(broken(edge)).toEqual([])
})

describe('a planted import is found', () => {
  const planted: readonly [from: string, to: string, typeOnly: boolean, rule: string][] = [
    ['src/kernel/ids.ts', 'src/signals/schema.ts', true, 'the kernel imports nothing of ours'],
    ['src/identifiers/email.ts', 'src/signals/schema.ts', true, 'identifiers rest on the kernel alone'],
    ['src/signals/lifecycle.ts', 'src/signals/store.ts', true, 'imports point inwards'],
    ['src/signals/lifecycle.ts', 'src/db/connect.ts', true, 'imports point inwards'],
    ['src/signals/store.ts', 'src/signals/service.ts', true, 'imports point inwards'],
    ['src/signals/service.ts', 'src/signals/routes.ts', true, 'imports point inwards'],
    ['src/http/mtls.ts', 'src/app.ts', true, 'imports point inwards'],
    ['src/app.ts', 'src/main.ts', true, 'imports point inwards'],
    ['src/signals/service.ts', 'src/provenance/store.ts', true, 'SQL stays in its feature'],
    ['src/cli/node/init.ts', 'src/participants/store.ts', false, 'SQL stays in its feature'],
    ['src/signals/service.ts', 'src/provenance/service.ts', false, 'features meet by interface'],
    ['src/http/authenticate.ts', 'src/participants/service.ts', false, 'features meet by interface'],
    ['src/provenance/service.ts', 'src/signals/service.ts', true, 'no feature looks right'],
    ['src/participants/service.ts', 'src/signals/schema.ts', true, 'no feature looks right'],
    ['src/client/client.ts', 'src/signals/service.ts', true, 'the client has no server code but pure verification'],
    ['src/client/verify.ts', 'src/provenance/ed25519.ts', false, 'the client has no server code but pure verification'],
    ['src/ca/main.ts', 'src/db/connect.ts', false, "the programme's CA is a program of its own"],
    ['src/bridge/bridge.ts', 'src/feeds/service.ts', true, 'a bridge has nothing of the node: it stands on the client'],
    [
      'src/audit/tree.ts',
      'src/client/log-source.ts',
      true,
      'an audit rests on pure verification, without node, network or file',
    ],
  ]
  test.for(planted)('%s to %s: %s', ([from, to, typeOnly, rule]) => {
    expect(broken({ from, to, typeOnly })).toContain(rule)
  })

  test('and what the rules allow is not', () => {
    const allowed: readonly [from: string, to: string, typeOnly: boolean][] = [
      ['src/signals/service.ts', 'src/provenance/service.ts', true],
      ['src/signals/service.ts', 'src/signals/store.ts', false],
      ['src/signals/service.ts', 'src/provenance/merkle.ts', false],
      ['src/client/verify.ts', 'src/provenance/receipt.ts', false],
      ['src/app.ts', 'src/signals/service.ts', false],
      ['src/cli/node/init.ts', 'src/app.ts', false],
      ['src/main.ts', 'migrations/index.ts', false],
    ]
    for (const [from, to, typeOnly] of allowed) expect(broken({ from, to, typeOnly }), `${from} ${to}`).toEqual([])
  })
})

test.for(files.filter((path) => BROWSER.test(path)))('%s runs in a browser', (path) => {
  const nodeOnly = [...closure(path)].filter(
    (to) => to.startsWith('node:') || (isOurs(to) && /\bBuffer\b|\bprocess\./.test(code(to))),
  )
  expect(nodeOnly).toEqual([])
})

test('the thread of the loops loads no library that only requests need', () => {
  const loaded = [...closure('src/worker.ts', 'at once')].filter((to) => !isOurs(to) && !to.startsWith('node:'))
  const here = ['kysely', 'pg', 'pino', 'tldts', 'typebox', 'typebox/compile']
  expect(loaded.sort()).toEqual(here)
})

test('a node without console and sandbox loads neither, nor the curve that it may never need', () => {
  const loaded = closure('src/main.ts', 'at once')
  const absent = ['src/console.ts', 'src/sandboxing.ts', 'preact', 'openid-client', 'libphonenumber-js/max']
  for (const path of [...absent, 'libsodium-wrappers-sumo']) expect(loaded).not.toContain(path)
})

test('pg is imported in src/db alone', () => {
  const found = edges.filter(({ from, to }) => /^pg(-|$)/.test(to) && !from.startsWith('src/db/'))
  expect(found).toEqual([])
})

test('lines are read in one place, which ends them at newlines alone', () => {
  expect(edges.filter(({ to }) => to.startsWith('node:readline'))).toEqual([])
})

test('the console is written to by the command line alone', () => {
  expect(
    files.filter(
      (path) => !/^(src\/cli|scripts)\//.test(path) && /\bconsole\.(log|info|warn|error|debug)\b/.test(code(path)),
    ),
  ).toEqual([])
})

test('the process is ended by main files alone', () => {
  expect(files.filter((path) => !/(^|\/)main\.ts$/.test(path) && /\bprocess\.exit\(/.test(code(path)))).toEqual([])
})

test('no rule of the linter or the compiler is switched off', () => {
  const off = /biome-ignore|@ts-(ignore|expect-error|nocheck)/
  expect(files.filter((path) => off.test(sourceOf.get(path) ?? ''))).toEqual([])
})

test('every folder of src is a feature or a part that the rules know', () => {
  const folders = new Set(files.flatMap((path) => /^src\/([^/]+)\//.exec(path)?.[1] ?? []))
  expect([...folders].filter((folder) => ![...FEATURES, ...PARTS].includes(folder))).toEqual([])
})

test('npm start, the image and the benchmark start the node alike', () => {
  const { start } = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } })
    .scripts
  const words = start.split(' ')
  const said = {
    env: words.slice(0, words.indexOf('node')),
    flags: words.filter((word) => word.startsWith('--') && !word.startsWith('--env-file')),
  }
  const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  const [, env = ''] = /^ENV NODE_ENV=production (.*)$/m.exec(image) ?? []
  const command = JSON.parse(/^CMD (\["node".*dist\/src\/main.js"\])$/m.exec(image)?.[1] ?? '[]') as string[]
  expect({ env: env.split(' '), flags: command.slice(1, -1) }).toEqual(said)
  const bench = readFileSync(join(ROOT, 'test/bench/node-process.ts'), 'utf8')
  expect(bench).toContain(`execArgv: [${said.flags.map((flag) => `'${flag}'`).join(', ')}]`)
  expect(bench).toContain(`env: { ${said.env.map((one) => one.replace(/=(.*)/, ": '$1'")).join(', ')}, `)
})

test('a file listed as touching the world exists', () => {
  expect(Object.keys(EFFECTFUL).filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

/** The source without its comments. */
function code(path: string): string {
  return (sourceOf.get(path) ?? '').replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
}
