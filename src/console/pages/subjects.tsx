import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { urgencyOf } from '../../registers/clock-rule.ts'
import { EXTENSIONS, SUBJECT_KINDS, SUBJECT_OUTCOMES } from '../../registers/schema.ts'
import type { SubjectPart, SubjectRequest } from '../../registers/subject.ts'
import { links } from '../links.ts'
import { Badge, type Tone } from '../parts/badge.tsx'
import { Button, Field, Form, Select } from '../parts/form.tsx'
import { Empty, Errors, errorOf } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'
import { plain } from '../words.ts'
import { KeyForm } from './subject-keys.tsx'
import { isProposed, Part } from './subject-part.tsx'

const TONES: Readonly<Record<ReturnType<typeof urgencyOf>, Tone>> = {
  ...{ closed: 'neutral', overdue: 'crit', soon: 'warn', running: 'accent' },
}

const Clock = ({ request, now }: { request: SubjectRequest; now: Date }): VNode => {
  const urgency = urgencyOf({ due: request.dueAt, closed: request.closed?.at }, now)
  return <Badge tone={TONES[urgency]}>{urgency === 'soon' ? 'due within a week' : urgency}</Badge>
}

export interface SubjectsProps {
  requests: readonly SubjectRequest[]
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
  typed: Readonly<Record<string, string>>
}

export const SubjectsPage = (props: SubjectsProps): VNode => (
  <>
    <p class="lead">
      What persons ask by right, with the month that the law gives. Who they are is nowhere here: their identifiers are
      hashed in your tab or beside a participant's keys. <a href={links.government()}>Requests of authorities</a>{' '}
      <a href={links.agreements()}>Agreements</a>
    </p>
    <section class="part">
      <h2>Requests</h2>
      {props.requests.length === 0 ? (
        <Empty title="Nobody has asked for anything" />
      ) : (
        <Table
          label="Requests of persons"
          columns={[
            { title: 'Request' },
            { title: 'Received' },
            { title: 'Due' },
            { title: 'State' },
            { title: 'Outcome' },
          ]}
        >
          {props.requests.map((request) => (
            <tr key={request.id} data-row>
              <td>
                <a href={links.subject(request.id)} data-open-row>
                  {plain(request.kind)}
                </a>
              </td>
              <td>
                <Time at={request.receivedAt} />
              </td>
              <td>
                <Time at={request.dueAt} now={props.now} />
              </td>
              <td>
                <Clock request={request} now={props.now} />
              </td>
              <td>{plain(request.closed?.outcome ?? '')}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
    <section class="part">
      <h2>Enter one</h2>
      <Errors refusal={props.refusal} />
      <Form action={links.receiveSubject()} csrf={props.viewer.csrf} once={props.once} class="fields">
        <Select
          {...{ name: 'kind', label: 'Kind', value: props.typed['kind'] }}
          choices={SUBJECT_KINDS.map((value) => ({ value, label: plain(value) }))}
        />
        <Field
          {...{ type: 'date', name: 'received', label: 'Received on', hint: 'a day (UTC)', required: true }}
          value={props.typed['received']}
          error={errorOf(props.refusal, 'received')}
        />
        <Button>Enter</Button>
      </Form>
    </section>
  </>
)

export interface SubjectProps {
  request: SubjectRequest
  parts: readonly SubjectPart[]
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
}

export const SubjectPage = (props: SubjectProps): VNode => {
  const { request, parts, now, refusal } = props
  const open = request.closed === undefined
  return (
    <>
      <Errors refusal={refusal} />
      <Facts>
        <Fact name="kind">{plain(request.kind)}</Fact>
        <Fact name="received">
          <Time at={request.receivedAt} now={now} />
        </Fact>
        <Fact name="due">
          <Time at={request.dueAt} now={now} /> <Clock request={request} now={now} />
        </Fact>
        {request.extension !== undefined && <Fact name="extended, being">{plain(request.extension)}</Fact>}
        {request.closed !== undefined && (
          <Fact name="closed">
            {plain(request.closed.outcome)}, <Time at={request.closed.at} now={now} />
          </Fact>
        )}
      </Facts>
      <Steps {...props} />
      <section class="part">
        <h2>What was found</h2>
        {parts.length === 0 ? (
          <Empty title={request.searchedAt === undefined ? 'Nothing was searched yet' : 'Nothing was found'} />
        ) : (
          parts.map((part) => <Part key={part.participant} {...props} part={part} />)
        )}
      </section>
      {open && <KeyForm {...props} />}
      {open && <End {...props} />}
    </>
  )
}

/** Search, review, approval, execution, notice, proof. */
const Steps = ({ request, parts }: SubjectProps): VNode => {
  const erased = parts.length > 0 && parts.every(({ left }) => left.length === 0)
  const proposed = parts.length > 0 && parts.every((part) => part.left.length === 0 || isProposed(part))
  const answered = erased && parts.every(({ erasure }) => erasure?.missing.length === 0)
  const steps: readonly (readonly [string, boolean])[] = [
    ['searched', request.searchedAt !== undefined],
    ['proposed', proposed],
    ['approved and erased', erased],
    ['acknowledged by recipients', answered],
    ['closed', request.closed !== undefined],
  ]
  return (
    <ol class="events" aria-label="Steps">
      {steps.map(([name, done]) => (
        <li key={name}>
          {done ? (
            <Badge tone="ok" icon="ok">
              {name}
            </Badge>
          ) : (
            <Badge icon="clock">{name}</Badge>
          )}
        </li>
      ))}
    </ol>
  )
}

const End = ({ request, viewer, once }: SubjectProps): VNode => (
  <section class="part">
    <h2>Clock and end</h2>
    {request.extension === undefined && (
      <Form action={links.extendSubject(request.id)} csrf={viewer.csrf} once={once} class="fields">
        <Select
          {...{ name: 'reason', label: 'Two more months, being', id: 'extension' }}
          choices={EXTENSIONS.map((value) => ({ value, label: plain(value) }))}
        />
        <Button>Extend</Button>
      </Form>
    )}
    <Form action={links.closeSubject(request.id)} csrf={viewer.csrf} once={once} class="fields">
      <Select
        {...{ name: 'outcome', label: 'Close as' }}
        choices={SUBJECT_OUTCOMES.map((value) => ({ value, label: plain(value) }))}
      />
      <Button>Close</Button>
    </Form>
  </section>
)
