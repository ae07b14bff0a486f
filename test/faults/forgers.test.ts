import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AuditOptions, auditLog } from '../../src/audit/audit.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { checkpointText, cosignatureBytes, cosignedText } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { treeHash } from '../../src/provenance/merkle.ts'
import { formatVkey, NOTE_TYPE, signatureLine } from '../../src/provenance/note.ts'
import { parsePolicy } from '../../src/provenance/policy.ts'
import type { ReadItem } from '../../src/provenance/readset.ts'
import { forge, LOG_KEY, sourceOf } from '../provenance/forge.ts'
import { aKey } from '../provenance/signing.ts'
import { idOf } from '../signals/factory.ts'
import { anAuditedWorld, type Given } from './audited.ts'
import { fieldIn, type Lies, type Plain, plainOf, put, recommitted, relog, resets } from './relog.ts'

let world: Awaited<ReturnType<typeof anAuditedWorld>>
let honest: Given
let plain: Plain[]

beforeAll(async () => {
  world = await anAuditedWorld()
  honest = await world.given()
  plain = plainOf(honest.records)
}, 120_000)
afterAll(() => world.w.end())

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

/** What an audit finds of the checks from 5 on. */
async function audited({ entries, records, snapshot }: Given, change: Partial<AuditOptions> = {}) {
  const { findings } = await auditLog({
    ...{ hash: sha256, source: sourceOf(forge(entries)), pinned: { key: LOG_KEY.vkey, verify: verifyEd25519 } },
    ...{ now: world.w.now(), kept: [] },
    records: { records: () => each(records), snapshot: () => each(snapshot) },
    ...change,
  })
  return findings.filter(({ check }) => check >= 5)
}
/** Every check that did not pass. */
const failing = async (given: Given): Promise<string[]> =>
  (await audited(given)).flatMap(({ check, result, says }) =>
    result === 'PASS' ? [] : [`${check} ${result}: ${says}`],
  )

/** The log with one entry otherwise: the first of its kind that fits. */
const changed = (
  kind: string,
  change: (entry: Plain) => Plain,
  fits: (entry: Plain) => boolean = () => true,
): Plain[] => {
  const at = plain.findIndex((entry) => fieldIn(entry, 'type') === kind && fits(entry))
  expect(at, kind).toBeGreaterThanOrEqual(0)
  return plain.with(at, change(plain[at] as Plain))
}
const indexOf = (kind: string): number => plain.findIndex((entry) => fieldIn(entry, 'type') === kind)
const line = <T>(text: string, change: (value: Record<string, unknown>) => T): string =>
  JSON.stringify(change(JSON.parse(text) as Record<string, unknown>))
/** With another row of the snapshot: who holds the database changes it too. */
const restated = (given: Given, of: RegExp, change: (row: { of: string; state: object }) => object): Given => {
  const at = given.snapshot.findIndex((text) => of.test((JSON.parse(text) as { of?: string }).of ?? ''))
  expect(at, String(of)).toBeGreaterThanOrEqual(0)
  return {
    ...given,
    snapshot: given.snapshot.with(
      at,
      line(given.snapshot[at] ?? '', (row) => change(row as never)),
    ),
  }
}
/** With other words in the line of an entry. */
const reworded = (
  given: Given,
  fits: (value: Record<string, unknown>) => boolean,
  change: (value: Record<string, unknown>) => object,
): Given => {
  const at = given.records.findIndex((text) => fits(JSON.parse(text) as never))
  expect(at).toBeGreaterThanOrEqual(0)
  return { ...given, records: given.records.with(at, line(given.records[at] ?? '', change)) }
}
const remade = (entries: readonly Plain[], lies: Lies = {}): Given => relog(entries, honest, lies)

describe('an honest log', () => {
  test('of everything that is recorded passes every check', async () => {
    expect(await failing(honest)).toEqual([])
    const kinds = new Set(plain.map((entry) => fieldIn(entry, 'type')))
    expect([...kinds].sort()).toEqual([
      ...['agreement.accepted', 'anomaly.acted', 'approval.cancelled', 'approval.executed', 'approval.given'],
      ...['approval.refused', 'approval.requested'],
      ...['audience.changed', 'audit.read', 'collection.held', 'collection.released', 'credential.enrolled'],
      ...[
        'credential.revoked',
        'erasure',
        'feed.paused',
        'feed.resumed',
        'group.changed',
        'group.ended',
        'hash_profile.published',
        'hash_profile.retired',
      ],
      ...['login.ended', 'login.given', 'onboarding.closed', 'onboarding.moved', 'onboarding.opened'],
      ...[
        'participant.admitted',
        'participant.confirmed',
        'participant.left',
        'participant.resumed',
        'participant.suspended',
        'person.added',
      ],
      'person.left',
      ...[
        'policy.published',
        'quota.changed',
        'read.batch',
        'role.changed',
        'signal.expired',
        'signal.revised',
        'signal.submitted',
      ],
      ...['signal.withdrawn', 'tombstone.acked', 'value.removed', 'value.revealed', 'value.sealed'],
    ])
  })
  test('made anew by a forger who changes nothing passes too', async () => {
    expect(await failing(remade(plain))).toEqual([])
  })
  test('says of what was erased that two persons decided it and that it is gone, and of ends that they were read', async () => {
    const says = new Map((await audited(honest)).map((one) => [one.check, one.says]))
    expect(says.get(7)).toMatch(
      /^1 erasures were decided by two persons; the [1-9][0-9]* values that they name are gone$/,
    )
    expect(says.get(15)).toMatch(
      /^each of \d+ ends was read by whoever holds its signal and takes part; acknowledgements are missing: \d+ of apple$/,
    )
  })
  test('leaves open whether ends reached who has not read them yet', async () => {
    const last = plain.findLastIndex(
      (entry) => fieldIn(entry, 'type') === 'read.batch' && fieldIn(entry, 'reader') === 'banana',
    )
    const acks = plain.findIndex((entry, i) => i > indexOf('erasure') && fieldIn(entry, 'type') === 'tombstone.acked')
    const found = await audited(remade(plain.slice(0, Math.min(last, acks))))
    expect(found.find(({ check }) => check === 15)).toMatchObject({
      ...{ result: 'UNKNOWN', says: expect.stringMatching(/^ends that holders have not read yet: .*\d+ of banana/) },
    })
  })
  test('without its snapshot leaves open what only it can tell', async () => {
    const records = { records: () => each(honest.records) }
    const open = (await audited(honest, { records })).flatMap(({ check, result }) =>
      result === 'PASS' ? [] : [`${check} ${result}`],
    )
    expect(open).toEqual(['13 UNKNOWN', '14 UNKNOWN', '15 UNKNOWN'])
  })
})

