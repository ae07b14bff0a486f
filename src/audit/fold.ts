import type { Entry } from './entry.ts'
import { KEY_FOLDS } from './fold-keys.ts'
import { ONBOARDING_FOLDS } from './fold-onboarding.ts'
import { PEOPLE_FOLDS } from './fold-people.ts'
import {
  dates,
  type Fold,
  join,
  leave,
  moveTo,
  type Programme,
  participantRow,
  type Row,
  requestRow,
  toldBy,
} from './programme.ts'

const STATUS = {
  'participant.suspended': 'suspended',
  'participant.resumed': 'active',
  'participant.left': 'left',
} as const

/** The rows that an entry of the programme sets, in words of the snapshot; what of it has no rows sets none. */
export function foldProgramme(programme: Programme, entry: Entry): Row[] {
  return FOLDS.get(entry.kind)?.(programme, toldBy(entry), entry) ?? []
}

const admitted: Fold = (programme, { text, since }) => {
  const slug = text('participant')
  const probation = text('probation')
  programme.participants.set(slug, {
    ...{ kind: text('kind'), status: 'active' },
    ...(probation !== '' && { probation }),
  })
  const everybody = [...programme.audiences].find(([, { kind }]) => kind === 'programme')?.[0]
  return [
    ...participantRow(programme, slug),
    ...(everybody === undefined ? [] : join(programme, everybody, slug, since)),
  ]
}

const moved: Fold = (programme, { text, since, at }, { kind }) => {
  const slug = text('participant')
  const known = programme.participants.get(slug)
  if (known === undefined) return []
  programme.participants.set(slug, moveTo(known, STATUS[kind as keyof typeof STATUS], since))
  const rows = participantRow(programme, slug)
  if (kind !== 'participant.left') return rows
  for (const [group, { joined }] of programme.groups) {
    const since = joined.get(slug)
    if (since === undefined) continue
    joined.delete(slug)
    rows.push({ of: `group-member ${group} ${slug} ${since}`, state: { left: at } })
  }
  for (const audience of programme.audiences.keys()) rows.push(...leave(programme, audience, slug, since))
  return rows
}

const confirmed: Fold = (programme, { text }) => {
  const slug = text('participant')
  const known = programme.participants.get(slug)
  if (known === undefined) return []
  const { probation: _, ...rest } = known
  programme.participants.set(slug, rest)
  return participantRow(programme, slug)
}

const regrouped: Fold = (programme, { text, texts, since, at }) => {
  const [slug, audience] = [text('group'), text('audience')]
  const rows: Row[] = [{ of: `group ${slug}`, state: {} }]
  const group = programme.groups.get(slug) ?? { audience, joined: new Map<string, string>() }
  if (!programme.groups.has(slug)) {
    programme.groups.set(slug, group)
    programme.audiences.set(audience, { kind: 'group', mode: text('mode'), group: slug, owner: null })
    rows.push(audienceRow(programme, audience))
  }
  for (const one of texts('joined')) {
    group.joined.set(one, at)
    rows.push({ of: `group-member ${slug} ${one} ${at}`, state: { left: null } })
    rows.push(...join(programme, group.audience, one, since))
  }
  for (const one of texts('left')) {
    rows.push({ of: `group-member ${slug} ${one} ${group.joined.get(one) ?? ''}`, state: { left: at } })
    group.joined.delete(one)
    rows.push(...leave(programme, group.audience, one, since))
  }
  return rows
}

const ungrouped: Fold = (programme, { text, texts, since, at }) => {
  const slug = text('group')
  const group = programme.groups.get(slug)
  const rows: Row[] = [{ of: `group ${slug}`, state: { ended: at } }]
  for (const one of texts('left')) {
    rows.push({ of: `group-member ${slug} ${one} ${group?.joined.get(one) ?? ''}`, state: { left: at } })
    group?.joined.delete(one)
    rows.push(...leave(programme, text('audience'), one, since))
  }
  return rows
}

const opened: Fold = (programme, { text, texts, since }) => {
  const [audience, actor] = [text('audience'), text('actor')]
  const [kind, owner] = actor === 'node' ? ['programme', null] : ['named', actor]
  programme.audiences.set(audience, { kind, mode: text('mode'), group: null, owner })
  const members = kind === 'named' ? texts('members') : []
  return [audienceRow(programme, audience), ...members.flatMap((slug) => join(programme, audience, slug, since))]
}

