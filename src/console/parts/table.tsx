import type { ComponentChildren, VNode } from 'preact'
import type { Href } from '../links.ts'
import { Icon } from './icon.tsx'

export interface Column {
  title: string
  /** Aligned to the right, figures of equal width. */
  numeric?: boolean
  /** What the column says, and why in this order. */
  hint?: string
  /** Said to screen readers alone: a column of controls. */
  silent?: boolean
}

interface TableProps {
  /** What the table holds, for those who do not see it. */
  label: string
  columns: readonly Column[]
  id?: string
  /** Rows. */
  children: ComponentChildren
}

/** What scrolls takes the focus, or nobody could scroll it by keyboard (WCAG 2.1.1). */
const SCROLLED = { tabIndex: 0 } as const

/** A plain table that scrolls within itself where the window is narrow. */
export const Table = ({ label, columns, id, children }: TableProps): VNode => (
  <section class="scroll" aria-label={label} {...SCROLLED}>
    <table class="table" id={id}>
      <thead>
        <tr>
          {columns.map(({ title, numeric, hint, silent }) => (
            <th key={title} scope="col" class={numeric === true ? 'number' : undefined} title={hint}>
              {silent === true ? <span class="unseen">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </section>
)

interface PagerProps {
  label: string
  first?: Href | undefined
  next?: Href | undefined
  /** What is shown, such as `1–100 of 128`. */
  shown?: string
}

/** Forward, and back to the start: later pages are found by the key of the last row. */
export const Pager = ({ label, first, next, shown }: PagerProps): VNode => (
  <nav class="pager" aria-label={label}>
    {shown !== undefined && <span class="muted">{shown}</span>}
    {first !== undefined && <a href={first}>First page</a>}
    {next !== undefined && (
      <a href={next} rel="next">
        Next page <Icon name="arrow" />
      </a>
    )}
  </nav>
)

/** Names and values, one pair a line. */
export const Facts = ({ children }: { children: ComponentChildren }): VNode => <dl class="facts">{children}</dl>

export const Fact = ({ name, children }: { name: string; children: ComponentChildren }): VNode => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
)
