import type { VNode } from 'preact'
import { links } from '../links.ts'
import { SECTIONS, type Section, type SectionOf } from '../sections.ts'
import { holdsOne, type Viewer } from '../viewer.ts'
import { Icon } from './icon.tsx'
import { numberText } from './text.tsx'

type Named = [Exclude<Section, 'none'>, SectionOf]

/** The sections that the viewer may open; others are not named. */
export const sectionsOf = (viewer: Pick<Viewer, 'roles'>): readonly Named[] =>
  (Object.entries(SECTIONS) as Named[]).filter(([, { roles }]) => roles === undefined || holdsOne(viewer, roles))

const isAmongSections = ([, { apart }]: Named): boolean => apart !== true

interface NavProps {
  viewer: Viewer
  current: Section
  counts: Partial<Record<Section, number>>
}

export const Nav = ({ viewer, current, counts }: NavProps): VNode => (
  <nav class="nav" aria-label="Sections">
    {sectionsOf(viewer)
      .filter(isAmongSections)
      .map(([name, { title, href, key }]) => (
        <a
          key={name}
          href={href}
          aria-current={name === current ? 'page' : undefined}
          data-go={key}
          data-command={title}
        >
          {title}
          {(counts[name] ?? 0) > 0 && (
            <span class="count">
              {numberText(counts[name] ?? 0)}
              <span class="unseen"> waiting</span>
            </span>
          )}
        </a>
      ))}
  </nav>
)

const ROLE_NAMES = {
  node_admin: 'node administrator',
  governance: 'governance',
  partner_admin: 'partner administrator',
  lead: 'lead',
  analyst: 'analyst',
  observer: 'observer',
} as const

export const roleName = (role: keyof typeof ROLE_NAMES): string => ROLE_NAMES[role]

/** Whether something is new, on every page. */
export const Bell = ({ unread, isCurrent }: { unread: number; isCurrent: boolean }): VNode => {
  const { title, href, key } = SECTIONS.notices
  return (
    <a
      class="bar-button bell"
      href={href}
      data-go={key}
      data-command={title}
      aria-current={isCurrent ? 'page' : undefined}
    >
      <Icon name="bell" />
      <span class="unseen">{title}</span>
      {unread > 0 && (
        <span class="count">
          {unread > 99 ? '99+' : unread}
          <span class="unseen"> not seen</span>
        </span>
      )}
    </a>
  )
}

/** Opens without JavaScript. */
export const ViewerMenu = ({ viewer }: { viewer: Viewer }): VNode => (
  <details class="menu">
    <summary>
      <span class="unseen">Signed in as </span>
      <strong>{viewer.pseudonym}</strong> <span class="muted">{viewer.organisation}</span> <Icon name="down" />
    </summary>
    <div class="menu-body">
      <p>
        {viewer.roles.length === 0 ? 'No role at present' : viewer.roles.map(roleName).join(', ')}
        <br />
        <span class="muted">Others see you as {viewer.pseudonym}.</span>
      </p>
      <a href={links.settings()} data-go={SECTIONS.settings.key} data-command={SECTIONS.settings.title}>
        Settings and sessions
      </a>
      <form method="post" action={links.signOut()}>
        <input type="hidden" name="csrf" value={viewer.csrf} />
        <button type="submit" class="button button-plain" data-command="Sign out">
          Sign out
        </button>
      </form>
    </div>
  </details>
)
