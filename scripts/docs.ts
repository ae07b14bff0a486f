import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { FeedbackService } from '../src/feedback/service.ts'
import type { EventStreams } from '../src/feeds/event-stream.ts'
import type { FeedService } from '../src/feeds/service.ts'
import type { GovernanceService } from '../src/governance/service.ts'
import type { Limit } from '../src/http/limits.ts'
import { CATALOGUE } from '../src/kernel/errors.ts'
import type { EvaluationService } from '../src/matching/service.ts'
import type { OversightReads } from '../src/oversight/service.ts'
import type { HashProfiles } from '../src/participants/hash-profile.ts'
import type { ParticipantService } from '../src/participants/service.ts'
import type { Auditor } from '../src/provenance/auditor.ts'
import type { Explorer } from '../src/provenance/explorer.ts'
import type { Ledger } from '../src/provenance/ledger.ts'
import type { Publishing } from '../src/publishing/service.ts'
import type { ReviewService } from '../src/review/service.ts'
import type { Conformance } from '../src/sandbox/service.ts'
import type { SignalService } from '../src/signals/service.ts'
import type { UploadJobs } from '../src/signals/upload-jobs.ts'
import type { UploadStreams } from '../src/signals/upload-streams.ts'
import type { LimitsInUse } from '../src/usage/limits.ts'
import type { RequestLog } from '../src/usage/service.ts'
import type { Webhooks } from '../src/webhooks/service.ts'

/** A generated document: its path from the root and what makes it. Making one writes nothing into the tree. */
interface Document {
  path: string
  make(): Promise<string>
}

const ROOT = join(import.meta.dirname, '..')
const MADE_BY = 'Made by `npm run docs`'

/** Units in which a limit is easier to read than in the one it is counted in, the largest first. */
const SCALES: Readonly<Record<string, readonly (readonly [size: number, unit: string])[]>> = {
  bytes: [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ],
  seconds: [
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ],
  milliseconds: [
    [1_000, 's'],
    [1, 'ms'],
  ],
}

/** Every generated document. A module is loaded by the document that needs it, so that each can be made alone. */
const DOCUMENTS: readonly Document[] = [
  { path: 'docs/errors.md', make: errors },
  { path: 'docs/limits.md', make: limits },
  { path: 'docs/reports.md', make: reports },
  { path: 'docs/settings.md', make: async () => (await settings()).markdown },
  { path: 'config/example.env', make: async () => (await settings()).env },
  { path: 'docs/openapi.json', make: openApi },
  { path: 'migrations/schema.sql', make: schema },
  { path: 'src/kernel/sha256-rows-wasm.ts', make: () => wasmModule('src/kernel/sha256-rows.wat', 'SHA256_ROWS_WASM') },
  { path: 'src/matching/pdq-wasm.ts', make: () => wasmModule('src/matching/pdq.wat', 'PDQ_WASM') },
]

const [option, ...names] = process.argv.slice(2)
const check = option === '--check'
const wanted = check || option === undefined ? names : [option, ...names]
const chosen = wanted.length === 0 ? DOCUMENTS : DOCUMENTS.filter(({ path }) => wanted.includes(path))
if (chosen.length === 0) throw new Error(`no such document; there are ${DOCUMENTS.map(({ path }) => path).join(', ')}`)
for (const { path, make } of chosen) await (check ? compare(path, await make()) : write(path, await make()))

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(ROOT, path)), { recursive: true })
  await writeFile(join(ROOT, path), text)
}

async function compare(path: string, text: string): Promise<void> {
  const present = await readFile(join(ROOT, path), 'utf8').catch(() => '')
  if (present === text) return
  console.error(`${path} is stale from line ${firstDifference(present, text)} on: npm run docs`)
  process.exitCode = 1
}

function firstDifference(a: string, b: string): number {
  const [left, right] = [a.split('\n'), b.split('\n')]
  const at = left.findIndex((line, i) => line !== right[i])
  return (at === -1 ? left.length : at) + 1
}

