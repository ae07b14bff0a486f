import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { Drafting, ListedReport } from '../../publishing/service.ts'
import { Figures } from '../../reports/page.tsx'
import type { Report } from '../../reports/schema.ts'
import type { Period } from '../../reports/tally.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { CommandLine } from '../parts/command.tsx'
import { Button, Field, Form } from '../parts/form.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Hash, numberText, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
/** Of whole days; the last one is the first that is not of it. */
export const periodText = ({ from, to }: Period): string => `${day(from)} to ${day(to)} (without it)`

export interface ReportsProps {
  reports: readonly ListedReport[]
  drafting: Drafting | undefined
  viewer: Viewer
  /** Whether the viewer makes and publishes them. */
  mayMake: boolean
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
  typed: Readonly<Record<string, string>>
}

/** Reports that were published, and for governance those that may be. */
export const ReportsPage = (props: ReportsProps): VNode => {
  const { reports, mayMake } = props
  return (
    <>
      <p class="lead">
        Figures of a period, computed from the log at a frozen checkpoint. Whoever has an export recomputes them to the
        digit.
      </p>
      {mayMake && <NewDraft {...props} />}
      <section class="part">
        <h2>{mayMake ? 'Drafts and published reports' : 'Published reports'}</h2>
        {reports.length === 0 ? <Empty title="There is no report yet" /> : <List {...props} />}
      </section>
    </>
  )
}

const COLUMNS = [
  { title: 'Period' },
  { title: 'Entries', numeric: true, hint: 'of the log, that the figures are made of' },
  { title: 'Made' },
  { title: 'State' },
]

const List = ({ reports, now }: ReportsProps): VNode => (
  <Table label="Transparency reports" columns={COLUMNS}>
    {reports.map(({ digest, period, size, madeAt, published }) => (
      <tr key={digest} id={`report-${digest}`} data-row>
        <td>
          <a href={links.report(digest)} data-open-row>
            {periodText(period)}
          </a>
        </td>
        <td class="number">{numberText(size)}</td>
        <td>
          <Time at={madeAt} now={now} />
        </td>
        <td>
          {published === undefined ? (
            <Badge>draft</Badge>
          ) : (
            <Badge tone="ok" icon="ok">
              published
            </Badge>
          )}
        </td>
      </tr>
    ))}
  </Table>
)

const NewDraft = ({ drafting, viewer, once, refusal, typed }: ReportsProps): VNode => (
  <section class="part">
    <h2>Make a draft</h2>
    {drafting !== undefined && <Progress drafting={drafting} />}
    <Errors refusal={refusal} />
    {drafting?.state !== 'running' && (
      <Form action={links.draftReport()} csrf={viewer.csrf} once={once} class="fields">
        <Field
          {...{ type: 'date', name: 'from', label: 'From', hint: 'a day (UTC)', required: true }}
          value={typed['from']}
          error={errorOf(refusal, 'from')}
        />
        <Field
          {...{ type: 'date', name: 'to', label: 'To, without it', hint: 'a day that is over', required: true }}
          value={typed['to']}
          error={errorOf(refusal, 'to')}
        />
        <Button kind="primary">Compute</Button>
      </Form>
    )}
    <p class="muted">Every entry of the log is looked at, and that is recorded.</p>
  </section>
)

const Progress = ({ drafting }: { drafting: Drafting }): VNode => {
  const { state, done, size, period, digest, why } = drafting
  if (state === 'failed')
    return (
      <Note tone="crit" title="The last draft was not made">
        {why}
      </Note>
    )
  if (state === 'done')
    return (
      <Note tone="ok" title={`${periodText(period)} is computed`}>
        {digest !== undefined && <a href={links.report(digest)}>Look at the draft</a>}
      </Note>
    )
  return (
    <Note title={`Computing ${periodText(period)}`}>
      <progress max={Number(size)} value={Number(done)} aria-label="entries" /> {numberText(done)} of {numberText(size)}{' '}
      entries. <a href={links.reports()}>Look again</a>
    </Note>
  )
}

export interface ReportProps {
  listed: ListedReport
  report: Report
  viewer: Viewer
  mayMake: boolean
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
}

export const ReportPage = (props: ReportProps): VNode => {
  const { listed, report, now } = props
  const { digest, published } = listed
  return (
    <div class="report">
      <p class="lead">
        {periodText(listed.period)}, from {numberText(listed.size)} entries of the log. Counts from 1 to {report.k - 1}{' '}
        are withheld, and cells that would tell them.
      </p>
      <Facts>
        <Fact name="digest">
          <Hash value={digest} label="digest" />
        </Fact>
        <Fact name="state">
          {published === undefined ? (
            <Badge>draft</Badge>
          ) : (
            <>
              <Badge tone="ok" icon="ok">
                published
              </Badge>{' '}
              <Time at={published.at} now={now} />
            </>
          )}
        </Fact>
        <Fact name="files">
          {(['json', 'csv', 'html'] as const).map((form) => (
            <>
              <a href={links.reportFile(digest, form)} download>
                {form.toUpperCase()}
              </a>{' '}
            </>
          ))}
          <span class="muted">This page prints as it stands.</span>
        </Fact>
      </Facts>
      <Publish {...props} />
      <Figures figures={report.figures} />
      <section>
        <h2>How to check this report</h2>
        <p>
          Download the JSON, export the log as an auditor, and recompute every figure; <code>aldis audit</code> does so
          for every published report (check 16).
        </p>
        <CommandLine label="Recompute it" command="aldis report verify REPORT.json --log EXPORT" />
      </section>
    </div>
  )
}

const Publish = ({ listed, viewer, mayMake, once, refusal }: ReportProps): VNode | null =>
  mayMake && listed.published === undefined ? (
    <section class="part">
      <h2>Publish</h2>
      <Errors refusal={refusal} />
      <p>
        A person of governance of another organisation approves it. The log then names period, size, digest and format
        for good; everybody who takes part may fetch the report. Recompute it from an export before you propose or
        approve it.
      </p>
      <Form action={links.publishReport(listed.digest)} csrf={viewer.csrf} once={once}>
        <Button kind="primary">Propose publication</Button>
      </Form>
    </section>
  ) : null
