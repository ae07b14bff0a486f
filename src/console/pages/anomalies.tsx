import type { VNode } from 'preact'
import { CASE_NOTE_MAX, CLOSE_REASONS } from '../../anomalies/schema.ts'
import type { AnomalyCase } from '../../anomalies/service.ts'
import { BASELINE_DAYS, RULES } from '../../anomalies/thresholds.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Field, Form, Select } from '../parts/form.tsx'
import { Empty, Errors, errorOf } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { numberText, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'
import { plain } from '../words.ts'

export interface AnomaliesProps {
  cases: readonly AnomalyCase[]
  viewer: Viewer
  nameOf(person: Uuid): string
  now: Date
  once: Uuid
  /** Of the case that it is about. */
  refusal?: { id: Uuid; refusal: Refusal } | undefined
}

/** What rules found unusual, each with its threshold; nobody is punished by a rule. */
export const AnomaliesPage = (props: AnomaliesProps): VNode => {
  const open = props.cases.filter(({ state }) => state !== 'closed')
  const closed = props.cases.filter(({ state }) => state === 'closed')
  return (
    <>
      <p class="lead">
        Rules over counts of the log, each day of an organisation once. A case is a question, never a verdict: nothing
        happens to anybody until two persons decide it.
      </p>
      <section class="part">
        <h2>Open</h2>
        {open.length === 0 ? (
          <Empty title="Nothing unusual waits">Rules look every five minutes, at today and yesterday.</Empty>
        ) : (
          open.map((one) => <Case key={one.id} {...props} one={one} />)
        )}
      </section>
      <p class="actions">
        <a href={links.holdSource()}>Hold or release what a source shares</a>{' '}
        <a href={links.pauses()}>Pause or resume a feed</a>
      </p>
      {closed.length > 0 && <Closed {...props} cases={closed} />}
      <Rules />
    </>
  )
}

const Case = ({ one, viewer, nameOf, now, once, refusal }: AnomaliesProps & { one: AnomalyCase }): VNode => {
  const { id, rule, subject, day, measured, baseline, threshold, state, moved } = one
  const { title, unit, says } = RULES[rule]
  const own = refusal?.id === id ? refusal.refusal : undefined
  return (
    <article class="part" id={`anomaly-${id}`} aria-label={`${title}: ${subject}`}>
      <h3>
        {subject} {says}{' '}
        <Badge tone={state === 'open' ? 'warn' : 'accent'}>{state === 'open' ? 'open' : 'looked at'}</Badge>
      </h3>
      <Facts>
        <Fact name="day">{day}</Fact>
        <Fact name="measured">
          {numberText(measured)} {unit}
        </Fact>
        <Fact name="usual">{numberText(baseline)}</Fact>
        <Fact name="told from">{numberText(threshold)}</Fact>
        {moved !== undefined && (
          <Fact name="looked at">
            {nameOf(moved.by)}, <Time at={moved.at} now={now} />
          </Fact>
        )}
      </Facts>
      <p class="actions">
        {subject !== 'log' && (
          <>
            <a href={links.explorer({ q: `actor:${subject} at>=${day}` })}>Its entries since</a>{' '}
            <a href={links.holdSource({ participant: subject, since: `${day}T00:00:00Z` })}>What a hold would hold</a>
          </>
        )}
      </p>
      <Errors id={`errors-${id}`} refusal={own} />
      {state === 'open' && (
        <Form action={links.lookAtAnomaly(id)} csrf={viewer.csrf} once={once}>
          <Button>I look at it</Button>
        </Form>
      )}
      <Form action={links.closeAnomaly(id)} csrf={viewer.csrf} once={once} class="fields">
        <Select
          {...{ name: 'reason', label: 'Close, because', id: `reason-${id}` }}
          choices={CLOSE_REASONS.map((value) => ({ value, label: plain(value) }))}
        />
        <Field
          {...{ name: 'note', label: 'Note', id: `note-${id}`, maxLength: CASE_NOTE_MAX, width: 'wide' }}
          hint="Governance reads it. No names, addresses or numbers; needed for other."
          error={errorOf(own, 'note')}
        />
        <Button>Close</Button>
      </Form>
    </article>
  )
}

const Closed = ({ cases, nameOf, now }: AnomaliesProps): VNode => (
  <section class="part">
    <h2>Closed</h2>
    <Table
      label="Closed cases"
      columns={[
        { title: 'Day' },
        { title: 'Whose' },
        { title: 'What' },
        { title: 'Measured', numeric: true },
        { title: 'Closed' },
        { title: 'Because' },
      ]}
    >
      {cases.map(({ id, day, subject, rule, measured, moved }) => (
        <tr key={id}>
          <td>{day}</td>
          <td>{subject}</td>
          <td>{RULES[rule].title}</td>
          <td class="number">{numberText(measured)}</td>
          <td>
            {moved !== undefined && (
              <>
                {nameOf(moved.by)}, <Time at={moved.at} now={now} />
              </>
            )}
          </td>
          <td>
            {plain(moved?.reason ?? '')}
            {moved?.note !== undefined && <p class="words">{moved.note}</p>}
          </td>
        </tr>
      ))}
    </Table>
  </section>
)

const Rules = (): VNode => (
  <section class="part">
    <h2>Rules</h2>
    <p class="muted">
      Usual is the middle one of the last {BASELINE_DAYS} days that were counted. <code>aldis anomalies</code> tells the
      same.
    </p>
    <Facts>
      {Object.entries(RULES).map(([name, { title, unit, from }]) => (
        <Fact key={name} name={title}>
          {unit}, told from: {from}
        </Fact>
      ))}
    </Facts>
  </section>
)

export interface SourceHoldProps {
  sources: readonly string[]
  asked: { participant: string; since: string } | undefined
  /** Live signals since then. */
  pending: number | undefined
  viewer: Viewer
  once: Uuid
  refusal?: Refusal | undefined
}

/** What would be held, before anybody proposes it; and its undoing. */
export const SourceHoldPage = ({ sources, asked, pending, viewer, once, refusal }: SourceHoldProps): VNode => (
  <>
    <p class="lead">
      A hold stops matching of what a source shared since a moment, for every recipient, and says so in their feeds.
      Nothing is withdrawn; a release lets it all go again. Both take two persons.
    </p>
    <Errors refusal={refusal} />
    <section class="part">
      <h2>What a hold would hold</h2>
      <form method="get" action={links.holdSource()} class="fields">
        <Select
          {...{ name: 'participant', label: 'Source', value: asked?.participant }}
          choices={sources.map((value) => ({ value, label: value }))}
        />
        <Field
          {...{ name: 'since', label: 'Shared since (UTC)', value: asked?.since, maxLength: 20, required: true }}
          hint="such as 2026-11-20T00:00:00Z"
        />
        <Button>Count</Button>
      </form>
      {asked !== undefined && pending !== undefined && (
        <Form action={links.proposeHold()} csrf={viewer.csrf} once={once} class="stack">
          <p>
            <strong>{numberText(pending)}</strong> live {pending === 1 ? 'signal' : 'signals'} of {asked.participant}{' '}
            since {asked.since} would be held.
          </p>
          <input type="hidden" name="participant" value={asked.participant} />
          <input type="hidden" name="since" value={asked.since} />
          <Button kind="danger" disabled={pending === 0}>
            Propose to hold them
          </Button>
        </Form>
      )}
    </section>
    <section class="part">
      <h2>Undo</h2>
      <Form action={links.proposeRelease()} csrf={viewer.csrf} once={once} class="fields">
        <Select
          {...{ name: 'participant', label: 'Source', id: 'release-participant', value: asked?.participant }}
          choices={sources.map((value) => ({ value, label: value }))}
        />
        <Button>Propose to release everything held so</Button>
      </Form>
    </section>
  </>
)
