import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { ListedParticipant } from '../../participants/directory.ts'
import { scopesOf } from '../../participants/policy.ts'
import type { Presented } from '../../participants/read-back.ts'
import { links } from '../links.ts'
import { Button, Field, Form } from '../parts/form.tsx'
import { errorOf } from '../parts/note.tsx'
import { Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'

export interface JoiningProps {
  participant: ListedParticipant
  /** Keys that wait for their fingerprints. */
  presented: readonly Presented[]
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
  typed: Readonly<Record<string, string>>
}

/** What an administrator does until an organisation works: read a key back, invite a system, end the probation. */
export const Joining = (props: JoiningProps): VNode => {
  const { participant, presented, viewer, once, now } = props
  return (
    <>
      {presented.map((one) => (
        <ReadBack key={one.credential} {...props} one={one} />
      ))}
      <Invite {...props} />
      {participant.probation_until !== null && (
        <section class="part narrow">
          <h2>Probation</h2>
          <p>
            Until <Time at={participant.probation_until} now={now} />. It ends by two persons, once a key works and a
            conformance run has passed.
          </p>
          <Form action={links.endProbation(participant.slug)} csrf={viewer.csrf} once={once}>
            <Button>Ask to end the probation</Button>
          </Form>
        </section>
      )}
    </>
  )
}

const ReadBack = ({
  one,
  participant,
  viewer,
  once,
  refusal,
  typed,
  now,
}: JoiningProps & { one: Presented }): VNode => (
  <section class="part narrow" id={`read-back-${one.credential}`}>
    <h2>A key of {one.label} waits</h2>
    <p>
      It was presented <Time at={one.presented_at} now={now} /> and does nothing yet. Call the organisation on a number
      that you had before, let it read the fingerprint of its key to you, and type what you hear. It is not shown here,
      so that nobody copies it.
    </p>
    <Form action={links.readBack(participant.slug)} csrf={viewer.csrf} once={once} class="fields">
      <input type="hidden" name="credential" value={one.credential} />
      <Field
        {...{ name: 'fingerprint', id: `f-${one.credential}`, label: 'Fingerprint', required: true, maxLength: 128 }}
        width="wide"
        hint="64 digits 0-9 and a-f, with colons or spaces or without."
        error={typed['credential'] === one.credential ? errorOf(refusal, 'fingerprint') : undefined}
      />
      <Button kind="primary">Let the key work</Button>
    </Form>
    <p class="muted">
      Until <Time at={one.expires_at} now={now} />; after that it takes another code.
    </p>
  </section>
)

const Invite = ({ participant, viewer, once, refusal, typed }: JoiningProps): VNode => (
  <details class="part narrow" open={typed['label'] !== undefined}>
    <summary>Invite a system of {participant.name} …</summary>
    <Form action={links.invite(participant.slug)} csrf={viewer.csrf} once={once} class="fields">
      <Field
        {...{ name: 'label', label: 'Which system', required: true, maxLength: 80, value: typed['label'] ?? 'main' }}
        error={errorOf(refusal, 'label')}
      />
      <fieldset>
        <legend>What it may do</legend>
        {scopesOf(participant.kind).map((scope) => (
          <label key={scope} class="check">
            <input type="checkbox" name="scopes[]" value={scope} checked={USUAL.has(scope)} /> {scope}
          </label>
        ))}
      </fieldset>
      <p class="muted">
        Another administrator approves it. The one-time code is shown once, to whoever carries it out, and holds for 30
        minutes.
      </p>
      <Button kind="primary">Ask for a code</Button>
    </Form>
  </details>
)

const USUAL: ReadonlySet<string> = new Set([
  ...['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'lookup:open', 'provenance:read'],
])
