import type { VNode } from 'preact'
import { type Href, links } from '../links.ts'
import { LinkButton } from '../parts/form.tsx'
import { Note } from '../parts/note.tsx'

interface SignInProps {
  providers: readonly { name: string; label: string }[]
  to: Href | undefined
  /** Why a session is no longer there. */
  ended?: string | undefined
}

/** The identity provider is reached by a link: the policy for forms covers redirects too. */
export const SignInPage = ({ providers, to, ended }: SignInProps): VNode => (
  <>
    {ended !== undefined && <Note title={ended} />}
    <p>Sign in with the account of your organisation. Everything that is read here is recorded.</p>
    <div class="stack">
      {providers.map(({ name, label }) => (
        <LinkButton key={name} href={links.begin(name, to)} kind="primary">
          {label}
        </LinkButton>
      ))}
    </div>
  </>
)

/** `idp`: where the person may end the session of the identity provider too. */
export const SignedOutPage = ({ idp }: { idp: URL | undefined }): VNode => (
  <>
    <p>Your session here has ended. Nobody can go on with it.</p>
    <div class="stack">
      <LinkButton href={links.signIn()} kind="primary">
        Sign in again
      </LinkButton>
      {idp?.protocol === 'https:' && (
        <a class="button button-plain" href={idp.href}>
          Sign out of the identity provider too
        </a>
      )}
    </div>
  </>
)

/** An account that nobody was given: the person can tell the administrator exactly what is missing. */
export const UnknownAccountPage = ({ issuer, subject }: { issuer: string; subject: string }): VNode => (
  <>
    <Note tone="warn" title="This account is no person of the programme">
      <p>
        Your identity provider knows you, but nobody has said here who you are. Send these two lines to a node
        administrator:
      </p>
    </Note>
    <dl class="facts">
      <dt>Issuer</dt>
      <dd>
        <code>{issuer}</code>
      </dd>
      <dt>Subject</dt>
      <dd>
        <code>{subject}</code>
      </dd>
    </dl>
    <p class="actions">
      <LinkButton href={links.signIn()}>Use another account</LinkButton>
    </p>
  </>
)
