import type { VNode } from 'preact'
import type { Href } from '../links.ts'
import { Button } from './form.tsx'
import { Icon } from './icon.tsx'

/** A view is a filter with a name. */
export interface View {
  /** Where two may have one title. */
  id?: string
  title: string
  href: Href
  current: boolean
  n?: number
}

export const Views = ({ views, label = 'Views' }: { views: readonly View[]; label?: string }): VNode => (
  <nav class="views" aria-label={label}>
    {views.map(({ id, title, href, current, n }) => (
      <a key={id ?? title} href={href} aria-current={current ? 'true' : undefined}>
        {title}
        {n !== undefined && n > 0 && <span class="count">{n > 10_000 ? '10 000+' : n}</span>}
      </a>
    ))}
  </nav>
)

interface ChipsProps {
  /** Each term as text, with the address of the page without it. */
  terms: readonly { text: string; without: Href }[]
  all: Href
}

export const Chips = ({ terms, all }: ChipsProps): VNode | null =>
  terms.length === 0 ? null : (
    <ul class="chips" aria-label="Filters">
      {terms.map(({ text, without }) => (
        <li key={text}>
          <a class="chip" href={without}>
            <code>{text}</code>
            <Icon name="cross" />
            <span class="unseen">remove this filter</span>
          </a>
        </li>
      ))}
      <li>
        <a href={all}>Clear all</a>
      </li>
    </ul>
  )

interface FindProps {
  action: Href
  text: string
  /** What was typed, where it is no filter. */
  unread: string | undefined
  example: string
  help: string
}

/** The filter as text. */
export const FindForm = ({ action, text, unread, example, help }: FindProps): VNode => (
  <search class="find">
    <form method="get" action={action}>
      <label for="find" class="unseen">
        Filter as text
      </label>
      <input
        type="text"
        id="find"
        name="text"
        class="input"
        maxLength={200}
        autoComplete="off"
        placeholder={example}
        value={unread ?? text}
        data-key="/"
        aria-invalid={unread === undefined ? undefined : true}
        aria-describedby={unread === undefined ? undefined : 'find-error'}
      />
      {unread !== undefined && (
        <p class="field-error" id="find-error">
          {help}
        </p>
      )}
    </form>
  </search>
)

/** The filter as choices. */
export const FilterForm = ({ action, children }: { action: Href; children: VNode | VNode[] }): VNode => (
  <details class="filter">
    <summary>
      Filter <Icon name="down" />
    </summary>
    <form method="get" action={action} class="filter-body">
      {children}
      <Button kind="primary">Show</Button>
    </form>
  </details>
)

interface ChooseProps {
  name: string
  label: string
  value: string | undefined
  of: readonly (readonly [value: string, label: string])[]
  any?: string
}

export const Choose = ({ name, label, value, of, any = 'Any' }: ChooseProps): VNode => (
  <div class="field">
    <label for={`filter-${name}`}>{label}</label>
    <select id={`filter-${name}`} name={name} class="input">
      <option value="">{any}</option>
      {of.map(([one, text]) => (
        <option key={one} value={one} selected={one === value}>
          {text}
        </option>
      ))}
    </select>
  </div>
)
