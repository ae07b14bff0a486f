import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { ListedCredential, ListedParticipant } from '../../participants/directory.ts'
import type { Standing } from '../administering.ts'
import { links } from '../links.ts'
import { Button, Form, LinkButton, Select } from '../parts/form.tsx'
import { Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts } from '../parts/table.tsx'
import { Hash, numberText } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'

/** Codes, since the log holds no free text. */
export const REASONS: Readonly<Record<string, string>> = {
  key_theft: 'A key is in other hands',
  breach_suspected: 'Its systems may be broken into',
  misuse: 'It uses signals against the agreement',
  asked_by_participant: 'It asks for it itself',
  other: 'Something else, told to the reviewer',
}

interface CutOffProps {
  participant: ListedParticipant
  /** The one key that would end; all of them where it is absent. */
  credential?: ListedCredential | undefined
  standing: Standing
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
  typed: Readonly<Record<string, string>>
}

/** First what would end and what stays, then the act, which one person may do alone. */
export const CutOffPage = (props: CutOffProps): VNode => {
  const { participant, credential, standing, viewer, refusal } = props
  const here =
    credential === undefined ? links.suspend(participant.slug) : links.revoke(participant.slug, credential.credential)
  return (
    <div class="columns">
      <section class="part">
        <h2>What it touches</h2>
        {credential === undefined ? <Suspended standing={standing} /> : <Revoked {...{ credential, standing }} />}
        <Note title="What it does not do">
          Signals that others have stay with them, and so do cases and what was answered. Nothing is deleted.
        </Note>
      </section>
      <section class="part decide" aria-labelledby="cut-title">
        <h2 id="cut-title">Decide alone</h2>
        <p>
          This waits for nobody. Another person, governance or a second administrator, is asked to review it within a
          day.
        </p>
        <Errors refusal={refusal} />
        {viewer.steppedUp ? (
          <Form action={here} csrf={viewer.csrf} once={props.once} class="stack">
            <Select
              name="reason"
              label="Why"
              value={props.typed['reason']}
              choices={Object.entries(REASONS).map(([value, label]) => ({ value, label }))}
              error={errorOf(refusal, 'reason')}
            />
            <Button kind="danger">
              {credential === undefined ? `Suspend ${participant.name} now` : 'Revoke this key now'}
            </Button>
          </Form>
        ) : (
          <LinkButton href={links.stepUp(here)} kind="primary" keyName="y">
            Confirm it is you
          </LinkButton>
        )}
      </section>
    </div>
  )
}

const Suspended = ({ standing }: { standing: Standing }): VNode => (
  <Facts>
    <Fact name="feeds">
      {standing.audiences}, no longer served to it; what comes meanwhile is there when it returns
    </Fact>
    <Fact name="TLS keys">{standing.credentials}, cut off within seconds, and working again when it returns</Fact>
    <Fact name="connections">{standing.connections} open on this node, cut at once</Fact>
    <Fact name="people">{standing.people} signed in; whoever of them asks next finds nothing of the programme</Fact>
    <Fact name="open cases">{numberText(standing.cases)}, left undecided</Fact>
    <Fact name="its signals">
      {numberText(standing.sent)}
      {standing.more && ' or more'} of the last 30 days, left with recipients; nobody of it answers for them
    </Fact>
  </Facts>
)

const Revoked = ({ credential, standing }: { credential: ListedCredential; standing: Standing }): VNode => (
  <Facts>
    <Fact name="key">
      {credential.label} <Hash value={credential.spki} label="fingerprint of the key" />
    </Fact>
    <Fact name="connections">{standing.connections} open on this node, cut at once</Fact>
    <Fact name="other keys">
      {standing.credentials - 1} of the organisation, working as before
      {standing.credentials === 1 && ': it cannot connect until a new one is enrolled'}
    </Fact>
    <Fact name="for good">A revoked key is never enrolled again.</Fact>
  </Facts>
)
