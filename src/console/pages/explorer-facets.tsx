import type { VNode } from 'preact'
import { filterText, type LogFilter } from '../../provenance/explore-filter.ts'
import type { LogPage } from '../../provenance/explorer.ts'
import { type Href, links } from '../links.ts'
import { kindLabel } from '../log-words.ts'
import { numberText } from '../parts/text.tsx'

const linkTo = (filter: LogFilter): Href => links.explorer({ q: filterText(filter) || undefined })

const FACETS = 8

/** What the entries of a view are, each a step to a narrower one. */
export const Facets = ({ page, filter }: { page: LogPage; filter: LogFilter }): VNode => (
  <section class="facets" aria-labelledby="facets-title">
    <h2 id="facets-title">Among them</h2>
    <div class="columns">
      <FacetList title="What" field="kind" filter={filter} of={page.facets.kinds} label={kindLabel} />
      <FacetList title="By whom" field="actor" filter={filter} of={page.facets.actors} label={(name) => name} />
    </div>
  </section>
)

interface FacetProps {
  title: string
  field: 'kind' | 'actor'
  filter: LogFilter
  of: readonly (readonly [name: string, n: number])[]
  label(name: string): string
}

const FacetList = ({ title, field, filter, of, label }: FacetProps): VNode => (
  <div>
    <h3>{title}</h3>
    <ul class="facet-list">
      {of.slice(0, FACETS).map(([name, n]) => (
        <li key={name}>
          <a href={linkTo(narrowed(filter, field, name))}>{label(name)}</a>
          <span class="number">{n >= 10_000 ? '10 000+' : numberText(n)}</span>
        </li>
      ))}
      {of.length > FACETS && <li class="muted">and {of.length - FACETS} more</li>}
    </ul>
  </div>
)

const narrowed = (filter: LogFilter, field: 'kind' | 'actor', value: string): LogFilter => ({
  ...filter,
  terms: [...filter.terms.filter((one) => one.field !== field || one.not), { field, value, not: false }],
})