async function reports(): Promise<string> {
  const { METRICS } = await import('../src/reports/metric.ts')
  const { REPORT_FORMATS, SUPPRESSED_BELOW } = await import('../src/reports/schema.ts')
  return lines(
    '# Transparency reports',
    '',
    `${MADE_BY} from \`src/reports/metric.ts\`.`,
    '',
    'A report is computed from an export of the log, by whoever has one, and names the checkpoint that its figures are frozen at. The same export, period and',
    'threshold make the same bytes, so that anybody with an export recomputes it to the digit.',
    '',
    '```console',
    'aldis log export log --records',
    'aldis report make 2026-h2.json --log log --from 2026-07-01 --to 2027-01-01',
    'aldis report verify 2026-h2.json --log log',
    'aldis report show 2026-h2.json --as html > 2026-h2.html',
    '```',
    '',
    'To publish it, somebody of governance proposes `report.publish` with the digest that `make` tells, and somebody of governance of another organisation approves',
    'it; the log then names period, size, digest and format (`report.published`), the first format where none is named:',
    '',
    '```console',
    `aldis propose report.publish '{"from":"2026-07-01T00:00:00Z","to":"2027-01-01T00:00:00Z","log_size":1284113,"digest":"286d2d4f..","format":"${REPORT_FORMATS.at(-1)}"}' --by PERSON`,
    '```',
    '',
    `Counts from 1 to ${SUPPRESSED_BELOW - 1} are withheld (\`--k\` sets another threshold), medians of as few times too. Where a table would lack one cell, or`,
    'cells whose sum is as small, the next smallest are withheld as well, for the total would tell them. A report of the format `aldis-report/1`, as earlier releases made it, withholds one cell besides a',
    'lone one and no more; it is recomputed by that rule. Of what was done, a count that was not reported is none of 0: each says how many platforms reported it.',
    'A period that reaches back into a log that was closed is refused: report up to its end, and from it on.',
    '',
    'In the console, governance has a draft computed by the node, from what it kept of the same entries and by the same rules, looks at its charts and tables, and proposes it; whoever approves it',
    'recomputes the file first. A published report is given to everybody who takes part (`GET /v1/reports`), fetched by `aldis log export --records`, and recomputed by every',
    'audit (check 16).',
    '',
    '## Reports of participants',
    '',
    '`aldis report dsa --participant ME --from 2026-01-01 --to 2027-01-01 --service NAME --out FOLDER` writes what a platform needs of the exchange for its own report under Articles 15 and 24 of Regulation',
    '(EU) 2022/2065, from its own verified history (`aldis history`), in the CSV tables of Annex I to Implementing Regulation (EU) 2024/2835, with their names and columns:',
    '',
    '| Table | Row | Made of |',
    '|---|---|---|',
    '| `5_own_initiative_illegal` | `STATEMENT_CATEGORY_PROTECTION_OF_MINORS` | decisions with `confirmed_action_taken` because of `law` that stand: content removed (Removal), links blocked (Disable), accounts acted on |',
    '| `6_own_initiative_TC` | the same | because of `own_policy` |',
    '| `7_appeals_and_recidivism` | complaints, `Decisions reversed` | decisions that a later one with `appeal_upheld` replaces |',
    '| `8_automated_means` | `Number of measures not taken by automated means`, own initiative | those measures that persons decided in the console |',
    '',
    'Rows and cells that an exchange of signals knows nothing of (orders, notices, other complaints, accuracy, staff, recipients, text) are left out or empty: they are not 0, and the platform adds its own',
    'records. Whether an account was suspended or closed is not told either: the number stands beside, as contextual information. Decisions for the reason `other` are in neither table; they are told',
    'apart (`ground_not_told`). `--json` gives the tables with their columns as data, with the log (`log`) and those before it (`former`) that they are made of, and how far.',
    '',
    'Names of tables, columns, indicators and categories are those of a public copy of the official CSV templates, and of the programs that read published reports of 2025; the official text itself, and whether',
    'its instructions (Annex II) count measures so, could not be compared here: hold a file against the templates in force before it is published.',
    '',
    '## Figures',
    '',
    '`in` is the period, by the field `time` of an entry; its first moment is part of it, its last is not.',
    '',
    '| Figure | Counts | What it is | Made of |',
    '|---|---|---|---|',
    ...METRICS.map(({ id, unit, definition, query }) => `| \`${id}\` | ${unit} | ${definition} | ${query} |`),
  )
}