/** One more entry, behind all others: the state was read before it. */
const anEntry = (type: string, fields: Readonly<Record<string, unknown>>): Plain => ({
  event: newId(world.w.now()),
  fields: Object.entries({ type, time: world.w.now().toISOString(), ...fields }),
  reads: [],
})

/** A withdrawal of nothing, by what the forger would have act. */
const anAct = (fields: Readonly<Record<string, unknown>>): Plain => recommitted(anEntry('signal.withdrawn', fields))

/** By apple with a key that two persons never confirmed, whatever the forger says became of it. */
const byNewKey = (use: string, ...then: readonly Plain[]): Given => {
  const span = { from: '2026-01-01T00:00:00.000Z', to: '2029-01-01T00:00:00.000Z' }
  const own = { actor: 'apple', subject: 'apple' }
  return remade([
    ...plain,
    anEntry('credential.enrolled', { ...own, credential: 'own', use, key: '{}', ...span }),
    ...then,
    anAct({ ...own, cred: world.ids.apple.credential, kid: 'own' }),
  ])
}
const endsKey = (reason: string): Plain =>
  anEntry('credential.revoked', { actor: 'node', subject: 'apple', credential: 'own', use: 'sign', reason })

/** A new key of banana, and what it says of the one that was replaced before. */
const replacing = (use: string, by: Readonly<Record<string, unknown>>, before: readonly Plain[] = []): Given => {
  const isConfirmed = (entry: Plain): boolean =>
    fieldIn(entry, 'use') === 'sign:active' && fieldIn(entry, 'replaces') !== undefined
  const { keys } = fieldIn(plain.find(isConfirmed) as Plain, 'replaces') as { keys: readonly string[] }
  const span = { from: '2026-01-01T00:00:00.000Z', to: '2029-01-01T00:00:00.000Z' }
  const own = { ...by, subject: 'banana', credential: 'own', use, key: '{}' }
  const replaces = { keys, to: span.to }
  return remade([...plain, ...before, anEntry('credential.enrolled', { ...own, ...span, replaces })])
}

const anErasure = (targets: unknown): Plain =>
  anEntry('erasure', {
    ...{ actor: 'node', subject: 'apple' },
    ...{ targets, basis: 'request', notified: 0, root: toBase64Url(treeHash(sha256, [])) },
    approval: fieldIn(plain.find((entry) => fieldIn(entry, 'type') === 'erasure') as Plain, 'approval'),
  })

/** A row of the snapshot that has the third revision where it had the second. */
const jumped = (text: string): string =>
  line(text, (row) => {
    const state = row['state'] as { revision?: number } | undefined
    return state?.revision === 2 ? { ...row, state: { ...state, revision: 3 } } : row
  })

/** What a read keeps of one source, as its set is made of it. */
const partOf = (kept: Plain['reads'][number]['items'][number] = ['']): readonly [string, ReadItem[]] => {
  const [party, ...items] = kept
  return [
    String(party),
    items.map((one) => ({ signal: String(Object(one)[0]) as Uuid, revision: Number(Object(one)[1]) })),
  ]
}

