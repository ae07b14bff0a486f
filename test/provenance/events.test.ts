import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { fieldsOfRead } from '../../src/provenance/commitment.ts'
import {
  disclosuresOf,
  EVENTS,
  type EventKind,
  hasParts,
  mayOpen,
  type NewEvent,
  partiesOf,
  type Viewer,
} from '../../src/provenance/events.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const ID = newId(NOON)

/**
 * Who opens what of each event, in words: `actor`, the `subject` it is about, a `recipient` of the signal, `everyone` in
 * the programme. Auditors open all; a line without words is theirs alone.
 */
const TABLE: readonly (readonly [kinds: string, ...lines: string[]])[] = [
  [
    'signal.submitted signal.revised',
    'od n root: actor recipient',
    'refused accepted kid types categories region basis: actor',
  ],
  [
    'signal.withdrawn',
    'od n root reasons authority: actor recipient',
    'refused accepted kid types categories region basis: actor',
  ],
  ['signal.held signal.released', 'signal dispute: subject recipient'],
  ['signal.expired', 'rule n root types categories: subject'],
  ['erasure', 'targets n root: subject recipient', 'basis approval notified types categories:'],
  ['tombstone.acked', 'feed upto stage: actor'],
  ['hit.reported', 'n root: actor'],
  [
    'review.decided',
    'case signal decision verdict reason counts reviewers authority supersedes job single_reviewed proposed: actor',
  ],
  ['review.moved', 'case signal from to reason: actor'],
  ['review.routed', 'rules: actor'],
  ['review.undone', 'case decision job: actor'],
  ['review.set', 'hours sample_percent: actor'],
  ['review.sampled', 'case decision sample agreed authority: actor'],
  ['review.bulk', 'job step n digest verdict reason authority reviewers results: actor'],
  ['feedback.given', 'signal revision outcome authority supersedes single_reviewed od: actor subject', 'kid: actor'],
  [
    'dispute.opened',
    ...['dispute signal revision ground authority od: actor subject', 'kid: actor', 'result: actor subject recipient'],
  ],
  ['dispute.closed', 'dispute signal revision ground authority: actor subject', 'result: actor subject recipient'],
  ['question.answered', 'signal revision authority: actor subject'],
  ['webhook.added webhook.ended', 'endpoint host kinds feeds: actor'],
  ['webhook.rotated', 'endpoint host secret_no: actor'],
  ['conformance.reported', 'run passed failed: actor'],
  ['read.batch', 'reader n root from to: actor'],
  ['read', 'route channel as_of n body asked purpose set_salt: actor'],
  ['value.sealed', 'signal revision audience digest: actor'],
  ['value.removed', 'signal revision: actor'],
  ['value.rewrapped', 'from to n: subject'],
  ['value.revealed', 'signal revision purpose reader: actor subject'],
  ['audit.read', 'range n purpose: everyone'],
  ['lookup.evaluated', 'kid n purpose: actor'],
  [
    'participant.suspended participant.resumed participant.left agreement.accepted',
    ...['participant kind group version: everyone', 'reason signatory: subject'],
  ],
  ['participant.admitted', 'participant kind group version probation: everyone', 'reason signatory: subject'],
  ['participant.confirmed', 'participant: everyone'],
  ['onboarding.opened', 'onboarding participant kind: actor'],
  ['onboarding.moved', 'onboarding item state version digest: actor'],
  ['onboarding.closed', 'onboarding outcome: actor'],
  ['group.changed', 'participant kind group version joined left audience mode: everyone', 'reason signatory: subject'],
  ['group.ended', 'group left audience: everyone'],
  ['audience.changed', 'audience members label mode: actor'],
  ['credential.enrolled', 'credential spki use scopes from to code replaces: subject', 'key: everyone'],
  ['credential.revoked', 'credential spki use scopes from to code replaces reason: subject', 'key: everyone'],
  ['hash_profile.published hash_profile.retired', 'profile kid suite public_key shares from to: everyone'],
  ['policy.published', 'policy version digest: everyone'],
  ['report.published', 'policy version digest period queries log_size: everyone'],
  ['collection.held collection.released', 'region legal_basis surface: everyone'],
  [
    'approval.requested approval.given approval.refused approval.cancelled',
    'request action digest organisation: actor',
  ],
  ['approval.executed', 'request action digest organisation due late: actor'],
  ['person.added person.left', 'whom organisation: actor'],
  ['login.given', 'whom login digest: actor'],
  ['login.ended', 'whom login: actor'],
  ['role.changed quota.changed', 'whom role what amount: actor'],
  ['hold.placed hold.lifted', 'whom role what amount hold reason: actor'],
  ['anomaly.acted', 'whom role what amount code: actor'],
  ['feed.paused feed.resumed', 'feed reason: actor'],
  [
    'government_request.received government_request.closed',
    ...['country kind asked basis outcome n: everyone', 'reference:'],
  ],
  ['subject_request.received subject_request.closed', 'kind due outcome n:'],
  ['log.opened log.closed', 'origin key previous: everyone'],
  ['witness.policy witness.degraded witness.restored', 'text since missing sizes: everyone'],
  ['reads.expired', 'rule batches n: subject', 'policy:'],
  ['node.started restore.performed salts.destroyed', 'version sizes epoch note clock: everyone'],
]
/** Of every event that stands in the log itself. */
const COMMON = ['subject after: actor subject', 'actor cred req person: actor']
/** Of what everyone may open something of, everyone may know what it is. */
const commonOf = (lines: readonly Line[]): string[] => [
  ...COMMON,
  lines.some(({ who }) => who.includes('everyone')) ? 'type time: everyone' : 'type time: actor subject',
]