async function errors(): Promise<string> {
  const rows = Object.entries(CATALOGUE)
    .toSorted(([a, [x]], [b, [y]]) => x - y || (a < b ? -1 : 1))
    .map(([code, [status, title]]) => `| ${status} | \`${code}\` | ${title} |`)
  return lines(
    '# Errors',
    '',
    `${MADE_BY} from \`src/kernel/errors.ts\`.`,
    '',
    'Refusals are problem documents (RFC 9457, `application/problem+json`). `type` is `/problems/<code>`; the code is the contract,',
    'title and detail are for people. `errors` names offending members by JSON pointer. No answer repeats a value of the request.',
    '',
    '| Status | Code | Meaning |',
    '|---|---|---|',
    ...rows,
  )
}

async function limits(): Promise<string> {
  const { LIMIT_GROUPS } = await import('../src/http/limits.ts')
  const groups = LIMIT_GROUPS.flatMap(([heading, text, own]) => [
    '',
    `## ${heading}`,
    '',
    text,
    '',
    '| Name | Limit | Beyond it |',
    '|---|---|---|',
    ...Object.entries(own).map(([name, limit]) => `| \`${name}\` | ${amountOf(limit)} | ${beyond(limit)} |`),
  ])
  return lines(
    '# Limits',
    '',
    `${MADE_BY} from \`src/http/limits.ts\`.`,
    '',
    'What is beyond a limit is refused with a problem document ([errors.md](errors.md)) whose member `limit` may repeat the number, or its',
    'connection is closed.',
    ...groups,
  )
}

/** In the largest unit that leaves a whole number, `16 KiB` for 16,384 bytes. */
function amountOf({ value, unit }: Limit): string {
  const [size, name] = SCALES[unit]?.find(([size]) => value % size === 0) ?? [1, unit]
  return `${(value / size).toLocaleString('en')} ${name}`
}

function beyond({ codes, note }: Limit): string {
  const refused = codes.map((code) => `${CATALOGUE[code][0]} \`${code}\``).join(' or ')
  return [refused, note ?? ''].filter((part) => part !== '').join('; ')
}

async function settings(): Promise<{ markdown: string; env: string }> {
  const { settingsDocument } = await import('../src/config.ts')
  return settingsDocument()
}

