import type { VNode } from 'preact'
import type { SentDetail } from '../../feedback/sent-schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { WITHDRAWAL_REASON } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { Button, Form, LinkButton } from '../parts/form.tsx'
import { Errors, Note } from '../parts/note.tsx'
import { Fact, Facts } from '../parts/table.tsx'
import type { Viewer } from '../viewer.ts'
import { plain, typeLabel } from '../words.ts'

export interface WithdrawView {
  viewer: Viewer
  one: SentDetail
  refused?: { refusal: Refusal; reason: string | undefined }
}

type Reason = (typeof WITHDRAWAL_REASON)[number]

const WITHDRAWAL_WORDS: Readonly<Record<Reason, { label: string; follows: string }>> = {
  mistaken: { label: 'Mistaken', follows: 'It was never right. Whoever acted on it looks again.' },
  outdated: { label: 'Outdated', follows: 'It was right once and is no longer.' },
  appeal_upheld: { label: 'Appeal upheld', follows: 'Whoever it is about appealed, and was right.' },
  duplicate: { label: 'Duplicate', follows: 'Another signal of yours says the same.' },
  legal: { label: 'Legal', follows: 'You may not share it any longer.' },
}

/** First whom it reaches, then the decision. It cannot be undone, and says so. */
export const WithdrawPage = ({ viewer, one, refused }: WithdrawView): VNode => (
  <div class="columns">
    <section class="part" aria-labelledby="told-title">
      <h2 id="told-title">Who will be told</h2>
      <Facts>
        <Fact name="signal">
          {typeLabel(one.type)}, {plain(one.category).toLowerCase()}, revision {one.revision}
        </Fact>
        <Fact name="shared with">{one.audience_label}</Fact>
        <Fact name="told">
          {one.reach === undefined
            ? 'every member of it that reads its feed'
            : `${one.reach.members} ${one.reach.members === 1 ? 'organisation' : 'organisations'}; ${one.reach.reached} known to have it`}
        </Fact>
        <Fact name="answered">
          {one.answered === 0
            ? 'nobody said anything of it yet'
            : `${one.answered} of them; whoever confirmed it gets a case to look again`}
        </Fact>
      </Facts>
      <Note title="They see that nobody's key signed it">
        <p>
          People hold no keys. The log records you as the one who decided, and every recipient is told that the node
          attests it. An end can be attested since it only takes away; what says something new is signed where the key
          is: <code>aldis withdraw</code> signs an end too.
        </p>
      </Note>
    </section>
    <section class="part decide" aria-labelledby="withdraw-title">
      <h2 id="withdraw-title">Withdraw it</h2>
      <Errors refusal={refused?.refusal} />
      <Form action={links.withdrawSubmission(one.signal)} csrf={viewer.csrf} class="stack">
        <input type="hidden" name="revision" value={String(one.revision)} />
        <fieldset>
          <legend>Reason, which recipients read</legend>
          {Object.entries(WITHDRAWAL_WORDS).map(([reason, { label, follows }]) => (
            <label key={reason} class="choice">
              <input type="radio" name="reason" value={reason} required checked={refused?.reason === reason} />
              <span>
                <strong>{label}</strong>
                <span class="hint">{follows}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <p class="row">
          <Button kind="danger">Withdraw for everybody</Button>
          <LinkButton href={links.submission(one.signal)}>Keep it</LinkButton>
        </p>
        <p class="hint">It cannot be undone: the signal is over, and is shared again under a new id alone.</p>
      </Form>
    </section>
  </div>
)
