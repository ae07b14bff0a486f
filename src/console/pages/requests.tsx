import type { ComponentChildren, VNode } from 'preact'
import type { Uuid } from '../../kernel/ids.ts'
import type { Page } from '../../kernel/page.ts'
import type { RequestFor } from '../../participants/request-list.ts'
import { ROLES } from '../../participants/schema.ts'
import { ACT_WORDS } from '../act-words.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Empty } from '../parts/note.tsx'
import { Pager, Table } from '../parts/table.tsx'
import { spanText, Time } from '../parts/text.tsx'

/** How a person is called before the viewer: by name within one's own organisation, else by pseudonym. */
export type NameOf = (person: Uuid, organisation: string) => string

export interface RequestsProps {
  /** All that wait. */
  open: readonly RequestFor[]
  /** A page of the others. */
  ended: Page<RequestFor>
  /** After which the page begins; undefined of the first. */
  after: string | undefined
  me: Uuid
  nameOf: NameOf
  now: Date
}

/** Whether it waits: for somebody, or for its time. */
export const isOpen = ({ standing }: RequestFor): boolean =>
  standing === 'short' || standing === 'ready' || standing === 'scheduled'

/** Those first that wait for the viewer. */
export const RequestsPage = (props: RequestsProps): VNode => {
  const { open, ended, after, me, nameOf, now } = props
  const mine = open.filter(({ requested_by }) => requested_by === me)
  const waiting = open.filter(({ ballot }) => ballot === 'allowed')
  const others = open.filter((one) => !mine.includes(one) && !waiting.includes(one))
  return (
    <>
      <p class="lead">
        {waiting.length === 1 ? '1 waits' : `${waiting.length} wait`} for you · {mine.length} of yours open ·{' '}
        {others.length} with others
      </p>
      <Section title="Waiting for you">
        {waiting.length === 0 ? (
          <Empty title="Nothing waits for you">
            Requests appear here when another person proposes an act that you may decide.
          </Empty>
        ) : (
          <RequestTable {...{ nameOf, now }} requests={waiting} label="Requests that wait for you" />
        )}
      </Section>
      {mine.length > 0 && (
        <Section title="Proposed by you">
          <RequestTable {...{ nameOf, now }} requests={mine} label="Requests that you proposed" />
        </Section>
      )}
      {others.length > 0 && (
        <Section title="With others">
          <RequestTable {...{ nameOf, now }} requests={others} label="Requests that others decide" />
        </Section>
      )}
      <Section title="Decided">
        {ended.rows.length === 0 ? (
          <Empty title={after === undefined ? 'Nothing was decided yet' : 'Nothing was decided before'} />
        ) : (
          <RequestTable {...{ nameOf, now }} requests={ended.rows} label="Requests that are decided" />
        )}
        <Pager
          label="Pages of decided requests"
          first={after === undefined ? undefined : links.requests()}
          next={ended.next === undefined ? undefined : links.requests(ended.next)}
        />
      </Section>
    </>
  )
}

const Section = ({ title, children }: { title: string; children: ComponentChildren }): VNode => (
  <section class="part requests">
    <h2>{title}</h2>
    {children}
  </section>
)

const COLUMNS = [
  { title: 'Act' },
  { title: 'Proposed by' },
  { title: 'Proposed' },
  { title: 'Votes', numeric: true, hint: 'Approvals that count, of those needed' },
  { title: 'State' },
]

interface TableProps extends Pick<RequestsProps, 'nameOf' | 'now'> {
  requests: readonly RequestFor[]
  label: string
}

const RequestTable = ({ requests, nameOf, now, label }: TableProps): VNode => (
  <Table label={label} columns={COLUMNS}>
    {requests.map((request) => (
      <tr key={request.request_id} id={`request-${request.request_id}`} data-row>
        <td>
          <a href={links.request(request.request_id)} data-open-row>
            {ACT_WORDS[request.action].title}
          </a>{' '}
          <span class="muted">{aboutOf(request)}</span>
        </td>
        <td>{nameOf(request.requested_by, request.requested_org)}</td>
        <td>
          <Time at={request.requested_at} now={now} />
        </td>
        <td class="number">
          {request.votes.filter(({ verdict }) => verdict === 'approve').length} of {request.needed}
        </td>
        <td>
          <StandingBadge request={request} now={now} />
        </td>
      </tr>
    ))}
  </Table>
)

/** Whom or what it is about, where the payload says so in one short word. */
export function aboutOf({ payload }: Pick<RequestFor, 'payload'>): string {
  const { participant, slug, group, role, kid, kind } = JSON.parse(payload) as Readonly<Record<string, unknown>>
  const found = [participant, slug, group, role, kid, kind].find((one) => typeof one === 'string')
  if (typeof found !== 'string') return ''
  return ROLES.some((one) => one === found) ? found.replaceAll('_', ' ') : found
}

const DueBadge = ({ at, now }: { at: Date; now: Date }): VNode => {
  const left = at.getTime() - now.getTime()
  return (
    <Badge tone={left < 0 ? 'crit' : 'accent'} icon="clock" title="It stands until somebody has answered">
      {left < 0 ? `overdue for ${spanText(-left, 2)}` : `waits, due in ${spanText(left, 2)}`}
    </Badge>
  )
}

export const StandingBadge = ({ request, now }: { request: RequestFor; now: Date }): VNode => {
  const left = spanText(request.expires_at.getTime() - now.getTime(), 2)
  switch (request.standing) {
    case 'ready':
      return (
        <Badge tone="ok" icon="ok" title="Approved; somebody of the role carries it out">
          approved, not carried out
        </Badge>
      )
    case 'short':
      if (request.due_at !== undefined) return <DueBadge at={request.due_at} now={now} />
      return (
        <Badge tone="accent" icon="clock" title="After that it is gone by itself">
          waits, {left} left
        </Badge>
      )
    case 'scheduled':
      return (
        <Badge tone="accent" icon="clock" title="Approved; it is carried out at its time">
          approved, in {spanText((request.effective_at ?? now).getTime() - now.getTime(), 2)}
        </Badge>
      )
    case 'cancelled':
      return <Badge icon="cross">taken back</Badge>
    case 'executed':
      return (
        <Badge tone="ok" icon="ok">
          carried out
        </Badge>
      )
    case 'rejected':
      return (
        <Badge tone="crit" icon="cross">
          denied
        </Badge>
      )
    case 'expired':
      return <Badge icon="clock">expired</Badge>
  }
}
