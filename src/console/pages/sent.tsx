import type { VNode } from 'preact'
import type { Attention, SentFigures, SentSignal } from '../../feedback/sent-schema.ts'
import { type Href, links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Icon } from '../parts/icon.tsx'
import { Empty } from '../parts/note.tsx'
import { Pager, Table } from '../parts/table.tsx'
import { numberText, spanText } from '../parts/text.tsx'
import type { SavedView } from '../saved-views.ts'
import { type SentFilter, sentTerms } from '../sent-filter.ts'
import { confirmedOf, disagreedOf, SENT_STATES, seenOf } from '../sent-words.ts'
import type { Viewer } from '../viewer.ts'
import { plain, typeLabel } from '../words.ts'
import { shortId } from './case-parts.tsx'
import { AttentionList } from './sent-attention.tsx'
import { SentTools } from './sent-tools.tsx'

export interface SentView {
  viewer: Viewer
  saved: readonly SavedView[]
  filter: SentFilter
  /** As it was typed, where it could not be read. */
  unread?: string
  figures: SentFigures
  attention: Attention
  signals: readonly SentSignal[]
  first: Href | undefined
  next: Href | undefined
  now: Date
  categories: readonly string[]
}

/** What an organisation sent, and what others made of it. */
export const SentPage = (view: SentView): VNode => (
  <div class="sent">
    <Figures figures={view.figures} />
    <AttentionList attention={view.attention} now={view.now} />
    <section aria-labelledby="signals-title">
      <h2 id="signals-title">Signals</h2>
      <SentTools {...view} />
      {view.signals.length === 0 ? <Nothing {...view} /> : <Signals {...view} />}
      <Pager
        label="Pages of signals"
        first={view.first}
        next={view.next}
        shown={`${view.signals.length} ${view.signals.length === 1 ? 'signal' : 'signals'} on this page`}
      />
    </section>
  </div>
)

const shareOf = (n: number, all: number): string => (all === 0 ? '–' : `${Math.round((1_000 * n) / all) / 10} %`)

const Figures = ({ figures }: { figures: SentFigures }): VNode => {
  const { sent, more, recipients, days } = figures
  const all = `${more ? 'the newest ' : ''}${numberText(sent)}`
  const parts = [
    ['Answered', figures.answered, 'at least one recipient said something'],
    ['Confirmed', figures.confirmed, 'at least one recipient confirmed it'],
    ['Not violating', figures.not_violating, 'at least one recipient found nothing against its rules'],
    ['Disputed', figures.disputed, 'a dispute is open'],
    ['Withdrawn', figures.withdrawn, 'you took it back'],
  ] as const
  return (
    <section aria-labelledby="figures-title">
      <h2 id="figures-title">Last {days} days</h2>
      <dl class="figures">
        <div class="figure">
          <dt>Sent</dt>
          <dd>
            {numberText(sent)}
            {more && '+'}{' '}
            <span class="muted">
              to {numberText(recipients)} {recipients === 1 ? 'organisation' : 'organisations'}
            </span>
          </dd>
        </div>
        {parts.map(([name, n, why]) => (
          <div class="figure" key={name} title={`Of the signals sent: ${why}`}>
            <dt>{name}</dt>
            <dd>
              {shareOf(n, sent)}{' '}
              <span class="muted">
                {numberText(n)} of {all}
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

const COLUMNS = [
  { title: 'Signal' },
  { title: 'Category' },
  { title: 'State' },
  { title: 'Age', numeric: true },
  {
    title: 'Reached',
    numeric: true,
    hint: 'Recipients that are known to have what you said last: they answered, disputed it, or acknowledged the feed up to it',
  },
  { title: 'Seen', numeric: true, hint: 'Have it, and have not said yes or no' },
  { title: 'Confirmed', numeric: true },
  { title: 'Disagreed', numeric: true, hint: 'Not violating, another category, or outdated' },
  { title: 'Asked', numeric: true, hint: 'Need more information' },
  { title: 'Expires', numeric: true },
] as const

const Signals = ({ signals, now }: SentView): VNode => (
  <Table id="sent" label="Signals" columns={COLUMNS}>
    {signals.map((one) => (
      <tr key={one.signal} id={`signal-${one.signal}`} data-row>
        <td>
          <a href={links.submission(one.signal)} data-open-row>
            {typeLabel(one.type)} <code>{shortId(one.signal)}</code>
          </a>
        </td>
        <td>{plain(one.category)}</td>
        <td>
          <StateBadge one={one} />
        </td>
        <td class="number">{spanText(now.getTime() - Date.parse(one.sent_at))}</td>
        <td class="number">
          <Reached one={one} />
        </td>
        <Count n={seenOf(one)} />
        <Count n={confirmedOf(one)} />
        <Count n={disagreedOf(one)} />
        <Count n={one.outcomes['needs_information'] ?? 0} />
        <td class="number">
          <Expires one={one} now={now} />
        </td>
      </tr>
    ))}
  </Table>
)

export const StateBadge = ({ one }: { one: Pick<SentSignal, 'state' | 'open_disputes'> }): VNode => {
  const { label, tone } = SENT_STATES[one.state]
  return (
    <>
      <Badge tone={tone}>{label}</Badge>
      {one.open_disputes > 0 && (
        <>
          {' '}
          <Badge tone="warn" icon="alert">
            Disputed
          </Badge>
        </>
      )}
    </>
  )
}

const ENDED: ReadonlySet<SentSignal['state']> = new Set(['withdrawn', 'expired', 'erased'])
export const hasEnded = ({ state }: Pick<SentSignal, 'state'>): boolean => ENDED.has(state)

const Reached = ({ one }: { one: SentSignal }): VNode => {
  const { reach } = one
  if (reach === undefined)
    return (
      <span class="muted" title="Nobody can tell: its audience is sealed, or it is on its way to the feed">
        –
      </span>
    )
  const n = hasEnded(one) ? reach.acknowledged : reach.reached
  return (
    <span title={hasEnded(one) ? 'acknowledged that it ended' : 'known to have it'}>
      {n}/{reach.members}
    </span>
  )
}

const Count = ({ n }: { n: number }): VNode => <td class="number">{n === 0 ? <span class="muted">–</span> : n}</td>

const Expires = ({ one, now }: { one: SentSignal; now: Date }): VNode => {
  const ms = Date.parse(one.expires_at) - now.getTime()
  if (hasEnded(one) || ms <= 0) return <span class="muted">–</span>
  return <span title={one.expires_at}>{spanText(ms)}</span>
}

function Nothing({ filter, unread, next }: SentView): VNode {
  if (unread !== undefined) return <Empty title="That filter was not understood">Nothing is shown until it is.</Empty>
  if (next !== undefined)
    return (
      <Empty title="None among the signals that were looked at">
        A page looks at 10 000 signals. <a href={next}>Look further back</a>
      </Empty>
    )
  if (sentTerms(filter).length > 0)
    return (
      <Empty title="No signal fits this view">
        <a href={links.submissions()}>Show all of them</a>
      </Empty>
    )
  return (
    <Empty title="Nothing was sent yet">
      <p>
        Signals are signed where the key is: <code>aldis submit FILE</code>, or the SDK. <Icon name="info" /> The first
        one appears here within seconds.
      </p>
    </Empty>
  )
}
