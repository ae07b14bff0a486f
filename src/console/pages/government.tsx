import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { GOVERNMENT_OUTCOMES } from '../../participants/action.ts'
import type { GovernmentRequest } from '../../registers/government.ts'
import { GOVERNMENT_KINDS, REFERENCE_MAX } from '../../registers/schema.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Field, Form, Select } from '../parts/form.tsx'
import { Empty, Errors, errorOf } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import { numberText, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'
import { plain } from '../words.ts'

export interface GovernmentProps {
  requests: readonly GovernmentRequest[]
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
  typed: Readonly<Record<string, string>>
}

export const GovernmentPage = (props: GovernmentProps): VNode => {
  const open = props.requests.filter(({ closed }) => closed === undefined)
  return (
    <>
      <p class="lead">
        Who asked for what, by which law, and what came of it: numbers and codes, never data. Everybody who takes part
        may read them in the log; the reference is governance's alone.{' '}
        <a href={links.subjects()}>Requests of persons</a>
      </p>
      <Errors refusal={props.refusal} />
      <section class="part">
        <h2>Requests of authorities</h2>
        {props.requests.length === 0 ? <Empty title="No authority has asked for anything" /> : <List {...props} />}
      </section>
      {open.length > 0 && <Close {...props} requests={open} />}
      <Receive {...props} />
    </>
  )
}

const List = ({ requests, now }: GovernmentProps): VNode => (
  <Table
    label="Requests of authorities"
    columns={[
      { title: 'Received' },
      { title: 'Country' },
      { title: 'Kind' },
      { title: 'Asked for', numeric: true },
      { title: 'Basis' },
      { title: 'Reference' },
      { title: 'Outcome' },
      { title: 'Given out', numeric: true },
    ]}
  >
    {requests.map(({ id, receivedAt, country, kind, asked, basis, reference, closed }) => (
      <tr key={id} id={`government-${id}`}>
        <td>
          <Time at={receivedAt} now={now} />
        </td>
        <td>{country}</td>
        <td>{plain(kind)}</td>
        <td class="number">{numberText(asked)}</td>
        <td>{basis}</td>
        <td>{reference}</td>
        <td>{closed === undefined ? <Badge tone="accent">open</Badge> : plain(closed.outcome)}</td>
        <td class="number">{closed === undefined ? '' : numberText(closed.n)}</td>
      </tr>
    ))}
  </Table>
)

const Close = ({ requests, viewer, once }: GovernmentProps): VNode => (
  <section class="part">
    <h2>Close one</h2>
    <Form action={links.closeGovernment()} csrf={viewer.csrf} once={once} class="fields">
      <Select
        {...{ name: 'request', label: 'Request' }}
        choices={requests.map(({ id, reference, country }) => ({ value: id, label: `${country} ${reference}` }))}
      />
      <Select
        {...{ name: 'outcome', label: 'Outcome' }}
        choices={GOVERNMENT_OUTCOMES.map((value) => ({ value, label: plain(value) }))}
      />
      <Field {...{ name: 'n', label: 'Things given out', inputMode: 'numeric', required: true, maxLength: 9 }} />
      <Button kind="primary">Propose to close</Button>
    </Form>
    <p class="muted">Another person approves it; then everybody may read what came of it.</p>
  </section>
)

const Receive = ({ viewer, once, refusal, typed }: GovernmentProps): VNode => (
  <section class="part">
    <h2>Enter one</h2>
    <Form action={links.receiveGovernment()} csrf={viewer.csrf} once={once} class="fields">
      <Field
        {...{ name: 'country', label: 'Country', hint: 'two letters, such as IE', required: true, maxLength: 2 }}
        value={typed['country']}
        error={errorOf(refusal, 'country')}
      />
      <Select
        {...{ name: 'kind', label: 'Kind', value: typed['kind'] }}
        choices={GOVERNMENT_KINDS.map((value) => ({ value, label: plain(value) }))}
      />
      <Field
        {...{ name: 'asked', label: 'Things asked for', inputMode: 'numeric', required: true, maxLength: 9 }}
        value={typed['asked']}
        error={errorOf(refusal, 'asked')}
      />
      <Field
        {...{ name: 'basis', label: 'Legal basis', hint: 'a code, such as dsa_art_10', required: true, maxLength: 63 }}
        value={typed['basis']}
        error={errorOf(refusal, 'basis')}
      />
      <Field
        {...{ name: 'reference', label: 'Reference', hint: "of the authority's file, never a person" }}
        {...{ required: true, maxLength: REFERENCE_MAX }}
        value={typed['reference']}
        error={errorOf(refusal, 'reference')}
      />
      <Field
        {...{ type: 'date', name: 'received', label: 'Received on', hint: 'a day (UTC)', required: true }}
        value={typed['received']}
        error={errorOf(refusal, 'received')}
      />
      <Button>Enter</Button>
    </Form>
  </section>
)