/** Of whoever holds the keys and the tables: each builds a log that is wrong in one way. */
const FORGERS: readonly (readonly [check: number, what: string, forge: () => Given, says: RegExp])[] = [
  [
    5,
    'gives another record than the entry was made of',
    () =>
      reworded(
        remade(plain),
        (value) => (value['decoys'] as string[] | undefined)?.length !== 0 && value['decoys'] !== undefined,
        (value) => ({
          ...value,
          decoys: (value['decoys'] as string[]).map(() => toBase64Url(sha256('another salt'))),
        }),
      ),
    /makes? another entry|make another entry/,
  ],
  [
    5,
    'withholds the last record',
    () => {
      const log = remade(plain)
      return { ...log, records: log.records.slice(0, -1) }
    },
    /it has no record/,
  ],
  [
    6,
    'takes a value out without an erasure',
    () => remade(plain, { erased: { index: indexOf('audience.changed'), name: 'label' } }),
    /nothing opens the digest/,
  ],
  [
    6,
    'tells a field twice',
    () => remade(changed('audience.changed', (entry) => ({ ...entry, fields: [...entry.fields, ['label', 'other']] }))),
    /the field label is there twice/,
  ],
  [
    6,
    'opens a digest with another value',
    () =>
      reworded(
        remade(plain),
        (value) => String(value['index']) === String(indexOf('audience.changed')),
        (value) => ({
          ...value,
          disclosures: [...(value['disclosures'] as string[]), toBase64Url(Buffer.from('["AAAA","note","x"]'))],
        }),
      ),
    /a disclosure is not in the payload/,
  ],
  [
    7,
    'erases what is still there',
    () => remade([...plain, anErasure([['3', toBase64Url(sha256('a digest'))]])]),
    /its target in entry 3 is not there, or not erased/,
  ],
  [
    7,
    'erases a second time on one decision',
    () => remade([...plain, anErasure([])], { erased: { index: indexOf('audience.changed'), name: 'label' } }),
    /the request was executed before/,
  ],
  [
    7,
    "erases on nobody's word",
    () => remade(changed('erasure', (entry) => put(entry, 'approval', undefined))),
    /it names no request that two persons decided/,
  ],
  [
    7,
    'erases on a decision about something else',
    () =>
      remade(
        changed('erasure', (entry) =>
          put(entry, 'approval', fieldIn(plain[indexOf('collection.held')] as Plain, 'req')),
        ),
      ),
    /it is not what was asked for: collection.hold/,
  ],
  [
    8,
    'leaves a link out of a chain',
    () =>
      remade(plain, {
        seq: (index, party, seq) => (index === indexOf('signal.withdrawn') && party === 'apple' ? seq + 1n : seq),
      }),
    /link \d+ of apple follows link \d+/,
  ],
  [
    9,
    'hides an entry from whom it concerns',
    () => remade(changed('participant.suspended', (entry) => ({ ...entry, parties: ['node'] }))),
    /it moves on the chains of node; it concerns banana, node/,
  ],
  [
    9,
    'pads a chain by a decoy too many',
    () => remade(plain, { decoys: (index) => (index === 3 ? 1 : 0) }),
    /padded by another number/,
  ],
  [
    10,
    'puts an effect before its cause',
    () => remade(changed('approval.given', (entry) => put(entry, 'after', newId(world.w.now())))),
    /does not stand before it/,
  ],
  [
    10,
    'leaves a revision out',
    () => {
      const { late } = world.ids.signals
      const log = remade(
        changed(
          'signal.withdrawn',
          (entry) => recommitted({ ...entry, changes: (entry.changes ?? []).map((one) => ({ ...one, revision: 3 })) }),
          ({ changes }) => changes?.some(({ signal }) => signal === late) === true,
        ),
      )
      return { ...log, snapshot: log.snapshot.map((text) => (text.includes(late) ? jumped(text) : text)) }
    },
    /revision 3 of the signal \S+ follows 1/,
  ],
  [
    11,
    'takes a submission from a credential of somebody else',
    () => remade(changed('signal.withdrawn', (entry) => put(entry, 'cred', world.ids.cherry.credential))),
    /is none of apple/,
  ],
  [
    11,
    'takes a submission by a key that was never enrolled',
    () => remade(changed('signal.withdrawn', (entry) => put(entry, 'kid', 'A'.repeat(43)))),
    /the signing key A+ is none of apple/,
  ],
  [
    11,
    'takes a submission by a credential without the scope',
    () =>
      restated(
        remade(
          changed(
            'credential.enrolled',
            (entry) => put(entry, 'scopes', ['feed:read']),
            (entry) => fieldIn(entry, 'credential') === world.ids.cherry.credential,
          ),
        ),
        new RegExp(`^credential ${world.ids.cherry.credential}$`),
        (row) => ({ ...row, state: { ...row.state, scopes: ['feed:read'] } }),
      ),
    /without the scope signals:submit/,
  ],
  [
    11,
    'revokes a credential a second time, for the seconds in which it may still act',
    () => {
      const first = plain.find(
        (entry) => fieldIn(entry, 'type') === 'credential.revoked' && fieldIn(entry, 'use') === 'tls',
      ) as Plain
      const [subject, cred] = [fieldIn(first, 'subject'), fieldIn(first, 'credential')]
      const kid = fieldIn(
        plain.find(
          (entry) => fieldIn(entry, 'use') === 'sign:active' && fieldIn(entry, 'subject') === subject,
        ) as Plain,
        'credential',
      )
      const time = new Date(Date.parse(String(fieldIn(first, 'time'))) + 600_000).toISOString()
      const again = { ...put(first, 'time', time), event: newId(world.w.now()) }
      return remade([...plain, again, anAct({ actor: subject, subject, cred, kid, time })])
    },
    /the credential \S+ is revoked/,
  ],
  [
    11,
    'takes a submission by a key that waits to be confirmed',
    () => byNewKey('sign:pending'),
    /the signing key own is pending/,
  ],
  [
    11,
    'takes a submission by a key that was ended before it was confirmed',
    () => byNewKey('sign:pending', endsKey('retired')),
    /the signing key own is retired/,
  ],
  [
    11,
    'makes a key active by a word that ends it',
    () => byNewKey('sign:pending', endsKey('active')),
    /the signing key own is retired/,
  ],
  [
    11,
    'makes a key active by a use that nobody confirms',
    () => byNewKey('SIGN:active'),
    /the signing key own is none of apple/,
  ],
  [
    12,
    'ends a role that a person never held, for the seconds in which it may still vote by it',
    () => {
      const whom = fieldIn(plain.find((entry) => fieldIn(entry, 'role') === 'analyst') as Plain, 'whom')
      const request = { request: newId(world.w.now()), action: 'collection.hold', digest: 'd' }
      return remade([
        ...plain,
        anEntry('role.changed', { actor: 'node', person: world.w.ada, whom, role: 'governance', what: 'ended' }),
        anEntry('approval.requested', { actor: 'node', ...request, person: world.w.ada }),
        anEntry('approval.given', { actor: 'node', ...request, person: whom }),
      ])
    },
    /may not answer a request of collection.hold/,
  ],
  [
    12,
    'brings a key that is over to a later end, by a new one that nobody confirmed',
    () => replacing('sign:pending', { actor: 'banana' }),
    /a key that nobody confirmed replaces others/,
  ],
  [
    12,
    'brings a key that is over to a later end, as another is confirmed',
    () => {
      const request = newId(world.w.now())
      const asked = { actor: 'node', request, action: 'signing-key.confirm', digest: 'd' }
      return replacing('sign:active', { actor: 'node', req: request }, [
        anEntry('approval.requested', { ...asked, person: world.w.ada }),
        anEntry('approval.given', { ...asked, person: world.w.ben }),
      ])
    },
    /it replaces \S+, which is no key of banana that ends later/,
  ],
  [
    12,
    'gives a role by a name in which a person ends and a role begins',
    () => {
      const by = { actor: 'node', person: world.w.ada }
      return remade([
        ...plain,
        anEntry('person.added', { ...by, whom: 'A', organisation: 'apple' }),
        anEntry('person.added', { ...by, whom: 'A B', organisation: 'apple' }),
        anEntry('role.changed', { ...by, whom: 'A', role: 'B node_admin', what: 'granted' }),
        anEntry('approval.requested', { actor: 'node', request: 'r', action: 'group.end', digest: 'd', person: 'A B' }),
      ])
    },
    /there is no role B node_admin/,
  ],
  [
    12,
    'gives a role to nobody who was added',
    () =>
      remade([
        ...plain,
        anEntry('role.changed', { actor: 'node', person: world.w.ada, whom: 'A', role: 'analyst', what: 'granted' }),
      ]),
    /the person A was never added/,
  ],
  [
    12,
    'adds a person once more, to another organisation',
    () =>
      remade([
        ...plain,
        anEntry('person.added', { actor: 'node', person: world.w.ada, whom: world.w.ben, organisation: 'apple' }),
      ]),
    /the person \S+ was added before/,
  ],
  [
    12,
    'does alone what takes two',
    () => remade(changed('collection.held', (entry) => put(entry, 'req', undefined))),
    /takes two persons, and names no request/,
  ],
  [
    12,
    "lets somebody into a group's audience by making it once more",
    () => {
      const audience = world.ids.berries.audience
      return remade([
        ...plain,
        anEntry('audience.changed', { actor: 'fig', audience, members: ['fig'], label: 'own', mode: 'full' }),
      ])
    },
    /the audience \S+ was made before/,
  ],
  [
    12,
    'has a key that was revoked open the node again, by another under its id',
    () => {
      const ends = plain.find(
        (entry) => fieldIn(entry, 'type') === 'credential.revoked' && fieldIn(entry, 'use') === 'tls',
      ) as Plain
      const [id, subject] = [fieldIn(ends, 'credential'), fieldIn(ends, 'subject')]
      const [request, code] = [newId(world.w.now()), newId(world.w.now())]
      const asked = { actor: 'node', request, action: 'credential.enrol', digest: 'd' }
      const span = { from: world.w.now().toISOString(), to: '2029-01-01T00:00:00.000Z' }
      const of = { subject, scopes: ['feed:read'] }
      return remade([
        ...plain,
        anEntry('approval.requested', { ...asked, person: world.w.ada }),
        anEntry('approval.given', { ...asked, person: world.w.ben }),
        anEntry('credential.enrolled', { ...of, actor: 'node', credential: code, use: 'code', ...span, req: request }),
        anEntry('credential.enrolled', {
          ...of,
          actor: subject,
          credential: id,
          use: 'tls',
          spki: 'cd',
          ...span,
          code,
        }),
      ])
    },
    /the TLS key \S+ of \S+ has the id of one that was enrolled before/,
  ],
  [
    12,
    'takes in a TLS key without a code',
    () => {
      const isRedeemed = (entry: Plain): boolean =>
        fieldIn(entry, 'use') === 'tls' && fieldIn(entry, 'code') !== undefined
      const code = fieldIn(plain.find(isRedeemed) as Plain, 'code')
      const event = plain.find((entry) => fieldIn(entry, 'credential') === code)?.event
      return restated(
        remade(changed('credential.enrolled', (entry) => put(entry, 'code', undefined), isRedeemed)),
        new RegExp(`^code ${code}$`),
        (row) => ({ ...row, event, state: { ...row.state, used: null } }),
      )
    },
    /the TLS key \S+ of apple names no code, and was not presented before/,
  ],
  [
    12,
    'makes a second signing key active at once',
    () =>
      remade(
        changed(
          'credential.enrolled',
          (entry) => put(entry, 'use', 'sign:active'),
          (entry) => fieldIn(entry, 'use') === 'sign:pending',
        ),
      ),
    /the signing key \S+ of banana is not the first, and nobody confirmed it/,
  ],
  [
    12,
    'approves what it asked for',
    () => {
      const given = plain[indexOf('approval.given')] as Plain
      const [request, approver] = [fieldIn(given, 'request'), fieldIn(given, 'person')]
      return restated(
        remade(changed('approval.given', (entry) => put(entry, 'person', world.w.ada))),
        new RegExp(`^vote ${request} ${approver}$`),
        (row) => ({ ...row, of: `vote ${request} ${world.w.ada}` }),
      )
    },
    /approved what it asked for itself/,
  ],
  [
    12,
    'carries out another payload than was approved',
    () => {
      const digest = toBase64Url(sha256('another payload'))
      const given = plain[indexOf('approval.given')] as Plain
      return restated(
        remade(changed('approval.given', (entry) => put(entry, 'digest', digest))),
        new RegExp(`^vote ${fieldIn(given, 'request')} `),
        (row) => ({ ...row, state: { ...row.state, digest } }),
      )
    },
    /was of another payload/,
  ],
  [
    13,
    'records another change than it makes',
    () => remade(changed('policy.published', (entry) => put(entry, 'digest', toBase64Url(sha256('another policy'))))),
    /policy taxonomy 1: the row is another than the event \S+ made it/,
  ],
  [
    13,
    'commits to other signals than it changed',
    () => remade(changed('signal.withdrawn', (entry) => put(entry, 'accepted', toBase64Url(sha256('other signals'))))),
    /it changed other signals than it committed to/,
  ],
  [
    14,
    'gives a batch another root than its reads have',
    () => {
      const root = toBase64Url(sha256('another root'))
      const log = remade(plain, { root: (batch) => (fieldIn(batch, 'reader') === 'cherry' ? root : undefined) })
      return log
    },
    /another root or number than its reads/,
  ],
  [
    14,
    'tells a source of fewer items than were given out',
    () =>
      remade(
        changed('read.batch', (entry) => ({
          ...entry,
          fields: entry.fields.map(([name, value]) => [
            name,
            name === 'source' ? { ...(value as object), items: 1 } : value,
          ]),
        })),
      ),
    /its part of \w+ is another than its reads make/,
  ],
  [
    14,
    'gives out in a look-up what was never shared',
    () => {
      const stray = newId(world.w.now())
      return remade(
        changed(
          'read.batch',
          (entry) => {
            const reads = entry.reads.map((read) => ({
              ...read,
              items: read.items.map(([party]) => [party, [stray, 1]]),
            }))
            const counted = reads.map((read) => (read.items.length === 0 ? read : put(read, 'n', read.items.length)))
            const kept = counted.filter(({ items }) => items.length > 0)
            return resets(
              put({ ...entry, reads: kept }, 'n', kept.length),
              (read) => new Map(read.items.map(([party]) => [String(party), [{ signal: stray, revision: 1 }]])),
            )
          },
          (entry) => entry.reads.some(({ items }) => items.length > 0),
        ),
      )
    },
    /was not there in revision 1/,
  ],
  [
    14,
    'names one source twice in a read, and another that it gave out of not at all',
    () =>
      remade(
        changed(
          'read.batch',
          (entry) => {
            const kept = entry.reads.filter(({ items }) => items.length > 1)
            return resets(put({ ...entry, reads: kept }, 'n', kept.length), ({ items }) =>
              items.map(() => partOf(items[0])),
            )
          },
          (entry) => entry.reads.some(({ items }) => items.length > 1),
        ),
      ),
    /it names other sources than it gave out/,
  ],
  ...Object.entries<Record<string, unknown>>({
    'does not say when the last read of a batch was made': { to: undefined },
    'does not say when the first read of a batch was made': { from: undefined },
    'says of the reads of a batch a time that is none': { to: 'later' },
    'ends the reads of a batch before they begin': { to: '2000-01-01T00:00:00.000Z' },
    'makes reads after the batch that they are in': { to: '2100-01-01T00:00:00.000Z' },
  }).map(([what, times]): (typeof FORGERS)[number] => [
    14,
    what,
    () =>
      remade(
        changed(
          'read.batch',
          (entry) => Object.entries(times).reduce((one, [name, value]) => put(one, name, value), entry),
          (entry) => fieldIn(entry, 'reader') === 'banana',
        ),
      ),
    /it does not say from when to when its reads were made, all of them before it/,
  ]),
  [
    13,
    'erases other signals than it commits to',
    () => remade(changed('erasure', (entry) => put(entry, 'root', toBase64Url(sha256('other signals'))))),
    /it changed other signals than it committed to/,
  ],
  [
    15,
    'asks fewer to remove what was erased than had obtained it',
    () => remade(changed('erasure', (entry) => put(entry, 'notified', 0))),
    /it asks 0 holders, and 1 had obtained what it erases/,
  ],
  [
    15,
    'acknowledges what is not in the feed yet',
    () => remade(changed('tombstone.acked', (entry) => put(entry, 'upto', '1000'))),
    /banana acknowledges up to 1000, and the feed has \d+ events/,
  ],
  [
    15,
    'tells a source of fewer acknowledged ends than there are',
    () =>
      remade(
        changed('tombstone.acked', (entry) => ({
          ...entry,
          fields: entry.fields.map(([name, value]) => [
            name,
            name === 'source' ? { ...(value as object), n: 0 } : value,
          ]),
        })),
      ),
    /banana acknowledges another number of ends than the feed has/,
  ],
  [
    15,
    'tells a source of acknowledged ends twice, and once of fewer',
    () =>
      remade(
        changed('tombstone.acked', (entry) => ({
          ...entry,
          fields: entry.fields.flatMap(([name, value]): Plain['fields'] =>
            name === 'source'
              ? [
                  [name, { ...(value as object), n: 0 }],
                  [name, value],
                ]
              : [[name, value]],
          ),
        })),
      ),
    /banana acknowledges another number of ends than the feed has/,
  ],
  [
    17,
    'lets somebody reveal who left long ago, and writes no read of it down',
    () => {
      // The last is of a value for a group that cherry leaves after it, long before it leaves the programme.
      const at = plain.findLastIndex((entry) => fieldIn(entry, 'type') === 'value.revealed')
      const { slug, credential } = world.ids.cherry
      const acts = {
        actor: slug,
        reader: slug,
        cred: credential,
        time: fieldIn(plain[indexOf('feed.paused')] as Plain, 'time'),
      }
      const forged = Object.entries(acts).reduce((entry, [name, value]) => put(entry, name, value), plain[at] as Plain)
      return remade(plain.toSpliced(indexOf('feed.paused'), 0, forged).toSpliced(at, 1))
    },
    /the reader was not in the audience/,
  ],
  [
    17,
    'names a revision of what was revealed that never was',
    () => remade(changed('value.revealed', (entry) => put(entry, 'revision', 9))),
    /it names a revision in which its signal was never live/,
  ],
]