const PADDED = ['signal.expired', 'erasure', 'tombstone.acked', 'read.batch', 'read']

interface Line {
  kind: EventKind
  field: string
  who: readonly string[]
}

const linesOf = (kind: EventKind, lines: readonly string[]): Line[] =>
  lines.flatMap((line) => {
    const [names = '', who = ''] = line.split(':')
    return names.split(' ').map((field) => ({ kind, field, who: who.split(' ').filter((word) => word !== '') }))
  })
const table = TABLE.flatMap(([kinds, ...lines]) =>
  kinds.split(' ').map((kind) => ({ kind: kind as EventKind, lines: linesOf(kind as EventKind, lines) })),
)

const nobody: Viewer = { slug: 'kiwi', auditor: false, actor: false, party: false, recipient: false }
const VIEWERS: Readonly<Record<string, Viewer>> = {
  actor: { ...nobody, slug: 'apple', actor: true, party: true },
  subject: { ...nobody, slug: 'plum', party: true },
  recipient: { ...nobody, slug: 'fig', recipient: true },
  member: nobody,
  auditor: { ...nobody, slug: 'heron', auditor: true },
}

const anEvent = (change: Partial<NewEvent> & Pick<NewEvent, 'kind'>): NewEvent => ({
  ...{ event_id: ID, participant_id: ID, at: NOON, actor: 'apple', fields: {} },
  ...change,
})
const opensOf = (event: NewEvent, viewer: Viewer): string[] =>
  fieldsOfRead(disclosuresOf(event).disclosures.filter(({ audience }) => mayOpen(audience, viewer))).map(
    ({ name }) => name,
  )

describe('the table of events', () => {
  test('names every kind and every field, once', () => {
    expect(table.map(({ kind }) => kind).toSorted()).toEqual(Object.keys(EVENTS).toSorted())
    for (const { kind, lines } of table)
      expect(lines.map(({ field }) => field).toSorted(), kind).toEqual(Object.keys(EVENTS[kind].fields).toSorted())
  })

  test.for(table)('says who opens what of $kind', ({ kind, lines }) => {
    for (const { field, who } of [...lines, ...(kind === 'read' ? [] : linesOf(kind, commonOf(lines)))]) {
      const event = anEvent({ kind, subject: 'plum', after: ID, fields: { [field]: field === 'type' ? kind : 'x' } })
      for (const [name, viewer] of Object.entries(VIEWERS)) {
        const may = name === 'auditor' || who.includes('everyone') || who.includes(name)
        expect(opensOf(event, viewer).includes(field), `${field} for ${name}`).toBe(may)
      }
    }
  })
  test.for(table)('keeps what belongs to the subject of $kind from every other subject', ({ kind, lines }) => {
    const other: Viewer = { ...nobody, slug: 'quince', party: false }
    for (const { field, who } of lines) {
      const event = anEvent({ kind, subject: 'plum', fields: { [field]: 'x' } })
      expect(opensOf(event, other).includes(field), field).toBe(who.includes('everyone'))
    }
  })
})