/** Its feed is named by the snapshot alone. */
function audienceRow({ audiences }: Programme, id: string): Row {
  const { kind, mode, group, owner } = audiences.get(id) ?? { kind: '', mode: '', group: null, owner: null }
  return { of: `audience ${id}`, state: { kind, mode, group, owner } }
}

const published: Fold = ({ profiles }, { text }, { fields }) => {
  const span = dates(Date.parse(text('from')), Date.parse(text('to')))
  const known = { ...span, public_key: fields.get('public_key') ?? null, shares: fields.get('shares') ?? null }
  profiles.set(text('kid'), known)
  return [{ of: `hash-profile ${text('kid')}`, state: { suite: text('suite'), status: 'active', ...known } }]
}

const retired: Fold = ({ profiles }, { text }) => [
  {
    of: `hash-profile ${text('kid')}`,
    state: { suite: text('suite'), status: 'retired', ...profiles.get(text('kid')) },
  },
]

const quota: Fold = (_, { text }, { fields }) => [
  { of: `quota ${text('whom')} ${text('what')}`, state: { per_day: fields.get('amount') } },
]

const policy: Fold = (_, { text }, { fields }) => [
  { of: `policy ${text('policy')} ${fields.get('version')}`, state: { digest: text('digest') } },
]

const collection =
  (held: boolean): Fold =>
  (_, { text }) => [{ of: `collection ${text('region')} ${text('legal_basis')} ${text('surface')}`, state: { held } }]

const pause =
  (paused: boolean): Fold =>
  (_, { text }) => [{ of: `feed-pause ${text('feed')}`, state: { paused, reason: text('reason') } }]

const requested: Fold = (programme, { text }) => {
  const id = text('request')
  programme.requests.set(id, { action: text('action'), digest: text('digest'), by: text('person'), executed: null })
  return requestRow(programme, id)
}

const executed: Fold = (programme, { text, at }) => {
  const id = text('request')
  const known = programme.requests.get(id)
  if (known !== undefined) programme.requests.set(id, { ...known, executed: at })
  return requestRow(programme, id)
}

const cancelled: Fold = (programme, { text, at }) => {
  const id = text('request')
  const known = programme.requests.get(id)
  if (known !== undefined) programme.requests.set(id, { ...known, cancelled: at })
  return requestRow(programme, id)
}

const voted =
  (verdict: string): Fold =>
  (_, { text }) => [{ of: `vote ${text('request')} ${text('person')}`, state: { digest: text('digest'), verdict } }]

const acknowledged: Fold = (_, { text }) => [
  { of: `acknowledgement ${text('actor')} ${text('feed')} ${text('stage')}`, state: { upto: text('upto') } },
]

const batch: Fold = (_, { text }, { fields, event }) => [
  { of: `read-batch ${event}`, state: { reader: text('reader'), n: fields.get('n'), root: text('root') } },
]

const agreed: Fold = (_, { text, at }) => [
  { of: `agreement ${text('participant')} ${text('version')}`, state: { accepted: at } },
]

const FOLDS: ReadonlyMap<string, Fold> = new Map(
  Object.entries<Fold>({
    'agreement.accepted': agreed,
    'participant.admitted': admitted,
    'participant.suspended': moved,
    'participant.resumed': moved,
    'participant.left': moved,
    'participant.confirmed': confirmed,
    ...ONBOARDING_FOLDS,
    ...KEY_FOLDS,
    'group.changed': regrouped,
    'group.ended': ungrouped,
    'audience.changed': opened,
    'hash_profile.published': published,
    'hash_profile.retired': retired,
    'quota.changed': quota,
    'policy.published': policy,
    'collection.held': collection(true),
    'collection.released': collection(false),
    'feed.paused': pause(true),
    'feed.resumed': pause(false),
    ...PEOPLE_FOLDS,
    'approval.requested': requested,
    'approval.executed': executed,
    'approval.cancelled': cancelled,
    'approval.given': voted('approve'),
    'approval.refused': voted('reject'),
    'tombstone.acked': acknowledged,
    'read.batch': batch,
  }),
)