describe('a forger with the keys and the database who', () => {
  test.for(FORGERS)('%i: %s, is found by that check alone', async ([check, , forged, says]) => {
    const found = await failing(forged())
    expect(found.map((one) => one.split(':')[0])).toEqual([`${check} FAIL`])
    expect(found[0]).toMatch(says)
  })
})

/** The checks that did not pass, in one text. */
const failed = async (given: Given): Promise<string> => (await failing(given)).join('\n')

describe('an audit', () => {
  test('knows of chains of participants and of the node alone', async () => {
    const merged = changed('participant.suspended', (entry) => ({ ...entry, parties: ['banana node'] }))
    expect(await failed(remade(merged))).toMatch(/5 FAIL[\s\S]*9 FAIL/)
  })
  test('says that an erasure named what none takes', async () => {
    const lies = { erased: { index: indexOf('audience.changed'), name: 'label' } }
    expect(await failed(remade([...plain, anErasure([])], lies))).toMatch(
      /7 FAIL: .*is of a kind that no erasure takes/,
    )
  })
  test.for<[what: string, change: (entry: Plain) => Plain, says: RegExp]>([
    ['an entry that does not say what it is', (entry) => put(entry, 'type', undefined), /6 FAIL: .*what it is/],
    ['a kind that it does not know', (entry) => put(entry, 'type', 'later.kind'), /6 UNKNOWN: the kind "later.kind"/],
    ['a field that it does not know', (entry) => put(entry, 'later', 1), /6 UNKNOWN: the field "later" of audience/],
    [
      'a source in an entry of a kind that has none',
      (entry) => ({ ...entry, fields: [...entry.fields, ['source', { party: 'apple' }]] }),
      /6 UNKNOWN: the field "source" of audience.changed/,
    ],
    ['a kind by the name of what every object has', (entry) => put(entry, 'type', 'constructor'), /6 UNKNOWN/],
    ['a kind by the name of what objects are made of', (entry) => put(entry, 'type', '__proto__'), /6 UNKNOWN/],
  ])('does not pass %s', async ([, change, says]) => {
    expect(await failed(remade(changed('audience.changed', change)))).toMatch(says)
  })
  test.for<[what: string, as_of: unknown]>([
    ['nothing', {}],
    ['what is no list of members', null],
    ['a number that is none', { log: 'x' }],
    ['a number of another form', { log: 4 }],
    ['a member more', { log: '4', feed: 'x' }],
    ['half of a feed', { feed: 'x', from: '1' }],
  ])('takes no read that says %s of how far it looked', async ([, as_of]) => {
    const blurred = changed(
      'read.batch',
      (entry) => ({ ...entry, reads: entry.reads.map((read) => put(read, 'as_of', as_of)) }),
      (entry) => entry.reads.some(({ items }) => items.length > 0),
    )
    expect(await failed(remade(blurred))).toMatch(/14 FAIL: .*does not say how far it looked/)
  })
  test('takes no key epoch for a read of signals', async () => {
    const blurred = changed(
      'read.batch',
      (entry) => ({ ...entry, reads: entry.reads.map((read) => put(read, 'as_of', { hash_profile: 'x' })) }),
      (entry) => entry.reads.some(({ items }) => items.length > 0),
    )
    expect(await failed(remade(blurred))).toMatch(/14 FAIL: .*it gave out a key epoch, and more/)
  })
})

