import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Notice, NoticeKind } from '../notices/schema.ts'
import type { Role } from '../participants/schema.ts'
import { type Href, links } from './links.ts'
import type { Personal } from './personal.ts'
import { holdsOne, type Viewer } from './viewer.ts'

/** One that a person finds in the console. */
export interface OwnNotice {
  kind: NoticeKind | 'approval.waiting'
  id: string
  href: Href
  /** The short id of what it is about. */
  about: string
  at: Date
  due?: Date
  count?: number
  by?: string
  unread: boolean
}

/** Whom a kind concerns. */
const ROLES_OF: Readonly<Record<NoticeKind, readonly Role[]>> = {
  'case.handed_over': ['analyst', 'lead'],
  'case.taken_over': ['analyst', 'lead'],
  'proposal.waiting': ['analyst', 'lead'],
  'proposal.approved': ['analyst', 'lead'],
  'proposal.denied': ['analyst', 'lead'],
  'queue.at_risk': ['lead'],
  'question.asked': ['lead', 'partner_admin'],
  'dispute.opened': ['lead', 'partner_admin'],
  'signal.held': ['analyst', 'lead', 'partner_admin'],
  'credential.ends': ['partner_admin'],
}

export const concerns = (notice: Pick<Notice, 'kind' | 'for' | 'not'>, viewer: Pick<Viewer, 'roles' | 'pseudonym'>) =>
  holdsOne(viewer, ROLES_OF[notice.kind]) &&
  (notice.for === undefined || notice.for === viewer.pseudonym) &&
  notice.not !== viewer.pseudonym

function hrefOf({ of, kind }: Pick<Notice, 'of' | 'kind'>): Href {
  if (of.case !== undefined) return links.reviewCase(of.case)
  if (of.signal !== undefined) return links.submission(of.signal)
  return kind === 'credential.ends' ? links.notices() : links.queue()
}

/** Rows of a page; a place is the time and id of the last one. */
export const NOTICES_PAGE = 50

export interface NoticePage {
  notices: readonly OwnNotice[]
  next: string | undefined
}

const placeOf = ({ at, id }: OwnNotice): string => `${at.getTime()}.${id}`

/** The part of a list that follows a place; whatever came or went since, nothing is passed over. */
export function pageAfter(all: readonly OwnNotice[], place: string | undefined): NoticePage {
  const cut = place?.indexOf('.') ?? -1
  const [time, id] = [Number(place?.slice(0, cut)), place?.slice(cut + 1) ?? '']
  const rest =
    place === undefined
      ? all
      : all.filter(({ at, id: own }) => at.getTime() < time || (at.getTime() === time && own < id))
  const notices = rest.slice(0, NOTICES_PAGE)
  const last = notices.at(-1)
  return { notices, next: last === undefined || rest.length <= NOTICES_PAGE ? undefined : placeOf(last) }
}

export interface NotifyingOptions {
  clock: Clock
  personal: Pick<Personal, 'settings' | 'seeNotices'>
  noticesOf(participant: Uuid): Promise<readonly Notice[]>
  /** Requests that somebody may decide. */
  approvalsFor(person: Uuid): Promise<readonly { request_id: Uuid; requested_at: Date; expires_at: Date }[]>
}

export interface Notifications {
  /** The newest first. */
  of(viewer: Viewer): Promise<OwnNotice[]>
  /** How many are unread, as of some seconds ago: every page says it. */
  unread(viewer: Viewer): Promise<number>
  see(viewer: Viewer, upto: Date): Promise<void>
}

const KEPT_MS = 10_000
const KEPT_MAX = 2_000

export function createNotifications(options: NotifyingOptions): Notifications {
  const { clock, personal } = options
  const kept = new Map<Uuid, { unread: number; until: number }>()
  const of = async (viewer: Viewer): Promise<OwnNotice[]> => {
    const { noticesSeenAt } = await personal.settings(viewer.person)
    const isNew = (at: Date): boolean => noticesSeenAt === undefined || at > noticesSeenAt
    const own = await gather(options, viewer)
    return own.map((one) => ({ ...one, unread: isNew(one.at) }))
  }
  return {
    of,
    async unread(viewer) {
      const now = clock().getTime()
      const known = kept.get(viewer.person)
      if (known !== undefined && known.until > now) return known.unread
      const unread = (await of(viewer)).filter((one) => one.unread).length
      if (kept.size >= KEPT_MAX) kept.clear()
      kept.set(viewer.person, { unread, until: now + KEPT_MS })
      return unread
    },
    async see(viewer, upto) {
      await personal.seeNotices(viewer.person, upto)
      kept.delete(viewer.person)
    },
  }
}

async function gather({ noticesOf, approvalsFor }: NotifyingOptions, viewer: Viewer) {
  const found = viewer.participant === undefined ? [] : await noticesOf(viewer.participant)
  const own = found.filter((one) => concerns(one, viewer))
  const requests = holdsOne(viewer, ['governance', 'node_admin']) ? await approvalsFor(viewer.person) : []
  return [
    ...own.map(({ kind, id, of, at, due, count, by }) => ({
      ...{ kind, id, href: hrefOf({ of, kind }), about: aboutOf(of), at },
      ...(due !== undefined && { due }),
      ...(count !== undefined && { count }),
      ...(by !== undefined && { by }),
    })),
    ...requests.map(({ request_id, requested_at, expires_at }) => ({
      ...{ kind: 'approval.waiting' as const, id: `approval.waiting/${request_id}`, href: links.request(request_id) },
      ...{ about: shortOf(request_id), at: requested_at, due: expires_at },
    })),
  ].sort((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1))
}

const shortOf = (id: string): string => id.slice(-8)
const aboutOf = ({ case: id, signal, credential }: Notice['of']): string => shortOf(signal ?? id ?? credential ?? '')
