import type { ComponentChildren, VNode } from 'preact'
import { LIMIT_GROUPS } from '../../http/limits.ts'
import { CATALOGUE, type ErrorCode } from '../../kernel/errors.ts'
import { links } from '../links.ts'
import type { ManualGroup, ManualPage } from '../manual.ts'
import { Head } from '../parts/head.tsx'
import type { Shell } from '../parts/layout.tsx'

type Frame = Pick<Shell, 'asset' | 'look' | 'programme'>

interface ManualProps extends Frame {
  groups: readonly ManualGroup[]
  /** The page's address within the manual. */
  current: string
  title: string
  children?: ComponentChildren
}

/** A page of the manual: for whoever reaches the console, signed in or not. */
export const ManualLayout = ({ asset, look, programme, groups, current, title, children }: ManualProps): VNode => (
  <html lang="en" class={`theme-${look.theme} ${look.density}`}>
    <Head {...{ asset, look, title }} styles={['manual.css']} />
    <body class="manual">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href={links.manual()}>
          <strong>Aldis</strong> <span class="muted">manual · {programme}</span>
        </a>
        <a class="bar-button" href={links.home()}>
          Console
        </a>
      </header>
      <nav class="manual-nav" aria-label="Pages of the manual">
        {groups.map((group) => (
          <Group key={group.title} {...{ group, current }} />
        ))}
      </nav>
      <main id="main" tabIndex={-1} class="manual-page">
        <h1>{title}</h1>
        {children}
      </main>
    </body>
  </html>
)

const API = { name: 'api', title: 'API reference' } as const

/** With the reference, which is made and no document. */
const pagesOf = ({ title, pages }: ManualGroup): readonly { name: string; title: string }[] =>
  title === 'Integrate' ? [API, ...pages] : pages

const Group = ({ group, current }: { group: ManualGroup; current: string }): VNode => {
  const pages = pagesOf(group)
  return (
    <details open={group.title !== 'Decisions' || pages.some(({ name }) => name === current)}>
      <summary>{group.title}</summary>
      <ul>
        {pages.map(({ name, title }) => (
          <li key={name}>
            <a href={links.manual(name)} aria-current={name === current ? 'page' : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </details>
  )
}

/** Of our own documents, in which all HTML was escaped. */
export const ManualText = ({ page }: { page: ManualPage }): VNode => (
  <div class="manual-text" dangerouslySetInnerHTML={{ __html: page.html }} />
)

export const ManualIndex = ({ groups }: { groups: readonly ManualGroup[] }): VNode => (
  <>
    <p class="lead">What Aldis promises, how a platform connects to it, and how people work with it.</p>
    {groups.map((group) => (
      <section key={group.title} class="part">
        <h2>{group.title}</h2>
        <ul class="manual-list">
          {pagesOf(group).map(({ name, title }) => (
            <li key={name}>
              <a href={links.manual(name)}>{title}</a>
            </li>
          ))}
        </ul>
      </section>
    ))}
  </>
)

/** What a problem document means, and what to do. */
export const ErrorPage = ({ code }: { code: ErrorCode }): VNode => {
  const [status, title] = CATALOGUE[code]
  const limits = LIMIT_GROUPS.flatMap(([, , own]) => Object.entries(own)).filter(([, { codes }]) =>
    codes.includes(code),
  )
  return (
    <>
      <p class="lead">{title}.</p>
      <p>{ADVICE[Math.floor(status / 100)]}</p>
      <dl class="facts">
        <dt>status</dt>
        <dd>{status}</dd>
        <dt>type</dt>
        <dd>
          <code>/problems/{code}</code>
        </dd>
        <dt>again</dt>
        <dd>{againAfter(status)}</dd>
      </dl>
      {limits.length > 0 && (
        <>
          <h2>Limits</h2>
          <ul class="manual-list">
            {limits.map(([name, { value, unit, note }]) => (
              <li key={name}>
                {value.toLocaleString('en')} {unit}
                {note === undefined ? '' : `, ${note}`}
              </li>
            ))}
          </ul>
        </>
      )}
      <p>
        <a href={links.manual('errors')}>All errors</a>
      </p>
    </>
  )
}

const ADVICE: Readonly<Record<number, string>> = {
  4: 'The request is the reason. detail says what to do next; errors names members by JSON pointer, and no answer repeats a value.',
  5: 'The node is the reason. Its operator finds the request by request_id in the log of the node.',
}

const againAfter = (status: number): string => {
  if (status === 429 || status === 503) return 'the same request, after the seconds that Retry-After names'
  if (status === 409 || status === 410) return 'after reading anew what moved on'
  return 'not as it was'
}