describe('a snapshot', () => {
  /** Its pages of one kind as if they had been read when the log was empty, or never. */
  const paged = (feeds: boolean, change: ((page: { size: string }) => object) | undefined): Given => {
    const isOne = (text: string): boolean => text.startsWith('{"page":') && text.includes('"upto":') === feeds
    const snapshot = honest.snapshot.flatMap((text) => {
      if (!isOne(text)) return [text]
      return change === undefined ? [] : [line(text, ({ page }) => ({ page: change(page as { size: string }) }))]
    })
    return { ...honest, snapshot }
  }
  const first = (feeds: boolean): Given => {
    let n = 0
    return paged(feeds, (page) => (n++ === 0 ? { ...page, size: '0', waiting: [], ...(feeds && { upto: '0' }) } : page))
  }
  test('that is read says from when on it is', async () => {
    const found = (await audited(honest)).find(({ check }) => check === 13)
    expect(found).toMatchObject({
      ...{
        result: 'PASS',
        says: expect.stringMatching(/, read from \d+ entries on, of which \d+ had reached the feeds$/),
      },
    })
  })
  test.for<[what: string, forged: () => Given, says: RegExp]>([
    ['older pages of feeds', () => first(true), /13 UNKNOWN: only 0 entries had reached the feeds/],
    ['an older page behind a newer one', () => first(false), /the snapshot is malformed/],
    ['no pages of feeds', () => paged(true, undefined), /13 (UNKNOWN|FAIL)/],
    [
      'feeds that are ahead of the log',
      () => paged(true, (page) => ({ ...page, upto: '9999999' })),
      /the snapshot is malformed/,
    ],
  ])('does not pass with %s', async ([, forged, says]) => {
    expect(await failed(forged())).toMatch(says)
  })
  test('of nothing does not pass for the state of a log', async () => {
    const rows = '{"page":{"size":"0","waiting":[]}}'
    const feeds = '{"page":{"size":"0","upto":"0","waiting":[]}}'
    const snapshot = [feeds, rows, '{"end":0}']
    expect(await failed({ ...honest, snapshot })).toMatch(/13 UNKNOWN: entry \d+ tells of a later/)
    const silent = remade(plain.filter((entry) => fieldIn(entry, 'range') !== 'snapshot'))
    expect(await failed({ ...silent, snapshot })).toMatch(/13 UNKNOWN: .*none of which tells that one was asked for/)
  })
  test.for(['99999999999', '9999999', '0', 'y', '1.5'])(
    'with an event at the place %s of a feed fails',
    async (place) => {
      const at = honest.snapshot.findIndex((text) => text.startsWith('{"of":"feed-entry '))
      const row = line(honest.snapshot[at] ?? '', (one) => ({ ...one, of: `feed-entry ${idOf(9)} ${place}` }))
      const end = honest.snapshot.length - 1
      const ended = line(honest.snapshot[end] ?? '', ({ end: n }) => ({ end: Number(n) + 1 }))
      const snapshot = honest.snapshot.with(end, ended).toSpliced(at, 0, row)
      expect(await failed({ ...honest, snapshot })).toMatch(/13 FAIL: .*the events before it are not there/)
    },
  )
})

