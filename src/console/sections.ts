import { ROLES, type Role } from '../participants/schema.ts'
import { type Href, links } from './links.ts'

export interface SectionOf {
  title: string
  href: Href
  /** Who finds it in the navigation; everybody where it is absent. */
  roles?: readonly Role[]
  /** After `g`. */
  key: string
  /** Stands at the end of the bar, not among the sections. */
  apart?: true
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
  participants: { title: 'Participants', href: links.participants(), roles: ROLES, key: 'd' },
  onboarding: { title: 'Onboarding', href: links.onboardings(), roles: ['node_admin', 'governance'], key: 'o' },
  groups: { title: 'Groups', href: links.groups(), roles: ['node_admin', 'governance'], key: 'u' },
  sight: { title: 'Who may see', href: links.sight(), roles: ['node_admin', 'governance'], key: 'y' },
  people: { title: 'People', href: links.people(), roles: ['partner_admin', 'node_admin'], key: 'p' },
  developer: { title: 'Developer', href: links.developer(), roles: ['partner_admin'], key: 'w' },
  explorer: {
    title: 'Sharing log',
    href: links.explorer(),
    roles: ['governance', 'observer', 'lead', 'partner_admin'],
    key: 'e',
  },
  matrix: { title: 'Share matrix', href: links.shareMatrix(), roles: ['governance', 'partner_admin'], key: 'h' },
  anomalies: { title: 'Anomalies', href: links.anomalies(), roles: ['governance'], key: 'n' },
  retention: { title: 'Retention', href: links.retention(), roles: ['governance', 'node_admin'], key: 'k' },
  registers: { title: 'Registers', href: links.subjects(), roles: ['governance'], key: 'z' },
  reports: { title: 'Reports', href: links.reports(), roles: ['governance', 'observer'], key: 'b' },
  log: { title: 'Log', href: links.log(), key: 'l' },
  notices: { title: 'Notices', href: links.notices(), key: 'i', apart: true },
  settings: { title: 'Settings', href: links.settings(), key: 's', apart: true },
} as const satisfies Record<string, SectionOf>

/** `none`: a page that belongs to no section, such as an error. */
export type Section = keyof typeof SECTIONS | 'none'
