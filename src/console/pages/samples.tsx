import type { VNode } from 'preact'
import { REASONS, VERDICTS } from '../../feedback/schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { SampleList, SampleResult } from '../../review/sample-schema.ts'
import type { CaseInfo } from '../../review/schema.ts'
import { links } from '../links.ts'
import { Button, Form, LinkButton } from '../parts/form.tsx'
import { Empty, Errors, Note } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import { spanText } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'
import { plain, reasonLabel, typeLabel, VERDICT_WORDS, verdictLabel } from '../words.ts'
import { Facts } from './case-facts.tsx'
import { SeverityMark, shortId } from './case-parts.tsx'

type Sample = SampleList['samples'][number]

/** Closed cases of colleagues, without what they decided. */
export const SamplesPage = ({ samples, now }: { samples: readonly Sample[]; now: Date }): VNode =>
  samples.length === 0 ? (
    <Empty title="Nothing waits for a second look">
      A share of what your colleagues closed appears here, if your lead has set one.
    </Empty>
  ) : (
    <>
      <p class="lead">You see what they saw, and not what they decided. Your verdict alters nothing: it is compared.</p>
      <Table
        label="Cases for a second look"
        columns={[
          { title: 'Signal' },
          { title: 'Category' },
          { title: 'Severity' },
          { title: 'From' },
          { title: 'Closed' },
        ]}
      >
        {samples.map(({ sample, case: one, opened_at }) => (
          <tr key={sample} data-row>
            <td>
              <a href={links.sample(sample)} data-open-row>
                {typeLabel(one.type)} <code>{shortId(one.signal)}</code>
              </a>
            </td>
            <td>{plain(one.category)}</td>
            <td>
              <SeverityMark severity={one.severity} />
            </td>
            <td>{one.source}</td>
            <td>{spanText(now.getTime() - Date.parse(opened_at))} ago</td>
          </tr>
        ))}
      </Table>
    </>
  )

interface SampleView {
  viewer: Viewer
  sample: Sample
  /** The case with what its signal says. */
  one: CaseInfo
  now: Date
  audience: string | undefined
  refusal: Refusal | undefined
}

export const SamplePage = ({ viewer, sample, one, now, audience, refusal }: SampleView): VNode => (
  <div class="case-columns">
    <div>
      <Facts one={withoutTexts(one)} now={now} audience={audience} />
      <p class="muted">
        {one.own_hits} {one.own_hits === 1 ? 'hit' : 'hits'} here
      </p>
    </div>
    <div>
      <Errors refusal={refusal} />
      <Form action={links.sample(sample.sample)} csrf={viewer.csrf} class="decide-form" label="Decide it a second time">
        <div class="field">
          <label for="sample-verdict">What would you have decided?</label>
          <select id="sample-verdict" name="outcome" class="input" required>
            <option value="">Choose</option>
            {VERDICTS.map((verdict) => (
              <optgroup key={verdict} label={VERDICT_WORDS[verdict].label}>
                {REASONS[verdict].map((reason) => (
                  <option key={reason} value={`${verdict}.${reason}`}>
                    {`${VERDICT_WORDS[verdict].label}: ${reasonLabel(reason)}`}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        </div>
        <p class="hint">It alters nothing and leaves your organisation in no form.</p>
        <Button kind="primary" keyName="s">
          Submit
        </Button>
      </Form>
    </div>
  </div>
)

/** Once the second verdict stands, the first is no secret. */
export const SampledPage = ({ result }: { result: SampleResult }): VNode => (
  <>
    <Note tone={result.agreed ? 'ok' : 'info'} title={result.agreed ? 'You agree' : 'You came to another verdict'}>
      It was decided: {verdictLabel(result.verdict)}, {reasonLabel(result.reason)}.
    </Note>
    <p class="actions">
      <LinkButton href={links.samples()} keyName="u">
        The others
      </LinkButton>
    </p>
  </>
)

/** Words are revealed on the page of the case alone, which shows what was decided. */
const withoutTexts = ({ said, ...one }: CaseInfo): CaseInfo =>
  said === undefined ? one : { ...one, said: { ...said, texts: [] } }
