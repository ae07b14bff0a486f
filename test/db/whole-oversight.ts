import { setTimeout as delay } from 'node:timers/promises'
import type { Uuid } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { createOverseeing } from '../../src/overseeing.ts'
import { createLedger } from '../../src/provenance/ledger.ts'
import type { TestNode } from '../support/node.ts'

const DAY_MS = 86_400_000

const LIVE = `select encode(s.signal_key, 'hex') as key, s.participant_id from signal s
  join participant p on p.participant_id = s.participant_id where s.state = 1 and p.status = 1
  order by s.last_event desc limit 1`

/** What rules look at that is no entry, and its end. */
async function seen({ sightings, authority, clock }: TestNode['parts']): Promise<void> {
  const [one] = authority.participants()
  if (one === undefined) throw new Error('no participant')
  const { participant_id: participant } = one
  sightings.seen({ participant, credential: participant, network: '192.0.2.0/24' })
  sightings.lookedUp(participant, { lookups: 1, with_hits: 1 })
  await sightings.flush()
  await sightings.forget(new Date(clock().getTime() - 100 * DAY_MS))
}

/** What governance works with: reports, anomalies, holds, purges and registers, each from its beginning to its end. */
export async function overseen(n: TestNode, past: (text: string) => Promise<unknown[]>): Promise<void> {
  const { parts } = n
  const { participants, clock, anomalies, authority } = parts
  const { publishing, retention, registers, sourceHolds } = createOverseeing(parts, ledgerOf(n), silentLog, () => false)
  const gil = await governor(n, 'Gil', 'office')
  const nia = await governor(n, 'Nia', 'council')
  const today = Math.floor(clock().getTime() / DAY_MS) * DAY_MS
  await publishing.begin(
    { participant: parts.programme.programme_id, slug: 'node', person: gil },
    { period: { from: today - 9 * DAY_MS, to: today }, k: 5 },
  )
  // A draft waits for entries that the node's own loop is still carrying.
  do if (!(await publishing.round())) await delay(20)
  while (publishing.drafting()?.state === 'running')
  const [report] = await publishing.list()
  if (report === undefined) throw new Error('no report')
  const found = await publishing.find(report.digest)
  const payload = { ...found.report.period, log_size: Number(report.size), digest: report.digest }
  const { request_id } = await participants.propose('report.publish', payload, gil)
  await participants.approve(request_id, nia, clock())
  await participants.execute(request_id, nia)
  await publishing.published()

  await seen(parts)
  await anomalies.attempted('office')
  await anomalies.look()
  const [one] = await anomalies.list()
  if (one === undefined) throw new Error('no case')
  await anomalies.lookAt(gil, one.id)
  await anomalies.close(gil, one.id, { reason: 'explained' })
  await anomalies.open()

  const [row] = (await past(LIVE)) as { key: string; participant_id: Uuid }[]
  if (row === undefined) throw new Error('no live signal')
  const source = authority.participantById(row.participant_id)
  if (source === undefined) throw new Error('no source')
  await sourceHolds.pending(parts.pools.admin, source.participant_id, new Date(today))
  const [first] = await participants.pausableFeeds()
  if (first === undefined) throw new Error('no feed')
  await n.decide('feed.pause', { feed: first.feed, reason: 'anomaly' })
  await n.decide('feed.resume', { feed: first.feed })
  await n.decide('source.hold', { participant: source.slug, since: `${new Date(today).toISOString().slice(0, 19)}Z` })
  await n.decide('source.release', { participant: source.slug })

  const { hold } = (await n.decide('hold.place', { participant: source.slug, what: 'all', reason: 'audit' })) as {
    hold: Uuid
  }
  await retention.preview()
  await retention.round()
  await retention.purge(source.participant_id).catch(() => undefined)
  await registers.holds.list()
  await n.decide('hold.lift', { hold })

  const government = await registers.government.receive(gil, {
    ...{ country: 'IE', kind: 'preserve', asked: 1, basis: 'dsa_art_10', reference: 'file 1', receivedAt: clock() },
  })
  await n.decide('government.close', { request: government, outcome: 'refused', n: 0 })
  await registers.government.list()

  const subject = await registers.subjects.receive(gil, { kind: 'erasure', receivedAt: clock() })
  await registers.subjects.extend(gil, subject, 'complex')
  const clerk = { participant: parts.programme.programme_id, slug: 'node', person: gil }
  await registers.subjects.match(clerk, subject, [row.key])
  await registers.subjects.propose(gil, subject, source.participant_id)
  await registers.subjects.find(subject)
  await registers.subjects.close(gil, subject, 'refused')
  await registers.subjects.list()
  await participants.policies()
  await participants.endPerson(n.ada, gil)
}

async function governor(n: TestNode, name: string, organisation: string): Promise<Uuid> {
  const { person_id } = await n.parts.participants.addPerson(n.ada, { name, organisation })
  await n.decide('role.grant', { person: person_id, role: 'governance' })
  return person_id
}

function ledgerOf({ parts }: TestNode) {
  const { pools, keys, logId, origin, provenance, programme, policy } = parts
  return createLedger({
    ...{ db: pools.ledger, keys, journal: provenance.journal, logId, origin, kid: `log-${logId}` },
    ...{ programme: programme.programme_id, policy, closed: false, itemProofsWaiting: 1 },
    auditing: async () => {},
    isRecipient: async () => false,
    shared: { submissions: async () => [], places: async () => [], items: async () => [] },
  })
}
