import type { VNode } from 'preact'
import { NOTE_MAX, REASONS, VERDICTS } from '../../feedback/schema.ts'
import { SEVERITY } from '../../review/priority.ts'
import type { CaseInfo, DecisionInfo } from '../../review/schema.ts'
import { personsFor } from '../../review/second.ts'
import { links } from '../links.ts'
import { Button, Field, Form, TextArea } from '../parts/form.tsx'
import { errorOf, Note } from '../parts/note.tsx'
import { KeyHint } from '../parts/own-keys.tsx'
import { COUNT_WORDS, DISPUTING, plain, reasonLabel, VERDICT_WORDS, verdictLabel } from '../words.ts'
import { type CaseView, isStale, isTaken } from './case-view.ts'
import { ProposalActs } from './proposal.tsx'

/** What may be decided now, or what was. */
export const DecidePart = (view: CaseView): VNode =>
  view.one.state === 'open' ? <Open {...view} /> : <Over {...view} />

function Open(view: CaseView): VNode {
  const { grip, typed, refusal } = view
  const taken = isTaken(view)
  if (grip !== undefined && (grip.live || !taken)) return <DecideForm {...view} mode="decide" />
  const isKept = Object.keys(typed).length > 0 && isStale(refusal)
  return isKept ? <DecideForm {...view} mode={taken ? 'blocked' : 'reclaim'} /> : <Unclaimed {...view} />
}

function Over(view: CaseView): VNode {
  const { one, typed, refusal, viewer } = view
  const last = one.decisions?.at(-1)
  const isTyped = Object.keys(typed).length > 0
  return (
    <section class="panel" aria-labelledby="decided-title">
      <h2 id="decided-title">Decision</h2>
      {last === undefined ? <p class="muted">Nothing was decided.</p> : <Decided decision={last} source={one.source} />}
      {one.state === 'awaiting_second' && last !== undefined && (
        <ProposalActs one={one} decision={last} viewer={viewer} />
      )}
      {one.state === 'closed' && <Correction {...view} isTyped={isTyped} />}
      {one.state !== 'closed' && isTyped && isStale(refusal) && <DecideForm {...view} mode="blocked" />}
    </section>
  )
}

const Correction = ({ isTyped, ...view }: CaseView & { isTyped: boolean }): VNode => (
  <details class="correct" open={isTyped}>
    <summary class="button button-plain">Correct it</summary>
    <p class="hint">A correction is a decision of its own: everybody who was told of the first one is told of it.</p>
    <DecideForm {...view} mode="correct" />
  </details>
)

const Unclaimed = ({ one }: CaseView): VNode => (
  <section class="panel" aria-labelledby="decide-title">
    <h2 id="decide-title">Decide</h2>
    <p class="muted">Whoever has claimed the case decides it: two people never decide the same one.</p>
    {one.decisions !== undefined && one.decisions.length > 0 && (
      <p class="muted">What was decided of it before stands in the timeline.</p>
    )}
  </section>
)

/** What was decided, with the words of one's own. */
export const Decided = ({ decision, source }: { decision: DecisionInfo; source: string }): VNode => {
  const counts = Object.entries(decision.counts)
  return (
    <div class="decided">
      <p>
        <strong>{verdictLabel(decision.verdict)}</strong>
        {`, ${reasonLabel(decision.reason).toLowerCase()}`}
      </p>
      <p class="muted">
        by {decision.decided_by}
        {decision.approved_by !== undefined && `, approved by ${decision.approved_by}`}
        {decision.category_suggested !== undefined && `, suggests ${plain(decision.category_suggested)}`}
      </p>
      {counts.length > 0 && (
        <p>{counts.map(([name, n]) => `${COUNT_WORDS[name as keyof typeof COUNT_WORDS]}: ${n}`).join(' · ')}</p>
      )}
      {decision.note_team !== undefined && (
        <p class="said said-private">
          <span class="said-label">Team note</span>
          <span class="said-text">{decision.note_team}</span>
        </p>
      )}
      {decision.note_shared !== undefined && (
        <p class="said said-shared">
          <span class="said-label">Note to {source}</span>
          <span class="said-text">{decision.note_shared}</span>
        </p>
      )}
    </div>
  )
}

type Mode = 'decide' | 'correct' | 'reclaim' | 'blocked'

/** The same fields wherever something is decided; what was typed is in them again after a refusal. */
const DecideForm = (view: CaseView & { mode: Mode }): VNode => {
  const { one, viewer, grip, typed, refusal, mode, decision } = view
  const isOpen = mode === 'decide' || mode === 'reclaim'
  return (
    <section class={mode === 'correct' ? 'decide' : 'panel decide'} aria-label="Decide">
      {mode !== 'correct' && <h2>{mode === 'blocked' ? 'What you had typed' : 'Decide'}</h2>}
      <Form action={links.decideCase(one.case)} csrf={viewer.csrf} id="decide" class="decide-form">
        <input type="hidden" name="decision" value={decision} />
        <input type="hidden" name="version" value={String(one.version)} />
        {isOpen && grip !== undefined && <input type="hidden" name="token" value={grip.token} />}
        <Verdicts {...{ one, typed, criticalSecond: view.criticalSecond, error: errorOf(refusal, 'verdict') }} />
        <Reasons typed={typed} error={reasonError(view)} />
        <CategoryField {...view} />
        <Counts typed={typed} refusal={refusal} />
        <TextArea
          name="note_team"
          label="Team note"
          hint="For your own team alone."
          reader="private"
          rows={2}
          maxLength={NOTE_MAX}
          value={typed['note_team']}
          error={errorOf(refusal, 'note_team')}
        />
        <TextArea
          name="note_shared"
          label={`Note visible to ${one.source}`}
          hint="The source reads it. No names, addresses or numbers."
          reader="shared"
          rows={3}
          maxLength={NOTE_MAX}
          value={typed['note_shared']}
          error={errorOf(refusal, 'note_shared')}
        />
        <Acts {...view} />
      </Form>
    </section>
  )
}

