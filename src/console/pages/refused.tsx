import type { VNode } from 'preact'
import { CATALOGUE, type ErrorCode, type Refusal } from '../../kernel/errors.ts'
import { links } from '../links.ts'
import { LinkButton } from '../parts/form.tsx'
import { Note } from '../parts/note.tsx'

/** What to do next, for what happens to people; the rest is for the log of the node. */
const NEXT: Partial<Record<ErrorCode, string>> = {
  'not-found': 'It may have gone, or it is for another role. Check the address, or go on from the start page.',
  'session-ended': 'Sign in again; you come back to where you were.',
  'form-refused': 'Open the page again and send the form from there. If this happens again, tell your administrator.',
  'sign-in-refused': 'Begin again. If it fails again, tell your administrator the time and the request id below.',
  'step-up-missing': 'Confirm that it is you, then decide.',
  'state-conflict': 'Open the page again to see how it stands now.',
  'self-approval': 'Another person has to decide; you may withdraw what you proposed by letting it expire.',
  'rate-limited': 'Wait a moment, then try again.',
  busy: 'Wait a moment, then try again.',
  'log-halted': 'Nothing can be disclosed or changed until the operator has acted. Tell the operator.',
  'log-behind': 'Nothing can be disclosed or changed until the log is written again. Try again in a minute.',
  internal:
    'Nothing was changed unless you were told so. Try again; if it fails again, tell the operator the request id.',
}

interface RefusedPageProps {
  refusal: Refusal
  requestId: string
  signedIn: boolean
  /** What was typed into the form that was refused, so that it is not lost. */
  typed?: Readonly<Record<string, string>>
}

/** A refusal as a page of its own. */
export const RefusedPage = ({ refusal, requestId, signedIn, typed = {} }: RefusedPageProps): VNode => (
  <div class="refused">
    <Note tone={refusal.status >= 500 ? 'crit' : 'warn'} title={CATALOGUE[refusal.code][1]}>
      {refusal.detail !== undefined && <p>{refusal.detail}</p>}
      <p>{NEXT[refusal.code] ?? 'Go back, mend what is named, and send it again.'}</p>
      {refusal.errors.length > 0 && (
        <ul>
          {refusal.errors.map(({ pointer, detail }) => (
            <li key={pointer}>
              <code>{pointer}</code> {detail}
            </li>
          ))}
        </ul>
      )}
    </Note>
    {Object.entries(typed).map(([name, text]) => (
      <div class="field" key={name}>
        <label for={`typed-${name}`}>What you had typed: {name.replaceAll('_', ' ')}</label>
        <textarea id={`typed-${name}`} class="input" rows={4} readOnly>
          {text}
        </textarea>
      </div>
    ))}
    <p class="actions">
      {signedIn ? (
        <LinkButton href={links.home()} kind="primary">
          Start page
        </LinkButton>
      ) : (
        <LinkButton href={links.signIn()} kind="primary">
          Sign in
        </LinkButton>
      )}
    </p>
    <p class="muted">
      <code>{refusal.code}</code> · request <code>{requestId}</code>
    </p>
  </div>
)
