import type { VNode } from 'preact'
import { dayOf } from '../../kernel/day.ts'
import type { Refusal } from '../../kernel/errors.ts'
import { filterText, type LogFilter, parseFilter, wordsOf } from '../../provenance/explore-filter.ts'
import type { LogPage, LogRow, Looker } from '../../provenance/explorer.ts'
import { type Href, links } from '../links.ts'
import { kindLabel, STATE_WORDS } from '../log-words.ts'
import { Badge } from '../parts/badge.tsx'
import { Chips, FindForm, type View, Views } from '../parts/filter.tsx'
import { Icon } from '../parts/icon.tsx'
import type { LogHealth } from '../parts/log-strip.tsx'
import { Empty, Note } from '../parts/note.tsx'
import { Pager, Table } from '../parts/table.tsx'
import { numberText } from '../parts/text.tsx'
import { Facets } from './explorer-facets.tsx'

export interface ExplorerView {
  filter: LogFilter
  below: bigint | undefined
  /** Absent where the filter could not be read. */
  page: LogPage | undefined
  unread?: { typed: string; refusal: Refusal }
  sees: Looker['sees']
  /** The looker's organisation. */
  own: string
  health: LogHealth
  log: { id: number; vkey: string }
  contact: string | undefined
  now: Date
}

/** What happened in the log, the newest first. */
export const ExplorerPage = (view: ExplorerView): VNode => (
  <div class="explorer" data-log={view.log.id} data-vkey={view.log.vkey}>
    <p class="lead">{LEAD[view.sees]}</p>
    <Views views={viewsOf(view)} />
    {view.sees === 'all' && (
      <p class="explorer-files">
        <a href={links.readers()}>Who read a signal, exactly</a>
      </p>
    )}
    <FindForm
      action={links.findEntries()}
      text={filterText(view.filter)}
      unread={view.unread?.typed}
      example="actor:aster kind:signal.* recipient:birch at>=2026-11-01 -kind:read.batch"
      help={
        view.unread === undefined
          ? ''
          : `${view.unread.refusal.detail ?? 'not understood'} (${view.unread.refusal.code})`
      }
    />
    <Chips
      terms={wordsOf(view.filter).map(({ word, without }) => ({ text: word, without: linkTo(without) }))}
      all={links.explorer()}
    />
    {view.page === undefined ? (
      <Empty title="That filter was not understood">Nothing is shown until it is.</Empty>
    ) : (
      <Found {...view} page={view.page} />
    )}
  </div>
)

const LEAD: Readonly<Record<Looker['sees'], string>> = {
  all: 'All entries of the log. Each page that you open is an entry of it too.',
  metadata:
    'What kind of entry, when, by whom and for whom; never what it says. Each page that you open is an entry too.',
  own: 'The entries that concern your organisation: what it did, and what others did with what is yours. Whom else those concern is not told.',
}

const linkTo = (filter: LogFilter): Href => links.explorer({ q: filterText(filter) || undefined })

const PRESETS: readonly (readonly [title: string, q: string])[] = [
  ['Shared', 'kind:signal.submitted'],
  ['Withdrawn', 'kind:signal.withdrawn'],
  ['Read by recipients', 'kind:read.batch'],
  ['Disputes', 'kind:dispute.*'],
  ['Bulk', 'kind:bulk.*'],
  ['Refused', 'kind:approval.refused'],
  ['Exports', 'kind:audit.read'],
]

function viewsOf({ filter, now }: ExplorerView): View[] {
  const today = `at>=${dayOf(now)}`
  const text = filterText(filter)
  const known = PRESETS.filter(([, q]) => isKnown(q))
  return [['Everything', ''] as const, ['Today', today] as const, ...known].map(([title, q]) => ({
    ...{ title, current: text === q },
    href: links.explorer({ q: q === '' ? undefined : q }),
  }))
}

/** A kind that nothing of this node records has no view. */
function isKnown(q: string): boolean {
  try {
    parseFilter(q)
    return true
  } catch {
    return false
  }
}

const Found = (view: ExplorerView & { page: LogPage }): VNode => {
  const { page, below, filter } = view
  const failed = page.rows.filter(({ state }) => state === 'failed').length
  const q = filterText(filter) || undefined
  const n = `${numberText(page.found.n)}${page.found.more ? '+' : ''}`
  return (
    <>
      {failed > 0 && <Failed n={failed} contact={view.contact} />}
      <p id="verify-result" role="status" class="verify-result" />
      <div class="explorer-bar">
        <span class="muted">
          {numberText(page.rows.length)} shown of {n} {page.found.more && 'that were looked at '}· log of{' '}
          {numberText(page.size)} entries
        </span>
        {page.rows.length > 0 && <Files {...view} failed={failed > 0} />}
      </div>
      {page.rows.length === 0 ? <Nothing {...view} /> : <Entries {...view} />}
      <Pager
        label="Pages of entries"
        first={below === undefined ? undefined : links.explorer({ q })}
        next={page.next === undefined ? undefined : links.explorer({ q, below: String(page.next) })}
      />
      {page.rows.length > 0 && <Facets page={page} filter={filter} />}
    </>
  )
}