describe('a line that is damaged', () => {
  const alone = (): Given => remade(changed('collection.held', (entry) => put(entry, 'req', undefined)))
  const results = async (given: Given): Promise<string> =>
    (await audited(given)).map(({ check, result }) => `${check} ${result}`).join(', ')
  const halved = (lines: readonly string[], at: number): readonly string[] =>
    lines.with(at, lines.at(at)?.slice(0, -9) ?? '')

  test.for<[what: string, change: (snapshot: readonly string[]) => readonly string[]]>([
    ['which has a broken line', (snapshot) => halved(snapshot, 3)],
    ['which is cut short', (snapshot) => snapshot.slice(0, -1)],
    ['which holds what nobody thought of', (snapshot) => ['{"page":{"size":"x","waiting":[]}}', ...snapshot]],
  ])('of the state, %s, leaves open what the state alone can tell, and says why', async ([, change]) => {
    const log = alone()
    const broken = { ...log, snapshot: change(log.snapshot) }
    const failed = ['12 FAIL', '13 UNKNOWN', '14 UNKNOWN', '15 UNKNOWN']
    const found = await failing(broken)
    expect(found.map((one) => one.split(':')[0])).toEqual(failed)
    expect(found[1]).toMatch(/13 UNKNOWN: the (snapshot is malformed|records hold something)/)
  })
  test('of the records leaves what was found before it, and all else open', async () => {
    const log = alone()
    const found = await results({ ...log, records: halved(log.records, -1) })
    expect(found).toBe(
      [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17].map((n) => `${n} ${n === 12 ? 'FAIL' : 'UNKNOWN'}`).join(', '),
    )
  })
  test('of the records of an honest log is no failure, wherever it is', async () => {
    const before = honest.records.findIndex((text) => text.startsWith(`{"index":"${indexOf('erasure')}"`))
    expect(before).toBeGreaterThan(0)
    for (const at of [0, 40, before, honest.records.length - 2])
      expect(await results({ ...honest, records: halved(honest.records, at) }), `line ${at}`).not.toMatch(/FAIL|PASS/)
  })
})

