import type { VNode } from 'preact'
import type { Sides } from '../../feedback/opinion.ts'
import type { Undoable } from '../../review/read.ts'
import type { CaseInfo, QueueCounts } from '../../review/schema.ts'
import { type Href, links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Form } from '../parts/form.tsx'
import { Icon } from '../parts/icon.tsx'
import { Empty } from '../parts/note.tsx'
import { Pager, Table } from '../parts/table.tsx'
import { instantText, spanText } from '../parts/text.tsx'
import { type QueueFilter, termsOf } from '../queue-filter.ts'
import type { SavedView } from '../saved-views.ts'
import type { Viewer } from '../viewer.ts'
import { plain, STATE_WORDS, typeLabel } from '../words.ts'
import { CaseLink, Due, SeverityMark, shortId } from './case-parts.tsx'
import { QueueTools } from './queue-tools.tsx'
import { UndoBar } from './undo-bar.tsx'

export interface QueueView {
  viewer: Viewer
  filter: QueueFilter
  /** As it was typed, where it could not be read. */
  unread?: string
  cases: readonly CaseInfo[]
  /** What recipients say, by source and signal. */
  opinions: ReadonlyMap<string, OpinionCounts>
  counts: QueueCounts
  first: Href | undefined
  next: Href | undefined
  now: Date
  categories: readonly string[]
  sources: readonly string[]
  undoable: readonly Undoable[]
  saved: readonly SavedView[]
  /** Relations that may be seen, by signal. */
  related: ReadonlyMap<string, number>
}

export type OpinionCounts = Sides & { disputed: boolean }

const COLUMNS = [
  { title: 'Select', silent: true },
  { title: 'Due', hint: 'Time until the case should be decided; what is overdue comes first' },
  { title: 'Signal' },
  { title: 'Category' },
  { title: 'Severity' },
  { title: 'From', hint: 'Whose signal it is' },
  { title: 'Here', numeric: true, hint: 'Hits on your own platform; nobody else sees them' },
  { title: 'Related', numeric: true, hint: 'Relations to other signals, as far as you may see them' },
  { title: 'Opinions', hint: 'Confirmed, disagreed, asked: how many recipients; never who' },
  { title: 'Age', numeric: true },
  { title: 'State' },
  { title: 'Actions', silent: true },
] as const

/** What waits, in the order in which it is worked on. */
export const QueuePage = (view: QueueView): VNode => (
  <div class="queue" data-since={String(view.now.getTime())} data-news={links.queueNews(view.now)}>
    <UndoBar undoable={view.undoable} viewer={view.viewer} now={view.now} />
    <QueueTools {...view} />
    <CountLine counts={view.counts} now={view.now} />
    {view.cases.length === 0 ? <Clear {...view} /> : <Cases {...view} />}
    <Pager
      label="Pages of the queue"
      first={view.first}
      next={view.next}
      shown={`${view.cases.length} ${view.cases.length === 1 ? 'case' : 'cases'} on this page`}
    />
  </div>
)

const ORDER =
  'Overdue cases come first, the oldest date first. Then severity, hits here, confirmations by others and confidence decide.'

/** The whole view, beyond this page. */
const AllAlike = ({ viewer, filter, next }: QueueView): VNode | null =>
  next === undefined ? null : (
    <Form action={links.bulkView()} csrf={viewer.csrf}>
      {Object.entries(filter).map(([name, value]) => (
        <input type="hidden" key={name} name={name} value={value} />
      ))}
      <button type="submit" class="button button-small">
        Decide all of this view alike
      </button>
    </Form>
  )

const Cases = (view: QueueView): VNode => {
  const { viewer, filter, cases, opinions, related, now } = view
  return (
    <>
      <div class="order">
        <span>{(filter.state ?? 'open') === 'open' ? ORDER : 'The oldest case comes first.'}</span>
        {(filter.state ?? 'open') === 'open' && (
          <Form action={links.bulk()} csrf={viewer.csrf} id="bulk">
            <button type="submit" class="button button-small" data-key="d">
              Decide selected alike <span data-selected />
            </button>
          </Form>
        )}
        {(filter.state ?? 'open') === 'open' && <AllAlike {...view} />}
      </div>
      <Table id="cases" label="Cases" columns={COLUMNS}>
        {cases.map((one) => (
          <Row
            key={one.case}
            {...{ viewer, one, now, opinion: opinions.get(`${one.source}/${one.signal}`) }}
            related={related.get(one.signal) ?? 0}
          />
        ))}
      </Table>
    </>
  )
}

interface RowProps {
  viewer: Viewer
  one: CaseInfo
  opinion: OpinionCounts | undefined
  related: number
  now: Date
}

