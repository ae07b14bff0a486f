import type { VNode } from 'preact'
import type { DisputeOf } from '../../feedback/sent-schema.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Form, TextArea } from '../parts/form.tsx'
import { Errors, errorOf } from '../parts/note.tsx'
import { spanText, Time } from '../parts/text.tsx'
import { maySpeak } from '../sending.ts'
import { ANSWERS, answerLabel, groundLabel } from '../sent-words.ts'
import { WordsOf, wordsId } from './sent-said.tsx'
import type { SentSignalView } from './sent-signal.tsx'

/** Claims that the signal is wrong, and what was answered; the open ones with the way to answer. */
export const Disputes = (view: SentSignalView): VNode | null => {
  const { one } = view
  if (one.disputes.length === 0) return null
  return (
    <section aria-labelledby="disputes-title">
      <h2 id="disputes-title">Disputes</h2>
      {one.disputes.map((dispute) => (
        <Dispute key={dispute.dispute} dispute={dispute} view={view} />
      ))}
    </section>
  )
}

interface DisputeProps {
  dispute: DisputeOf
  view: SentSignalView
}

const Dispute = ({ dispute, view }: DisputeProps): VNode => {
  const { one, now, words, viewer } = view
  const { result, answered_at, opener, ground, opened_at, revision } = dispute
  return (
    <article class="panel" aria-label={`Dispute of ${opener}: ${groundLabel(ground)}`}>
      <p>
        <strong>{groundLabel(ground)}</strong>, by {opener}, of revision {revision}, opened{' '}
        <Time at={opened_at} now={now} />
      </p>
      <p>
        <Standing dispute={dispute} now={now} />
      </p>
      <WordsOf
        id={wordsId(dispute.dispute)}
        href={links.disputeWords(one.signal, dispute.dispute)}
        words={words}
        of={`${opener} in its dispute`}
      />
      {result !== undefined && answered_at !== undefined && (
        <p>
          Answered: {answerLabel(result)}, <Time at={answered_at} now={now} />
        </p>
      )}
      {result === undefined && maySpeak(viewer) && <AnswerForm dispute={dispute} view={view} />}
      {result === undefined && !maySpeak(viewer) && (
        <p class="muted">A lead or a partner administrator of your organisation answers it.</p>
      )}
    </article>
  )
}

const Standing = ({ dispute, now }: { dispute: DisputeOf; now: Date }): VNode => {
  if (dispute.result !== undefined) return <Badge tone="ok">Answered</Badge>
  const ms = dispute.due_at.getTime() - now.getTime()
  return dispute.overdue ? (
    <Badge tone="crit" icon="alert">
      Overdue by {spanText(ms)}: everybody sees that
    </Badge>
  ) : (
    <Badge tone="warn">Answer within {spanText(ms)}</Badge>
  )
}

const AnswerForm = ({ dispute, view }: DisputeProps): VNode => {
  const { one, viewer, once, refused } = view
  const own = refused?.dispute === dispute.dispute ? refused : undefined
  const id = `note-${dispute.dispute}`
  return (
    <Form
      action={links.answerDispute(one.signal, dispute.dispute)}
      csrf={viewer.csrf}
      once={once}
      class="answer"
      label={`Answer the dispute of ${dispute.opener}`}
    >
      <Errors id={`errors-${dispute.dispute}`} refusal={own?.refusal} />
      <fieldset>
        <legend>Your organisation's answer</legend>
        {Object.entries(ANSWERS).map(([result, { label, follows }]) => (
          <label key={result} class="choice">
            <input type="radio" name="result" value={result} required checked={own?.typed['result'] === result} />
            <span>
              <strong>{label}</strong>
              <span class="hint">{follows}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <TextArea
        {...{ name: 'note', id, maxLength: 500, reader: 'shared' }}
        label={`Note, visible to ${dispute.opener}`}
        hint="No personal data; name things by their ids."
        value={own?.typed['note']}
        error={errorOf(own?.refusal, 'note')}
      />
      <Button kind="primary">Answer</Button>
      <p class="hint">
        It is recorded as decided by a person in the console: nobody's key signs it, and {dispute.opener} sees that.
      </p>
    </Form>
  )
}
