import type { VNode } from 'preact'
import { VERDICTS } from '../../feedback/schema.ts'
import { FIGURES_DAYS, type QueueCounts, type ReviewFigures } from '../../review/schema.ts'
import { links } from '../links.ts'
import { Empty } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import { numberText, spanText } from '../parts/text.tsx'
import { VERDICT_WORDS } from '../words.ts'
import { SettingForm, type SettingView } from './review-setting.tsx'

export interface LeadsView extends SettingView {
  figures: ReviewFigures
  counts: QueueCounts
}

/** How the work goes: of cases and sources, never of a person. */
export const LeadsPage = ({ figures, counts, viewer, setting, refusal }: LeadsView): VNode => (
  <div class="leads">
    <section aria-labelledby="now-title">
      <h2 id="now-title">Now</h2>
      <dl class="figures">
        <Figure name="Open" value={numberText(figures.open)} href={links.queue()} />
        <Figure
          name="Overdue"
          value={numberText(figures.overdue)}
          of={`of ${numberText(figures.open)} open`}
          isBad={figures.overdue > 0}
        />
        <Figure name="Due within the hour" value={numberText(counts.at_risk)} />
        <Figure name="Half wait at most" value={ageOf(figures.age_seconds.p50)} />
        <Figure name="Nine of ten wait at most" value={ageOf(figures.age_seconds.p90)} />
        <Figure name="Parked" value={numberText(counts.held)} href={links.queue({ state: 'held' })} />
        <Figure name="In second review" value={numberText(counts.second)} href={links.secondReviews()} />
        <Figure name="Disputed" value={numberText(counts.disputed)} href={links.queue({ disputed: 'yes' })} />
      </dl>
    </section>
    <Recent figures={figures} />
    <Alike figures={figures} />
    <SettingForm {...{ viewer, setting, refusal }} />
    <section aria-labelledby="after-title">
      <h2 id="after-title">After action</h2>
      <p>
        Of <strong>{numberText(figures.acted)}</strong> signals that were acted on,{' '}
        <strong>{numberText(figures.seen_again)}</strong> were seen again, with{' '}
        <strong>{numberText(figures.hits_since_action)}</strong> hits since.
      </p>
    </section>
  </div>
)

/** How often two who decide the same case apart come to the same verdict, and what one person alone stood for. */
const Alike = ({ figures: { samples, single_reviewed } }: Pick<LeadsView, 'figures'>): VNode => (
  <section aria-labelledby="alike-title">
    <h2 id="alike-title">Second looks</h2>
    <p>
      Of <strong>{numberText(samples.opened)}</strong> closed decisions that were chosen in the last {FIGURES_DAYS}{' '}
      days, <strong>{numberText(samples.answered)}</strong> were decided a second time, and{' '}
      <strong>{numberText(samples.agreed)}</strong> of these alike.
      {single_reviewed > 0 && ` ${numberText(single_reviewed)} confirmations at critical were one person’s alone.`}
    </p>
  </section>
)

const ageOf = (seconds: number | null): string => (seconds === null ? '–' : spanText(seconds * 1_000))

interface FigureProps {
  name: string
  value: string
  of?: string
  href?: `/${string}`
  isBad?: boolean
}

const Figure = ({ name, value, of, href, isBad = false }: FigureProps): VNode => (
  <div class={isBad ? 'figure figure-bad' : 'figure'}>
    <dt>{name}</dt>
    <dd>
      {href === undefined ? value : <a href={href}>{value}</a>}
      {of !== undefined && <span class="muted"> {of}</span>}
    </dd>
  </div>
)

const partOf = (n: number, all: number): string =>
  all === 0 ? 'of none' : `of ${numberText(all)} decided (${Math.round((100 * n) / all)} %)`

const Recent = ({ figures: { recent } }: Pick<LeadsView, 'figures'>): VNode => (
  <section aria-labelledby="recent-title">
    <h2 id="recent-title">Last {recent.days} days</h2>
    <dl class="figures">
      <Figure name="Cases that came" value={numberText(recent.inbound)} />
      <Figure name="Decided and delivered" value={numberText(recent.decided)} />
      <Figure
        name="Decided late"
        value={numberText(recent.late)}
        of={partOf(recent.late, recent.decided)}
        isBad={recent.late > 0}
      />
      <Figure name="Corrections" value={numberText(recent.reversals)} of={partOf(recent.reversals, recent.decided)} />
    </dl>
    <h3>Verdicts by source</h3>
    {recent.sources.length === 0 ? (
      <Empty title="Nothing was decided">Once decisions are delivered, what they say of each source stands here.</Empty>
    ) : (
      <Table
        label="Verdicts by source"
        columns={[
          { title: 'Source' },
          ...VERDICTS.map((verdict) => ({ title: VERDICT_WORDS[verdict].label, numeric: true })),
          { title: 'All', numeric: true },
        ]}
      >
        {recent.sources.map(({ source, verdicts }) => (
          <tr key={source}>
            <th scope="row">{source}</th>
            {VERDICTS.map((verdict) => (
              <td key={verdict} class="number">
                {verdicts[verdict] ?? <span class="muted">0</span>}
              </td>
            ))}
            <td class="number">{Object.values(verdicts).reduce((a, b) => a + b, 0)}</td>
          </tr>
        ))}
      </Table>
    )}
    <p class="hint">Counts stop at 10 000 rows. There are no figures of persons.</p>
  </section>
)
