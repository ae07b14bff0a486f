import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Authority } from '../participants/authority.ts'
import { type ReadableSignal, sightOf, type Tlp } from '../participants/policy.ts'
import { nameOf } from '../participants/schema.ts'
import type { AuditLog } from '../provenance/auditor.ts'
import type { Looker } from '../provenance/explorer.ts'
import { SIGNAL_STATE, type SignalItem } from '../signals/schema.ts'
import type { SightQuery, SightResult } from './schema.ts'
import * as store from './store.ts'

export interface SightOptions {
  /** Logs in as `aldis_ledger`. */
  db: Db
  clock: Clock
  auditing: AuditLog
  authority: Pick<
    Authority,
    'participants' | 'participantBySlug' | 'audience' | 'audiencesOf' | 'shareRefusal' | 'refresh'
  >
}

export interface Sights {
  /**
   * Who may see a signal, and by which rule not; of one that there is it is recorded first. Another process may have changed
   * audiences a moment ago: they are read anew.
   */
  sight(by: Looker, asked: SightQuery): Promise<SightResult>
}

/** Of a signal, but for its source. */
interface Facts extends Omit<ReadableSignal, 'origin'> {
  state: string
  refused: string | null
}

/** The rules that decide what participants are given, asked on behalf of each of them. */
export function createSights(options: SightOptions): Sights {
  const { authority, auditing } = options
  return {
    sight: async (by, asked) => {
      await authority.refresh()
      const source = authority.participantBySlug(asked.source)
      if (source === undefined) throw new Refusal('not-found')
      const { participant_id: origin } = source
      const { signal } = asked
      if (signal !== undefined && (asked.audience ?? asked.tlp ?? asked.type) !== undefined) throw halfAsked()
      const facts = signal === undefined ? supposed(options, origin, asked) : await standing(options, origin, signal)
      const participants = authority.participants().map(({ participant_id, slug, kind, status }) => {
        const audiences = new Set(authority.audiencesOf(participant_id).map(({ audience_id }) => audience_id))
        const me = { participant: participant_id, kind, active: status === 'active', audiences }
        const { sees, rule = null, name = null, asks = null } = sightOf(me, { ...facts, origin })
        return { participant: slug, sees, rule, name, asks }
      })
      if (signal !== undefined)
        await auditing({ ...by, auditor: true }, `sight ${signal}`, BigInt(participants.length), 'sight')
      const { audience, tlp, state, refused } = facts
      const shared_with = authority.audience(audience)?.label ?? ''
      return { source: source.slug, signal: signal ?? null, audience, shared_with, tlp, state, refused, participants }
    },
  }
}

/** A signal that there is, as its source's rows say now. */
async function standing({ db, clock, authority }: SightOptions, source: Uuid, signal: Uuid): Promise<Facts> {
  const [row, before] = await store.signalNow(db, source, signal)
  const audience = row && authority.audience(row.audience_id)
  if (row === undefined || audience === undefined) throw new Refusal('not-found')
  // A withdrawal has no level, and what is erased says nothing of itself any more: neither is seen, whatever it was.
  const tlp = tlpOf(row.item) ?? tlpOf(before?.item) ?? 'red'
  return {
    ...{ audience: row.audience_id, audienceKind: audience.kind, tlp, refused: null },
    ...{ shared: row.state === SIGNAL_STATE.live, over: row.expires_at <= clock() },
    state: nameOf(SIGNAL_STATE, row.state),
  }
}

const tlpOf = (item: string | undefined): Tlp | undefined =>
  item === undefined ? undefined : (JSON.parse(item) as Partial<SignalItem>).tlp

/** One that its source would share so, if it may. */
function supposed({ authority }: SightOptions, source: Uuid, { audience, tlp, type }: SightQuery): Facts {
  const target = audience === undefined ? undefined : authority.audience(audience)
  if (target === undefined || tlp === undefined || type === undefined) throw halfAsked()
  const item: { audience: Uuid; tlp: Tlp; type: string } = { audience: target.audience_id, tlp, type }
  return {
    ...{ audience: target.audience_id, audienceKind: target.kind, tlp },
    ...{ shared: true, over: false, state: 'none' },
    refused: authority.shareRefusal(source, item) ?? null,
  }
}

const halfAsked = (): Refusal =>
  new Refusal('filter-value', { detail: 'name a signal, or an audience with tlp and type' })