/** Of the routes as their plugins register them: the document is made without a database, a key or a certificate. */
async function openApi(): Promise<string> {
  const [
    { openApiDocument, routesOf },
    about,
    participants,
    matching,
    signals,
    feeds,
    feedback,
    review,
    provenance,
    governance,
    sandbox,
    webhooks,
    publishing,
    usage,
    oversight,
  ] = await Promise.all([
    import('../src/http/openapi.ts'),
    import('../src/http/about.ts'),
    import('../src/participants/routes.ts'),
    import('../src/matching/routes.ts'),
    import('../src/signals/routes.ts'),
    import('../src/feeds/routes.ts'),
    import('../src/feedback/routes.ts'),
    import('../src/review/routes.ts'),
    import('../src/provenance/routes.ts'),
    import('../src/governance/routes.ts'),
    import('../src/sandbox/routes.ts'),
    import('../src/webhooks/routes.ts'),
    import('../src/publishing/routes.ts'),
    import('../src/usage/routes.ts'),
    import('../src/oversight/routes.ts'),
  ])
  const partner = await routesOf('partner', (app) => {
    app.register(about.aboutRoutes, {
      ...{ programme: () => ({ slug: '', node_origin: '' }), log: '', policies: () => [] },
    })
    app.register(participants.credentialRoutes, { participants: uncalled<ParticipantService>() })
    app.register(participants.hashProfileRoutes, { hashProfiles: uncalled<HashProfiles>() })
    app.register(matching.evaluationRoutes, { evaluations: uncalled<EvaluationService>() })
    const sending = { signals: uncalled<SignalService>(), uploading: uncalled<UploadStreams>() }
    app.register(signals.signalRoutes, sending)
    app.register(signals.uploadRoutes, { ...sending, uploads: uncalled<UploadJobs>() })
    app.register(feeds.feedRoutes, { feeds: uncalled<FeedService>(), streams: uncalled<EventStreams>() })
    app.register(feedback.feedbackRoutes, { feedback: uncalled<FeedbackService>() })
    app.register(review.reviewRoutes, { review: uncalled<ReviewService>() })
    app.register(provenance.provenanceRoutes, { ledger: uncalled<Ledger>(), prefix: '/provenance/1' })
    app.register(provenance.explorerRoutes, { explorer: uncalled<Explorer>() })
    app.register(governance.governanceRoutes, { governance: uncalled<GovernanceService>() })
    app.register(publishing.publishingRoutes, { publishing: uncalled<Publishing>() })
    app.register(oversight.oversightRoutes, { oversight: uncalled<OversightReads>() })
    app.register(sandbox.conformanceRoutes, { conformance: uncalled<Conformance>() })
    app.register(webhooks.webhookRoutes, { webhooks: uncalled<Webhooks>(), webhookKey: '' })
    app.register(usage.usageRoutes, { requestLog: uncalled<RequestLog>(), limitsInUse: uncalled<LimitsInUse>() })
    app.register(provenance.auditRoutes, { auditor: uncalled<Auditor>(), prefix: '/provenance/1' })
  })
  const enrol = await routesOf('enrol', (app) => {
    app.register(participants.enrolmentRoutes, { participants: uncalled<ParticipantService>() })
  })
  return `${JSON.stringify(openApiDocument([...partner, ...enrol]), null, 2)}\n`
}

/** A service for plugins whose handlers never run. */
function uncalled<T extends object>(): T {
  return {} as T
}

/** The schema as a fresh database has it after all migrations. */
async function schema(): Promise<string> {
  const [{ startEmbedded }, { connect }, { ensureDatabase, ensureRoles }, { migrate }, { schemaSql }, { migrations }] =
    await Promise.all([
      import('../src/db/embedded.ts'),
      import('../src/db/connect.ts'),
      import('../src/db/roles.ts'),
      import('../src/db/migrate.ts'),
      import('../src/db/schema-sql.ts'),
      import('../migrations/index.ts'),
    ])
  const folder = await mkdtemp(join(tmpdir(), 'aldis-docs-'))
  const server = await startEmbedded({ dataDir: folder })
  try {
    const admin = connect({ url: server.url('postgres', 'postgres'), max: 1 })
    await ensureRoles(admin)
    await ensureDatabase(admin, 'aldis')
    await admin.destroy()
    const db = connect({ url: server.url('postgres', 'aldis'), max: 2 })
    await migrate(db, migrations, () => new Date())
    const text = await schemaSql(db)
    await db.destroy()
    return text
  } finally {
    await server.destroy()
    await rm(folder, { recursive: true, force: true })
  }
}

/** What is written in WebAssembly's text, assembled: what runs is committed, so that neither build nor tests need the assembler. */
async function wasmModule(path: string, name: string): Promise<string> {
  const { default: open } = await import('wabt')
  const module = (await open()).parseWat(basename(path), await readFile(join(ROOT, path), 'utf8'))
  module.resolveNames()
  module.validate()
  const { buffer } = module.toBinary({})
  module.destroy()
  return lines(
    `/** ${MADE_BY} from ${basename(path)}, which says what it does. */`,
    `export const ${name} =`,
    `  '${Buffer.from(buffer).toString('base64')}'`,
  )
}

function lines(...text: readonly string[]): string {
  return `${text.join('\n')}\n`
}