describe('an event that concerns several sources', () => {
  const event = anEvent({
    kind: 'read.batch',
    fields: { reader: 'apple', n: 2 },
    sources: [
      { party: 'plum', reads: 1 },
      { party: 'fig', reads: 2 },
    ],
  })
  const partOf = (slug: string): Viewer => ({ ...nobody, slug, party: true })

  test('shows each of them its own part, and what it is and when', () => {
    expect(opensOf(event, partOf('plum')).toSorted()).toEqual(['source', 'time', 'type'])
    const own = disclosuresOf(event).disclosures.filter(({ audience }) => audience === 'S:plum')
    expect(own.map(({ value }) => value)).toEqual([{ party: 'plum', reads: 1 }])
    expect(own.every(({ audience }) => !mayOpen(audience, partOf('fig')))).toBe(true)
  })
  test('shows its actor no source, and a stranger nothing', () => {
    expect(opensOf(event, VIEWERS['actor'] ?? nobody).toSorted()).toEqual(['actor', 'n', 'reader', 'time', 'type'])
    expect(opensOf(event, nobody)).toEqual([])
  })
  test('is of one of the kinds that have parts', () => {
    const parted = (Object.keys(EVENTS) as EventKind[]).filter((kind) => {
      try {
        return disclosuresOf(anEvent({ kind, sources: [{ party: 'plum' }] })).disclosures.length > 0
      } catch (error) {
        expect(error).toMatchObject({ name: 'TypeError', message: `${kind} has no field source` })
        return false
      }
    })
    expect(parted.sort()).toEqual(['read', 'read.batch', 'tombstone.acked'])
  })
  test('moves on the chains of all of them and of the actor, each once, in order', () => {
    expect(partiesOf(event)).toEqual(['apple', 'fig', 'plum'])
    expect(
      partiesOf(anEvent({ kind: 'read.batch', sources: [{ party: 'apple' }, { party: 'fig' }, { party: 'fig' }] })),
    ).toEqual([...['apple', 'fig']])
  })
})

describe('the fields of an event', () => {
  test('begin with what it is, when and whose; what is undefined is left out', () => {
    const event = anEvent({ kind: 'policy.published', fields: { policy: 'taxonomy', version: undefined, digest: 'x' } })
    expect(disclosuresOf(event).disclosures.map(({ name, value }) => [name, value])).toEqual([
      ['type', 'policy.published'],
      ['time', NOON.toISOString()],
      ['actor', 'apple'],
      ['policy', 'taxonomy'],
      ['digest', 'x'],
    ])
  })
  test('of a read are one for the reader, and one for each source', () => {
    const fields = { route: '/v1/lookups', as_of: { log: '7' }, purpose: undefined }
    const sources = [{ party: 'plum', n: 2 }]
    const { disclosures, decoys } = disclosuresOf(anEvent({ kind: 'read', fields, sources }))
    expect(disclosures).toEqual([
      { audience: 'A', name: 'read', value: { route: '/v1/lookups', as_of: { log: '7' } } },
      { audience: 'S:plum', name: 'source', value: { party: 'plum', n: 2 } },
    ])
    expect(decoys).toBe(6)
  })
  test("are the node's where nobody else acts, and move on its chain", () => {
    const { actor: _, ...event } = anEvent({ kind: 'signal.expired', subject: 'plum' })
    expect(disclosuresOf(event).disclosures.find(({ name }) => name === 'actor')?.value).toBe('node')
    expect(partiesOf(event)).toEqual(['node', 'plum'])
  })
  test('that are not declared are refused, whatever their name', () => {
    const kinds = Object.keys(EVENTS) as EventKind[]
    const name = fc.oneof(
      fc.constantFrom('constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', 'token', 'value', 'name'),
      fc.string(),
    )
    const common = new Set(COMMON.flatMap((line) => (line.split(':')[0] ?? '').split(' ')))
    fc.assert(
      fc.property(fc.constantFrom(...kinds), name, (kind, field) => {
        fc.pre(!common.has(field) && !Object.hasOwn(EVENTS[kind].fields, field))
        const fields = Object.fromEntries([[field, 1]])
        expect(() => disclosuresOf(anEvent({ kind, fields }))).toThrow(TypeError)
      }),
      { numRuns: 300 },
    )
  })
  test('are hidden in multiples of eight digests where their number would tell how many sources there are', () => {
    for (const kind of Object.keys(EVENTS) as EventKind[]) {
      for (let n = 0; n < 20; n++) {
        const sources = Array.from({ length: hasParts(kind) ? n : 0 }, (_, i) => ({ party: `fruit-${i}` }))
        const fields = Object.fromEntries(
          Object.keys(EVENTS[kind].fields)
            .slice(0, n)
            .map((name) => [name, 'x']),
        )
        const { disclosures, decoys } = disclosuresOf(anEvent({ kind, fields, sources }))
        if (PADDED.includes(kind)) expect((disclosures.length + decoys) % 8, kind).toBe(0)
        else expect(decoys, kind).toBe(0)
        expect(decoys).toBeLessThan(8)
      }
    }
  })
})
