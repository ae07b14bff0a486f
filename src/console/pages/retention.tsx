import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { HOLD_KINDS } from '../../participants/action.ts'
import type { LegalHold } from '../../registers/holds.ts'
import type { RetentionTerms } from '../../registers/retention-terms.ts'
import { HOLD_REASONS } from '../../registers/schema.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Form, Select } from '../parts/form.tsx'
import { Empty, Errors, Note } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import { numberText, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'
import { plain, typeLabel } from '../words.ts'

/** What the next purge takes, as the page shows it; see `PurgePreview`. */
export interface RetentionView {
  policy: RetentionTerms
  preview: {
    reads: readonly { participant: string; n: number; kept: boolean }[]
    signals: readonly { source: string; type: string; n: number }[]
    refusals: { n: number; days: number }
    uploads: readonly { participant: string; n: number; days: number }[]
    requests: readonly { participant: string; n: number; days: number }[]
  }
  run:
    | { startedAt: Date; finishedAt: Date | undefined; removed: number; done: number; of: number; failed: boolean }
    | undefined
  holds: readonly (LegalHold & { slug: string })[]
  participants: readonly string[]
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
}

export const RetentionPage = (view: RetentionView): VNode => (
  <>
    <p class="lead">
      What is kept for how long, what goes next, and what two persons decided to keep. An hourly purge takes what is
      over; a hold stands above it and above every erasure.
    </p>
    <Errors refusal={view.refusal} />
    <div class="columns">
      <Policies {...view} />
      <Next {...view} />
    </div>
    <Holds {...view} />
  </>
)

const Policies = ({ policy }: RetentionView): VNode => (
  <section class="part">
    <h2>Policy, version {policy.version}</h2>
    <Table
      label="Retention by type"
      columns={[{ title: 'What' }, { title: 'Days', numeric: true }, { title: 'At most', numeric: true }]}
    >
      {policy.types.map(({ type, days, most }) => (
        <tr key={type}>
          <td>{typeLabel(type)}</td>
          <td class="number">{days}</td>
          <td class="number">{most}</td>
        </tr>
      ))}
      <tr>
        <td>Read journal</td>
        <td class="number">{policy.readDays}</td>
        <td class="number">{policy.readDays}</td>
      </tr>
    </Table>
    <p>
      <a href={links.changes()}>Versions of policies</a>
    </p>
  </section>
)

const Next = ({ preview, run, participants, viewer, once, now }: RetentionView): VNode => {
  const { reads, signals, refusals, uploads, requests } = preview
  const nothing = [reads, signals, uploads, requests].every(({ length }) => length === 0) && refusals.n === 0
  return (
    <section class="part">
      <h2>Next purge</h2>
      {run !== undefined && <Run run={run} now={now} />}
      {nothing ? (
        <Empty title="Nothing is over" />
      ) : (
        <Table
          label="What the next purge takes"
          columns={[{ title: 'What' }, { title: 'Whose' }, { title: 'Number', numeric: true }, { title: '' }]}
        >
          {reads.map(({ participant, n, kept }) => (
            <Row key={`reads ${participant}`} what="reads beyond their time" whose={participant} n={n} kept={kept} />
          ))}
          {signals.map(({ source, type, n }) => (
            <Row key={`${source} ${type}`} what={`${typeLabel(type)}: expire within a day`} whose={source} n={n} />
          ))}
          {uploads.map(({ participant, n }) => (
            <Row key={`uploads ${participant}`} what="uploads that rested" whose={participant} n={n} />
          ))}
          {requests.map(({ participant, n }) => (
            <Row key={`requests ${participant}`} what="requests listed for a week" whose={participant} n={n} />
          ))}
          {refusals.n > 0 && <Row what="refused connections" whose="-" n={refusals.n} />}
        </Table>
      )}
      <Form action={links.purge()} csrf={viewer.csrf} once={once} class="fields">
        <Select
          {...{ name: 'participant', label: 'Purge reads now, of' }}
          choices={participants.map((value) => ({ value, label: value }))}
        />
        <Button>Purge a portion</Button>
      </Form>
    </section>
  )
}

const Row = ({ what, whose, n, kept }: { what: string; whose: string; n: number; kept?: boolean }): VNode => (
  <tr>
    <td>{what}</td>
    <td>{whose}</td>
    <td class="number">{numberText(n)}</td>
    <td>{kept === true && <Badge tone="warn">held</Badge>}</td>
  </tr>
)

const Run = ({ run, now }: { run: NonNullable<RetentionView['run']>; now: Date }): VNode => {
  const { startedAt, finishedAt, removed, done, of, failed } = run
  if (failed)
    return (
      <Note tone="crit" title="The last purge failed">
        Alarm <code>purge-failing</code>; the log of the process says why. It is tried again within seconds.
      </Note>
    )
  if (finishedAt === undefined)
    return (
      <Note title="A purge runs">
        <progress max={of} value={done} aria-label="organisations" /> {done} of {of} organisations, {removed} removed.
      </Note>
    )
  return (
    <p class="muted">
      The last one ended <Time at={finishedAt} now={now} /> and removed {numberText(removed)}; it began{' '}
      <Time at={startedAt} />.
    </p>
  )
}

const Holds = ({ holds, participants, viewer, once, now }: RetentionView): VNode => (
  <section class="part">
    <h2>Legal holds</h2>
    {holds.length === 0 ? (
      <Empty title="Nothing is held" />
    ) : (
      <Table
        label="Legal holds"
        columns={[{ title: 'Whose' }, { title: 'What' }, { title: 'Why' }, { title: 'Placed' }, { title: 'State' }]}
      >
        {holds.map(({ id, slug, what, reason, placedAt, liftedAt }) => (
          <tr key={id} id={`hold-${id}`}>
            <td>{slug}</td>
            <td>{what}</td>
            <td>{plain(reason)}</td>
            <td>
              <Time at={placedAt} now={now} />
            </td>
            <td>
              {liftedAt === undefined ? (
                <Form action={links.proposeLift()} csrf={viewer.csrf} once={once}>
                  <input type="hidden" name="hold" value={id} />
                  <Badge tone="warn">placed</Badge> <Button>Propose to lift</Button>
                </Form>
              ) : (
                <>
                  lifted <Time at={liftedAt} now={now} />
                </>
              )}
            </td>
          </tr>
        ))}
      </Table>
    )}
    <Form action={links.proposeLegalHold()} csrf={viewer.csrf} once={once} class="fields">
      <Select
        {...{ name: 'participant', label: 'Of', id: 'hold-participant' }}
        choices={participants.map((value) => ({ value, label: value }))}
      />
      <Select
        {...{ name: 'what', label: 'Keep', hint: 'what it read, the values that it shared, or both' }}
        choices={HOLD_KINDS.map((value) => ({ value, label: value }))}
      />
      <Select
        {...{ name: 'reason', label: 'Because' }}
        choices={HOLD_REASONS.map((value) => ({ value, label: plain(value) }))}
      />
      <Button kind="primary">Propose a hold</Button>
    </Form>
  </section>
)
