import type { Command } from 'commander'
import type { OversightClient } from '../../client/oversight.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'
import { OVERSIGHT_PAGE_MAX, type OversightQuery, type RetentionState } from '../../oversight/schema.ts'
import { columns } from '../output.ts'
import { wholeOption } from '../whole-option.ts'
import { type Session, withSession } from './session.ts'

/** Of one run. */
const MOST = 100_000

interface ListOf<T extends object> {
  name: string
  says: string
  page(oversight: OversightClient, query: OversightQuery): Promise<{ rows: readonly T[]; next: Uuid | null }>
  cells(row: T): readonly string[]
}

/** What governance works with, for programs and terminals of an observer; acts are done by persons, in the console or beside the node. */
export function oversightCommands(program: Command): void {
  const oversight = program
    .command('oversight')
    .description('what governance works with, to be read by an observer with governance:read; every look is logged')
  for (const add of LISTS) add(oversight)
  oversight
    .command('onboarding <id>')
    .description('what one organisation has shown, and what is missing')
    .action((id: string, _options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        if (!isUuid(id)) throw new StartRefused('aldis oversight onboardings lists their ids')
        const one = await client.oversight.onboarding(id)
        const rows = one.items.map(({ item, state, digest, version }) => [item, state, digest ?? '', version ?? ''])
        output.data(one, columns([[one.participant, one.outcome ?? 'open', ...one.missing], ...rows]))
      }),
    )
  oversight
    .command('rules')
    .description('the rules that anomalies are found by')
    .action((_options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { rules } = await client.oversight.anomalyRules()
        for (const one of rules) output.data(one, columns([[one.rule, one.title, one.from]]))
      }),
    )
  oversight
    .command('retention')
    .description('what is kept for how long, what the next purge takes, and what legal holds keep')
    .action((_options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const state = await client.oversight.retention()
        output.data(state, retentionText(state))
      }),
    )
  oversight
    .command('policies')
    .description('every published version of agreement, retention, review and taxonomy; for whoever may read the log')
    .action((_options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { policies } = await client.oversight.policies()
        for (const one of policies)
          output.data(one, columns([[one.published_at, one.kind, String(one.version), one.digest, one.event]]))
      }),
    )
}

/** As a person reads it: what holds, what goes next, what went last, and what is kept from it. */
export function retentionText({ policy, preview, run, holds }: RetentionState): string {
  const { reads, signals, refusals, uploads, requests } = preview
  const next = [
    ...reads.map(({ participant, n, kept }) => [`reads of ${participant}`, String(n), kept ? 'kept by a hold' : '']),
    ...signals.map(({ source, type, n }) => [`${type} of ${source}`, String(n)]),
    ...uploads.map(({ participant, n }) => [`uploads of ${participant}`, String(n)]),
    ...requests.map(({ participant, n }) => [`requests of ${participant}`, String(n)]),
    ...(refusals.n === 0 ? [] : [['refused connections', String(refusals.n)]]),
  ]
  const kept = policy.signals.map((one) => [one.type, `${one.default_days} days`, `${one.maximum_days} at most`])
  const placed = holds.map((one) => [one.hold, one.participant, one.what, one.reason, one.lifted_at ?? 'placed'])
  return [
    `Policy ${policy.version}, in force:`,
    columns([...kept, ['reads', `${policy.read_days} days`]]),
    `The next purge takes${next.length === 0 ? ' nothing.' : ':'}`,
    ...(next.length === 0 ? [] : [columns(next)]),
    run === null ? 'No purge since the node started.' : `${purgeOf(run)}.`,
    placed.length === 0 ? 'No legal holds.' : 'Legal holds:',
    ...(placed.length === 0 ? [] : [columns(placed)]),
  ].join('\n')
}

function purgeOf({ started_at, finished_at, removed, done, of, failed }: NonNullable<RetentionState['run']>): string {
  const state = finished_at === null ? `goes on since ${started_at}` : `ended at ${finished_at}`
  return `The last purge ${state}: ${removed} removed, ${done} of ${of} organisations${failed ? ', failed' : ''}`
}

/** A list as a command: all pages of it, a row a line. */
const list =
  <T extends object>(of: ListOf<T>) =>
  (oversight: Command): void => {
    oversight
      .command(of.name)
      .description(of.says)
      .option('--limit <n>', 'at most so many', wholeOption(1, MOST), 100)
      .action(({ limit }: { limit: number }, command: Command) =>
        withSession(command, (session) => tell(session, of, limit)),
      )
  }

async function tell<T extends object>({ client, output }: Session, of: ListOf<T>, limit: number): Promise<void> {
  let [told, next] = [0, undefined as Uuid | null | undefined]
  while (told < limit && next !== null) {
    const query = { limit: Math.min(OVERSIGHT_PAGE_MAX, limit - told), ...(next !== undefined && { after: next }) }
    const page = await of.page(client.oversight, query)
    for (const row of page.rows) output.data(row, columns([of.cells(row)]))
    told += page.rows.length
    next = page.next
  }
  output.say(`${told} ${of.name}${next === null ? '' : '; there are more'}`)
}

const LISTS = [
  list({
    ...{ name: 'onboardings', says: 'what organisations have shown before they are admitted, the newest first' },
    page: async (oversight, query) => {
      const { onboardings: rows, next } = await oversight.onboardings(query)
      return { rows, next }
    },
    cells: (one) => [
      ...[one.onboarding, one.participant, one.kind, one.outcome ?? 'open'],
      one.missing.length === 0 ? 'complete' : `missing ${one.missing.join(' ')}`,
    ],
  }),
  list({
    ...{
      name: 'approvals',
      says: 'requests that wait for persons or for their time, with the digest of what is approved',
    },
    page: async (oversight, query) => {
      const { approvals: rows, next } = await oversight.approvals(query)
      return { rows, next }
    },
    cells: (one) => [one.request, one.requested_at, one.action, one.state, one.organisation, one.digest],
  }),
  list({
    ...{ name: 'anomalies', says: 'what rules found unusual, each with its threshold and what is usual' },
    page: async (oversight, query) => {
      const { cases: rows, next } = await oversight.anomalies(query)
      return { rows, next }
    },
    cells: (one) => [
      ...[one.case, one.day, one.state, one.subject, one.rule],
      `${one.measured}; usual ${one.baseline}, told from ${one.threshold} on`,
    ],
  }),
  list({
    ...{ name: 'subject-requests', says: 'what persons asked by right: kinds and clocks, never who' },
    page: async (oversight, query) => {
      const { requests: rows, next } = await oversight.subjectRequests(query)
      return { rows, next }
    },
    cells: (one) => [one.request, one.kind, `due ${one.due_at}`, one.outcome ?? 'open'],
  }),
  list({
    ...{ name: 'erasures', says: 'what was erased, and who has acknowledged that it is gone' },
    page: async (oversight, query) => {
      const { erasures: rows, next } = await oversight.erasures(query)
      return { rows, next }
    },
    cells: (one) => [
      ...[one.erasure, one.at, one.source, one.basis, `${one.signals} signals`],
      `${one.acknowledged.length} of ${one.notified} acknowledged`,
    ],
  }),
  list({
    ...{ name: 'government-requests', says: 'what authorities asked for and what came of it, without data' },
    page: async (oversight, query) => {
      const { requests: rows, next } = await oversight.governmentRequests(query)
      return { rows, next }
    },
    cells: (one) => [
      ...[one.request, one.country, one.kind, String(one.asked), one.basis],
      one.outcome === null ? 'open' : `${one.outcome}, ${one.given}`,
    ],
  }),
]
