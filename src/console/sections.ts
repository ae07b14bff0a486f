import type { Role } from '../participants/schema.ts'
import { type Href, links } from './links.ts'

export interface SectionOf {
  title: string
  href: Href
  /** Who finds it in the navigation; everybody where it is absent. */
  roles?: readonly Role[]
  /** After `g`. */
  key: string
}

/** The parts of the console, in the order of the navigation. A part is listed once it is served. */
export const SECTIONS = {
  queue: { title: 'Queue', href: links.queue(), roles: ['analyst', 'lead'], key: 'q' },
  second: { title: 'Second review', href: links.secondReviews(), roles: ['analyst', 'lead'], key: 'r' },
  leads: { title: 'Team', href: links.leads(), roles: ['lead'], key: 't' },
  tactics: { title: 'Tactics', href: links.tactics(), roles: ['analyst', 'lead'], key: 'x' },
  search: { title: 'Search', href: links.search(), roles: ['analyst', 'lead'], key: 'f' },
  submissions: {
    title: 'Submissions',
    href: links.submissions(),
    roles: ['analyst', 'lead', 'partner_admin'],
    key: 'm',
  },
  requests: {
    title: 'Approvals',
    href: links.requests(),
    roles: ['node_admin', 'governance'],
    key: 'a',
  },
  people: { title: 'People', href: links.people(), roles: ['partner_admin', 'node_admin'], key: 'p' },
  log: { title: 'Log', href: links.log(), key: 'l' },
  settings: { title: 'Settings', href: links.settings(), key: 's' },
} as const satisfies Record<string, SectionOf>

/** `none`: a page that belongs to no section, such as an error. */
export type Section = keyof typeof SECTIONS | 'none'