test('records that hold what nobody thought of leave the checks of the tree as they are', async () => {
  const records = {
    async *records(): AsyncGenerator<string> {
      yield honest.records[0] ?? ''
      throw new TypeError('not iterable')
    },
  }
  const { findings, result } = await auditLog({
    ...{ hash: sha256, source: sourceOf(forge(honest.entries)), pinned: { key: LOG_KEY.vkey, verify: verifyEd25519 } },
    ...{ now: world.w.now(), kept: [], records },
  })
  expect(findings.filter(({ check }) => check === 1 || check === 3).map((one) => one.result)).toEqual(['PASS', 'PASS'])
  expect(findings.filter(({ check }) => check >= 5).map((one) => one.result)).toEqual(Array(13).fill('UNKNOWN'))
  expect(result).toBe('UNKNOWN')
})

describe('the time of an entry', () => {
  const robin = aKey('witness.example/robin', new Uint8Array(32).fill(9))
  const vkey = formatVkey(sha256, robin.name, robin.publicKey, NOTE_TYPE.cosignature)
  const policy = parsePolicy(
    sha256,
    `log ${formatVkey(sha256, LOG_KEY.name, LOG_KEY.publicKey)}\nwitness robin ${vkey}\nquorum robin\n`,
  )
  /** What check 10 says if a witness cosigned the first `size` entries so many seconds after the last of them. */
  const orderOf = async (size: number, later: number) => {
    const { size: n, root, note } = forge(honest.entries.slice(0, size))
    const text = checkpointText({ origin: LOG_KEY.name, size: n, root })
    const time = Date.parse(String(fieldIn(plain[size - 1] as Plain, 'time'))) / 1_000
    const seconds = BigInt(Math.floor(time + later))
    const signature = cosignatureBytes(seconds, robin.sign(cosignedText(text, seconds)))
    const { name, publicKey } = robin
    const line = signatureLine(sha256, { name, publicKey, signature, type: NOTE_TYPE.cosignature })
    const found = await audited(honest, { policy, kept: [{ name: 'kept', note: `${note}${line}` }] })
    return found.find(({ check }) => check === 10)
  }
  test('is within five minutes of the one at which a witness saw it', async () => {
    const first = plain.findIndex((entry, i) => fieldIn(entry, 'time') !== fieldIn(plain[i + 1] as Plain, 'time')) + 1
    expect(await orderOf(first, 0)).toMatchObject({ result: 'PASS' })
    expect(await orderOf(first, -299)).toMatchObject({ result: 'PASS' })
    const early = await orderOf(first, -301)
    expect(early).toMatchObject({ result: 'FAIL' })
    expect(early?.says).toContain('its time is after the one at which a witness saw it')
    const late = await orderOf(first, 86_400)
    expect(late?.says).toContain('its time is before the one at which a witness saw the log without it')
  })
})

