import type { VNode } from 'preact'
import { CATALOGUE, isErrorCode, type Refusal } from '../../kernel/errors.ts'
import { type LoggedRequest, REQUESTS_KEPT_DAYS, type RequestFilter, STATUS_CLASSES } from '../../usage/schema.ts'
import { type Href, links } from '../links.ts'
import { Badge, type Tone } from '../parts/badge.tsx'
import { DeveloperViews } from '../parts/developer-views.tsx'
import { Chips, Choose, FilterForm } from '../parts/filter.tsx'
import { Field } from '../parts/form.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Pager, Table } from '../parts/table.tsx'
import { Hash, numberText, Time } from '../parts/text.tsx'

export interface RequestLogView {
  requests: readonly LoggedRequest[]
  /** Answered, and not written down. */
  dropped: number
  filter: RequestFilter
  first: Href | undefined
  next: Href | undefined
  now: Date
  /** Of a filter that is none; what was typed is in `filter` all the same. */
  refusal?: Refusal | undefined
}

const STATUS_WORDS = { '2xx': 'done', '3xx': 'as it was', '4xx': 'refused', '5xx': 'the node failed' } as const

/** What an organisation's programs asked, and how it was answered. */
export const RequestLogPage = (view: RequestLogView): VNode => {
  const { requests, dropped, filter, first, next } = view
  const isFiltered = Object.keys(filter).length > 0
  return (
    <>
      <p class="lead">
        Each request of your credentials in {REQUESTS_KEPT_DAYS} days: route, time and answer. No address, query or
        value is kept. A problem document names its <code>request_id</code>, which finds its row here.
      </p>
      <DeveloperViews current="requests" />
      <Errors refusal={view.refusal} />
      <Filter {...view} />
      <Chips terms={termsOf(filter)} all={links.requestLog()} />
      {dropped > 0 && (
        <Note tone="warn" title={`${numberText(dropped)} requests of these days are not here`}>
          They were answered like all others, and came faster than they are written down.
        </Note>
      )}
      {view.refusal !== undefined ? null : requests.length === 0 ? (
        <Empty title={isFiltered ? 'No such request' : 'None yet'}>
          {isFiltered ? 'In the last seven days.' : 'The first one is here a second after its answer.'}
        </Empty>
      ) : (
        <Requests {...view} />
      )}
      <Pager label="Pages of requests" first={first} next={next} />
    </>
  )
}

const Filter = ({ filter, refusal }: RequestLogView): VNode => (
  <FilterForm action={links.requestLog()}>
    <Choose
      {...{ name: 'status', label: 'Answered', value: filter.status }}
      of={STATUS_CLASSES.map((one) => [one, `${one}, ${STATUS_WORDS[one]}`] as const)}
    />
    <Field
      {...{ name: 'code', label: 'Code', value: filter.code, maxLength: 63, error: errorOf(refusal, 'code') }}
      hint="such as rate-limited"
    />
    <Field
      {...{ name: 'route', label: 'Route', value: filter.route, maxLength: 128, error: errorOf(refusal, 'route') }}
      hint="such as /v1/feeds/:feed/events"
    />
    <Field
      {...{ name: 'request_id', label: 'Request id', value: filter.request_id, maxLength: 16 }}
      error={errorOf(refusal, 'request_id')}
    />
  </FilterForm>
)

const termsOf = (filter: RequestFilter) =>
  (Object.entries(filter) as [keyof RequestFilter, string][]).map(([name, value]) => {
    const { [name]: _, ...rest } = filter
    return { text: `${name}:${value}`, without: links.requestLog(rest) }
  })

const Requests = ({ requests, now }: RequestLogView): VNode => (
  <Table
    label="Requests"
    columns={[
      ...[{ title: 'Answered' }, { title: 'Request' }, { title: 'Route' }, { title: 'Answer' }],
      ...[{ title: 'Took, ms', numeric: true }, { title: 'Bytes', numeric: true }, { title: 'Credential' }],
    ]}
  >
    {requests.map((one) => (
      <tr key={one.request_id}>
        <td>
          <Time at={new Date(one.at)} now={now} />
        </td>
        <td>
          <Hash value={one.request_id} label="request id" />
        </td>
        <td>
          <code>
            {one.method} {one.route}
          </code>
        </td>
        <td>
          <Answer one={one} />
        </td>
        <td class="number">{numberText(one.duration_ms)}</td>
        <td class="number">{one.response_bytes === null ? '' : numberText(one.response_bytes)}</td>
        <td title={one.credential}>{one.label}</td>
      </tr>
    ))}
  </Table>
)

const toneOf = (status: number): Tone => (status >= 500 ? 'crit' : status >= 400 ? 'warn' : 'neutral')

const Answer = ({ one: { status, code } }: { one: LoggedRequest }): VNode => (
  <>
    <Badge tone={toneOf(status)}>{status}</Badge>{' '}
    {code !== null && (
      <a href={links.manual(`errors/${code}`)} title={isErrorCode(code) ? CATALOGUE[code][1] : undefined}>
        {code}
      </a>
    )}
  </>
)
