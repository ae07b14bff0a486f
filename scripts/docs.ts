import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { FeedbackService } from '../src/feedback/service.ts'
import type { FeedService } from '../src/feeds/service.ts'
import type { Limit } from '../src/http/limits.ts'
import { CATALOGUE } from '../src/kernel/errors.ts'
import type { EvaluationService } from '../src/matching/service.ts'
import type { HashProfiles } from '../src/participants/hash-profile.ts'
import type { ParticipantService } from '../src/participants/service.ts'
import type { Auditor } from '../src/provenance/auditor.ts'
import type { Ledger } from '../src/provenance/ledger.ts'
import type { ReviewService } from '../src/review/service.ts'
import type { SignalService } from '../src/signals/service.ts'

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
  { path: 'docs/settings.md', make: async () => (await settings()).markdown },
  { path: 'config/example.env', make: async () => (await settings()).env },
  { path: 'docs/openapi.json', make: openApi },
  { path: 'migrations/schema.sql', make: schema },
  { path: 'src/matching/pdq-wasm.ts', make: pdqModule },
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
  const [{ openApiDocument, routesOf }, participants, matching, signals, feeds, feedback, review, provenance] =
    await Promise.all([
      import('../src/http/openapi.ts'),
      import('../src/participants/routes.ts'),
      import('../src/matching/routes.ts'),
      import('../src/signals/routes.ts'),
      import('../src/feeds/routes.ts'),
      import('../src/feedback/routes.ts'),
      import('../src/review/routes.ts'),
      import('../src/provenance/routes.ts'),
    ])
  const partner = await routesOf('partner', (app) => {
    app.register(participants.credentialRoutes, { participants: uncalled<ParticipantService>() })
    app.register(participants.hashProfileRoutes, { hashProfiles: uncalled<HashProfiles>() })
    app.register(matching.evaluationRoutes, { evaluations: uncalled<EvaluationService>() })
    app.register(signals.signalRoutes, { signals: uncalled<SignalService>() })
    app.register(feeds.feedRoutes, { feeds: uncalled<FeedService>() })
    app.register(feedback.feedbackRoutes, { feedback: uncalled<FeedbackService>() })
    app.register(review.reviewRoutes, { review: uncalled<ReviewService>() })
    app.register(provenance.provenanceRoutes, { ledger: uncalled<Ledger>(), prefix: '/provenance/1' })
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

/** The search in an index of PDQ hashes, assembled: what runs is committed, so that neither build nor tests need the assembler. */
async function pdqModule(): Promise<string> {
  const { default: open } = await import('wabt')
  const text = await readFile(join(ROOT, 'src/matching/pdq.wat'), 'utf8')
  const module = (await open()).parseWat('pdq.wat', text)
  module.resolveNames()
  module.validate()
  const { buffer } = module.toBinary({})
  module.destroy()
  return lines(
    `/** ${MADE_BY} from pdq.wat, which says what it does. */`,
    'export const PDQ_WASM =',
    `  '${Buffer.from(buffer).toString('base64')}'`,
  )
}

function lines(...text: readonly string[]): string {
  return `${text.join('\n')}\n`
}