/** A reason is wrong by itself, or for lack of a note: either is said where it is chosen. */
const reasonError = ({ refusal }: CaseView): string | undefined =>
  refusal?.code === 'reason-unknown'
    ? `Choose ${refusal.detail ?? 'a reason of the verdict'}.`
    : errorOf(refusal, 'reason')

interface VerdictsProps extends Pick<CaseView, 'criticalSecond'> {
  one: CaseInfo
  typed: CaseView['typed']
  error: string | undefined
}

const Verdicts = ({ one, typed, error, criticalSecond }: VerdictsProps): VNode => (
  <fieldset class="verdicts" aria-describedby={error === undefined ? undefined : 'verdict-error'}>
    <legend>Verdict</legend>
    {VERDICTS.map((verdict) => {
      const { key, label, follows } = VERDICT_WORDS[verdict]
      const persons = personsFor({ severity: SEVERITY[one.severity], verdict, escalate: false }, criticalSecond)
      return (
        <label key={verdict} class="verdict" title={follows}>
          <input
            type="radio"
            name="verdict"
            value={verdict}
            checked={typed['verdict'] === verdict}
            data-key={key}
            required
          />
          <span class="key" aria-hidden="true">
            {key}
          </span>
          <span>{label}</span>
          {persons === 'two' && <span class="verdict-second">2nd person</span>}
          {persons === 'marked' && <span class="verdict-second">told as one person’s</span>}
        </label>
      )
    })}
    {error !== undefined && (
      <p class="field-error" id="verdict-error">
        {error}
      </p>
    )}
  </fieldset>
)

/** All reasons by verdict: with JavaScript only those of the chosen one are left. */
const Reasons = ({ typed, error }: { typed: CaseView['typed']; error: string | undefined }): VNode => (
  <div class={error === undefined ? 'field' : 'field field-refused'}>
    <label for="f-reason">Reason</label>
    <select
      id="f-reason"
      name="reason"
      class="input"
      data-key="r"
      data-reasons
      required
      aria-invalid={error === undefined ? undefined : true}
      aria-describedby={error === undefined ? undefined : 'f-reason-error'}
    >
      <option value="">Choose</option>
      {VERDICTS.map((verdict) => (
        <optgroup key={verdict} label={VERDICT_WORDS[verdict].label} data-verdict={verdict}>
          {REASONS[verdict].map((reason) => (
            <option key={reason} value={reason} selected={typed['reason'] === reason}>
              {reasonLabel(reason)}
              {verdict === 'not_violating' && DISPUTING.has(reason) ? ' (opens a dispute)' : ''}
            </option>
          ))}
        </optgroup>
      ))}
      <option value="other" selected={typed['reason'] === 'other'}>
        {reasonLabel('other')}
      </option>
    </select>
    {error !== undefined && (
      <p class="field-error" id="f-reason-error">
        {error}
      </p>
    )}
  </div>
)

const CategoryField = ({ one, typed, refusal, categories }: CaseView): VNode => {
  const error = errorOf(refusal, 'category_suggested')
  return (
    <div class={error === undefined ? 'field' : 'field field-refused'} data-for-verdict="disagree_category">
      <label for="f-category">Category that fits better</label>
      <select id="f-category" name="category_suggested" class="input">
        <option value="">{`As it is: ${plain(one.category)}`}</option>
        {categories
          .filter((slug) => slug !== one.category)
          .map((slug) => (
            <option key={slug} value={slug} selected={typed['category_suggested'] === slug}>
              {plain(slug)}
            </option>
          ))}
      </select>
      {error !== undefined && <p class="field-error">{error}</p>}
    </div>
  )
}

/** Empty is "not reported", which is something else than none. */
const Counts = ({ typed, refusal }: Pick<CaseView, 'typed' | 'refusal'>): VNode => (
  <fieldset class="outcome-counts">
    <legend>
      What was done <span class="muted">empty: not reported; 0: none</span>
    </legend>
    {Object.entries(COUNT_WORDS).map(([name, label]) => (
      <Field
        key={name}
        name={name}
        label={label}
        width="narrow"
        inputMode="numeric"
        pattern="[0-9]{1,7}"
        maxLength={7}
        value={typed[name]}
        error={errorOf(refusal, name)}
      />
    ))}
  </fieldset>
)

const Acts = ({ one, mode, typed }: CaseView & { mode: Mode }): VNode => {
  if (mode === 'blocked')
    return <Note tone="info">Copy what you want to keep: the case is no longer yours to decide.</Note>
  if (mode === 'reclaim')
    return (
      <div class="decide-acts">
        <button type="submit" class="button button-primary" formaction={links.claimCase(one.case)} formnovalidate>
          Claim again and keep this
        </button>
      </div>
    )
  return (
    <>
      <label class="check">
        <input type="checkbox" name="escalate" value="yes" checked={typed['escalate'] === 'yes'} data-key="e" />
        Ask a second person, though none is needed
        <KeyHint usual="e" />
      </label>
      <div class="decide-acts">
        <Button kind="primary" name="go" value="stay" keyName="s" id="submit">
          {mode === 'correct' ? 'Submit correction' : 'Submit'}
        </Button>
        {mode === 'decide' && (
          <Button name="go" value="next" keyName="n">
            Submit & next
          </Button>
        )}
      </div>
    </>
  )
}