const Failed = ({ n, contact }: { n: number; contact: string | undefined }): VNode => (
  <Note tone="crit" title={`FAILED: ${n} ${n === 1 ? 'entry does' : 'entries do'} not fit the signed log`}>
    <p>Do not rely on what is shown. {whomToCall(contact)}</p>
  </Note>
)

export const whomToCall = (contact: string | undefined): string =>
  contact === undefined
    ? "Tell the operator of the node and the programme's governance, and keep this page."
    : `Call ${contact}, tell the programme's governance, and keep this page.`

/** Nothing that failed leaves as if it were verified. */
const Files = ({ filter, page, failed }: ExplorerView & { page: LogPage; failed: boolean }): VNode => {
  const q = filterText(filter) || undefined
  const [first] = page.rows
  const here = { q, form: 'proofs', below: String((first?.index ?? 0n) + 1n), rows: String(page.rows.length) }
  return (
    <span class="explorer-files">
      {!failed && (
        <button type="button" class="button" id="verify-page" data-bundle={links.logFile(here)} hidden>
          <Icon name="ok" /> Verify this page here
        </button>
      )}
      <a href={links.logFile({ q, form: 'csv' })} download>
        CSV
      </a>
      <a href={links.logFile({ q, form: 'ndjson' })} download>
        NDJSON
      </a>
      {failed ? (
        <span class="muted">no proof bundle: something failed</span>
      ) : (
        <a href={links.logFile({ q, form: 'proofs' })} download>
          Proof bundle
        </a>
      )}
      <a href={links.explorer({ q, below: here.below })} title="This page as it is now, whatever comes after it">
        Permalink
      </a>
    </span>
  )
}

const COLUMNS = [
  { title: '#', numeric: true, hint: 'The number of the entry; it never changes' },
  { title: 'Time (UTC)' },
  { title: 'Actor' },
  { title: 'What' },
  { title: 'To', hint: 'Who was given it, or is told of it; looked up beside the log, and covered by no check' },
  {
    title: 'Check',
    hint: 'Whether time, actor and kind, the record and the signed log fit together, and who found that',
  },
]

const Entries = ({ page, now }: ExplorerView & { page: LogPage }): VNode => (
  <Table id="entries" label="Entries of the log" columns={COLUMNS}>
    {page.rows.map((row) => (
      <Entry key={String(row.index)} row={row} now={now} />
    ))}
  </Table>
)

const Entry = ({ row, now }: { row: LogRow; now: Date }): VNode => {
  const { index, at, actor, kind, recipients, event } = row
  return (
    <tr
      id={`entry-${index}`}
      data-row
      data-entry={String(index)}
      data-event={event}
      data-kind={kind}
      data-actor={actor}
      data-at={at.toISOString()}
    >
      <td class="number">
        <a href={links.logEntry(index)} data-open-row>
          {numberText(index)}
        </a>
      </td>
      <td>
        <time dateTime={at.toISOString()}>{at.toISOString().slice(0, 19).replace('T', ' ')}</time>
      </td>
      <td>{actor}</td>
      <td>
        {kindLabel(kind)} <code class="muted">{kind}</code>
      </td>
      <td class="wrap">
        <Recipients names={recipients} />
      </td>
      <td>
        <StateBadge state={row.state} now={now} />
      </td>
    </tr>
  )
}

const SHOWN = 3

const Recipients = ({ names }: { names: readonly string[] }): VNode => {
  if (names.length === 0) return <span class="muted">–</span>
  if (names.length <= SHOWN) return <>{names.join(', ')}</>
  return (
    <span
      title={names.join(', ')}
    >{`${names.slice(0, SHOWN - 1).join(', ')} and ${names.length - SHOWN + 1} more`}</span>
  )
}

const StateBadge = ({ state, now }: { state: LogRow['state']; now: Date }): VNode => {
  const { label, tone, icon, why } = STATE_WORDS[state]
  return (
    <Badge tone={tone} icon={icon} title={why}>
      {label(now.toISOString().slice(11, 16))}
    </Badge>
  )
}

const Nothing = ({ page, filter }: ExplorerView & { page: LogPage }): VNode =>
  page.next === undefined ? (
    <Empty title="No entry fits this view">
      <a href={links.explorer()}>Show all of them</a>
    </Empty>
  ) : (
    <Empty title="None among the entries that were looked at">
      A page looks at 10 000 entries.{' '}
      <a href={links.explorer({ q: filterText(filter) || undefined, below: String(page.next) })}>Look further back</a>
    </Empty>
  )