const Row = ({ viewer, one, opinion, related, now }: RowProps): VNode => (
  <tr id={`case-${one.case}`} data-row title={one.priority.join(' ')}>
    <td class="row-box">
      {one.state === 'open' && (
        <input
          type="checkbox"
          name="case[]"
          value={one.case}
          form="bulk"
          data-row-key="x"
          aria-label={`Select ${typeLabel(one.type)} ${shortId(one.signal)}`}
        />
      )}
    </td>
    <td>
      <Due one={one} now={now} />
    </td>
    <td>
      <CaseLink one={one} />
    </td>
    <td>{plain(one.category)}</td>
    <td>
      <SeverityMark severity={one.severity} />
    </td>
    <td>{one.source === viewer.organisation ? <span class="muted">own signal</span> : one.source}</td>
    <td class="number">{one.own_hits === 0 ? <span class="muted">–</span> : one.own_hits}</td>
    <td class="number">{related === 0 ? <span class="muted">–</span> : related}</td>
    <td>
      <OpinionText one={one} opinion={opinion} />
    </td>
    <td class="number">{spanText(now.getTime() - Date.parse(one.opened_at))}</td>
    <td>
      <StateText one={one} viewer={viewer} now={now} />
    </td>
    <td class="row-actions">
      <RowAction one={one} viewer={viewer} />
    </td>
  </tr>
)

/** Seed: nobody has said anything yet. */
function OpinionText({ one, opinion }: { one: Pick<CaseInfo, 'disputed'>; opinion: OpinionCounts | undefined }) {
  if (one.disputed)
    return (
      <Badge tone="warn" icon="alert">
        Disputed
      </Badge>
    )
  const said = opinion === undefined ? 0 : opinion.plus + opinion.minus + opinion.asked
  if (opinion === undefined || (said === 0 && !opinion.disputed)) return <span class="muted">seed</span>
  return (
    <span class="opinions">
      {said > 0 && (
        <>
          <span>+{opinion.plus}</span> <span>−{opinion.minus}</span>
          {opinion.asked > 0 && <span> ?{opinion.asked}</span>}
          <span class="unseen"> confirmed, disagreed, asked</span>
        </>
      )}
      {opinion.disputed && <span class="due-soon"> disputed</span>}
    </span>
  )
}

function StateText({ one, viewer, now }: { one: CaseInfo; viewer: Viewer; now: Date }): VNode {
  const { lease, state, assigned_to } = one
  if (state !== 'open')
    return <Badge tone={state === 'awaiting_second' ? 'accent' : 'neutral'}>{STATE_WORDS[state]}</Badge>
  if (lease !== undefined) {
    const left = spanText(Date.parse(lease.expires_at) - now.getTime())
    const isMine = lease.holder === viewer.pseudonym
    return (
      <Badge tone={isMine ? 'accent' : 'neutral'} title={`until ${instantText(new Date(lease.expires_at))}`}>
        {isMine ? 'yours' : lease.holder} · {left}
      </Badge>
    )
  }
  if (assigned_to === undefined) return <span class="muted">free</span>
  return <Badge tone="accent">{assigned_to === viewer.pseudonym ? 'handed to you' : `for ${assigned_to}`}</Badge>
}

function RowAction({ one, viewer }: { one: CaseInfo; viewer: Viewer }): VNode | null {
  const { state, lease, assigned_to: assigned } = one
  if (state !== 'open') return null
  const holder = lease?.holder ?? assigned
  if (holder !== undefined && holder !== viewer.pseudonym) return null
  const words = `${lease === undefined ? 'Claim' : 'Go on with'} ${typeLabel(one.type)} ${shortId(one.signal)}`
  return (
    <Form action={links.claimCase(one.case)} csrf={viewer.csrf}>
      <button type="submit" class="button button-small" data-row-key="c" aria-label={words}>
        {lease === undefined ? 'Claim' : 'Go on'}
      </button>
    </Form>
  )
}

const many = (n: number): string => (n > 10_000 ? '10 000+' : String(n))

const CountLine = ({ counts, now }: { counts: QueueCounts; now: Date }): VNode => (
  <p class="counts">
    <span>
      <strong>{many(counts.open)}</strong> pending
    </span>
    {counts.oldest !== undefined && <span>oldest {spanText(now.getTime() - counts.oldest.getTime())}</span>}
    {counts.overdue > 0 && (
      <span class="counts-late">
        <Icon name="clock" /> <strong>{many(counts.overdue)}</strong> overdue
      </span>
    )}
    <span>
      <strong>{many(counts.at_risk)}</strong> due within the hour
    </span>
    <span>
      <strong>{many(counts.held)}</strong> parked
    </span>
    <span>
      <a href={links.secondReviews()}>
        <strong>{many(counts.second)}</strong> in second review
      </a>
    </span>
    <a class="news" href={links.queue()} data-key="." hidden>
      <span data-news-text />
    </a>
  </p>
)

function Clear({ filter, counts, now, unread }: QueueView): VNode {
  if (unread !== undefined) return <Empty title="That filter was not understood">Nothing is shown until it is.</Empty>
  if (termsOf(filter).length > 0)
    return (
      <Empty title="No case fits this view">
        <a href={links.queue()}>Show the whole queue</a>
      </Empty>
    )
  const due = counts.next_due
  return (
    <Empty title="The queue is clear">
      {due === undefined
        ? 'New cases appear here by themselves.'
        : `The next case is due in ${spanText(due.getTime() - now.getTime())}.`}
    </Empty>
  )
}
