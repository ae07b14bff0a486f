import type { VNode } from 'preact'
import type { SaidOf } from '../../feedback/sent-schema.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Form, TextArea } from '../parts/form.tsx'
import { Errors, errorOf } from '../parts/note.tsx'
import { Time } from '../parts/text.tsx'
import { maySpeak } from '../sending.ts'
import { hasEnded } from './sent.tsx'
import type { SentSignalView } from './sent-signal.tsx'

/** Who needs information, and what was answered; the open ones with the way to answer. */
export const Questions = (view: SentSignalView): VNode | null => {
  const { one } = view
  const asked = one.said.filter(({ outcome }) => outcome === 'needs_information')
  if (asked.length === 0) return null
  return (
    <section aria-labelledby="questions-title">
      <h2 id="questions-title">Questions</h2>
      {asked.map((said) => (
        <Question key={said.giver} said={said} view={view} />
      ))}
    </section>
  )
}

const Question = ({ said, view }: { said: SaidOf; view: SentSignalView }): VNode => {
  const { one, now, viewer } = view
  const own = view.refused?.asker === said.giver ? view.refused : undefined
  const answer = one.answers.find(({ asker, at }) => asker === said.giver && at >= said.at)
  return (
    <article class="panel" aria-label={`Question of ${said.giver}`}>
      <p>
        <strong>{said.giver}</strong> needs more information, since <Time at={said.at} now={now} />
      </p>
      <Errors id={`errors-question-${said.giver}`} refusal={own?.refusal} />
      <p class="muted">What it asks stands below, under its name, once it is revealed.</p>
      {answer !== undefined ? (
        <>
          <p>
            <Badge tone="ok" icon="ok">
              Answered
            </Badge>{' '}
            <Time at={answer.at} now={now} />
          </p>
          <p class="words">{answer.note}</p>
        </>
      ) : hasEnded(one) ? (
        <p class="muted">The signal is over: there is nothing to answer any more.</p>
      ) : maySpeak(viewer) ? (
        <AnswerForm said={said} view={view} />
      ) : (
        <p class="muted">A lead or a partner administrator of your organisation answers it.</p>
      )}
    </article>
  )
}

const AnswerForm = ({ said, view }: { said: SaidOf; view: SentSignalView }): VNode => {
  const { one, viewer, once, refused } = view
  const own = refused?.asker === said.giver ? refused : undefined
  return (
    <Form
      action={links.answerQuestion(one.signal, said.giver)}
      csrf={viewer.csrf}
      once={once}
      class="answer"
      label={`Answer the question of ${said.giver}`}
    >
      <TextArea
        {...{ name: 'note', id: `answer-${said.giver}`, maxLength: 500, reader: 'shared', required: true }}
        label={`Answer, visible to ${said.giver}`}
        hint="No personal data; name things by their ids. What changes the signal itself is a revision."
        value={own?.typed['note']}
        error={errorOf(own?.refusal, 'note')}
      />
      <Button kind="primary">Answer</Button>
      <p class="hint">
        It goes into the inbox of {said.giver} and opens its case again. Nobody's key signs it, and it says so.
      </p>
    </Form>
  )
}