/** A row that somebody changes with SQL alone, how it was before, and what an audit calls it. */
const CHANGES: readonly (readonly [what: string, change: () => string, back: () => string, names: RegExp])[] = [
  [
    "a signal's state",
    () => `update signal set state = 1 where signal_id = '${world.ids.signals.late}'`,
    () => `update signal set state = 2 where signal_id = '${world.ids.signals.late}'`,
    /signal apple \S+: the row is another than the event \S+ made it/,
  ],
  [
    "a participant's status",
    () => `update participant set status = 2 where slug = 'apple'`,
    () => `update participant set status = 1 where slug = 'apple'`,
    /participant apple: the row is another than the event \S+ made it/,
  ],
  [
    "a credential's scopes",
    () =>
      `update credential set scopes = array_append(scopes, 'provenance:audit') where credential_id = '${world.ids.apple.credential}'`,
    () =>
      `update credential set scopes = array_remove(scopes, 'provenance:audit') where credential_id = '${world.ids.apple.credential}'`,
    /credential \S+: the row is another than the event/,
  ],
  [
    'the text of a policy',
    () => `update policy set body = body || ' ' where kind = 'retention'`,
    () => `update policy set body = rtrim(body) where kind = 'retention'`,
    /policy retention 1: the row is another/,
  ],
  [
    'a member that joined no audience',
    () =>
      `insert into audience_member (audience_id, participant_id, from_seq) select '${world.ids.berries.audience}', participant_id, 1 from participant where slug = 'owl'`,
    () =>
      `delete from audience_member where participant_id = (select participant_id from participant where slug = 'owl')`,
    /audience-member \S+ owl: no entry made it so/,
  ],
  [
    'a role that nobody gave',
    () =>
      `insert into role_grant (person_id, role, granted_at, last_event) select '${world.w.ada}', 'governance', granted_at, last_event from role_grant where person_id = '${world.w.ada}'`,
    () => `delete from role_grant where role = 'governance' and person_id = '${world.w.ada}'`,
    /role \S+ governance \S+: the row names an event that did not make it so/,
  ],
  [
    'how far a participant acknowledged',
    () => 'update feed_ack set seq = seq - 1',
    () => 'update feed_ack set seq = seq + 1',
    /acknowledgement banana \S+ mirror_removed: the row is another/,
  ],
  [
    'an event of a feed',
    () => `update feed_entry set revision = revision + 1 where signal_id = '${world.ids.signals.late}' and kind = 1`,
    () => `update feed_entry set revision = revision - 1 where signal_id = '${world.ids.signals.late}' and kind = 1`,
    /feed-entry \S+ \d+: the row is another than entry \d+ made it/,
  ],
  [
    'an event that is gone from a feed',
    () =>
      `create table kept_event as select * from feed_entry where signal_id = '${world.ids.signals.late}' and kind = 1; delete from feed_entry where signal_id = '${world.ids.signals.late}' and kind = 1`,
    () =>
      `insert into feed_entry (feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, body, added_us) select feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, body, added_us from kept_event; drop table kept_event`,
    /feed-entry \S+ \d+: entry \d+ made it, and the database does not have it/,
  ],
  [
    'an event that no entry put into a feed',
    () =>
      `insert into feed_entry select feed_id, seq + 1000, log_idx, kind, origin, signal_id, revision, submission_id, body from feed_entry where signal_id = '${world.ids.signals.late}' and kind = 1`,
    () => `delete from feed_entry where seq > 1000`,
    /feed-entry \S+ \d+: no entry made it/,
  ],
  [
    'a signal that look-ups find again after its end',
    () => `update shared_signal set state = 1 where signal_id = '${world.ids.signals.late}'`,
    () => `update shared_signal set state = 2 where signal_id = '${world.ids.signals.late}'`,
    /look-up apple \S+: no entry made it so/,
  ],
  [
    'a signal that look-ups no longer find',
    () =>
      `create table kept_shared as select * from shared_signal where signal_id = '${world.ids.signals.late}'; delete from shared_signal where signal_id = '${world.ids.signals.late}'`,
    () => `insert into shared_signal select * from kept_shared; drop table kept_shared`,
    /look-up apple \S+: the entries make it, and the database does not have it/,
  ],
  [
    'an agreement that nobody accepted',
    () =>
      `insert into agreement (participant_id, version, digest, signatory, accepted_at, last_event) select participant_id, '1', sha256('plum'), 'Ada', now(), last_event from participant where slug = 'owl'`,
    () => `delete from agreement where version = '1'`,
    /agreement owl 1: the row names an event that did not make it so/,
  ],
  [
    'an item of an onboarding that was never returned',
    () => `update onboarding_item set state = 3 where item = 'appeals'`,
    () => `update onboarding_item set state = 2 where item = 'appeals'`,
    /onboarding-item \S+ appeals: the row is another/,
  ],
  [
    'a probation that is longer',
    () => `update participant set probation_until = probation_until + interval '1 day' where slug = 'fig'`,
    () => `update participant set probation_until = probation_until - interval '1 day' where slug = 'fig'`,
    /participant fig: the row is another/,
  ],
  [
    'a request that was taken back later',
    () => `update approval_request set cancelled_at = cancelled_at + interval '1 day'`,
    () => `update approval_request set cancelled_at = cancelled_at - interval '1 day'`,
    /request \S+: the row is another/,
  ],
  [
    'a row that is gone',
    () => `create table kept_hold as select * from hold_switch; delete from hold_switch`,
    () => `insert into hold_switch select * from kept_hold; drop table kept_hold`,
    /collection FR terms_of_service public: entry \d+ made it, and the database does not have it/,
  ],
]

describe('a row that was changed with SQL alone', { shuffle: false }, () => {
  const asOwner = async (statements: string): Promise<void> => {
    for (const one of statements.split('; ')) await sql.raw(one).execute(world.w.t.owner)
  }
  test.for(CHANGES)('is named: %s', async ([, change, back, names]) => {
    await asOwner(change())
    const found = await world
      .given()
      .then(failing)
      .finally(() => asOwner(back()))
    expect(found.map((one) => one.split(':')[0])).toEqual(['13 FAIL'])
    expect(found[0]).toMatch(names)
    expect(await failing(await world.given())).toEqual([])
  })
})
