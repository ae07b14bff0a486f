import { descriptorId, indicatorId, numberOf } from '../../interop/threatexchange/numbers.ts'
import { REACTION_OF } from '../../interop/threatexchange/reaction.ts'
import { SHARE_LEVEL, THREAT_SEVERITY } from '../../interop/threatexchange/to-threat.ts'
import { entryOf } from '../../kernel/entry-of.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { SignalItem } from '../../signals/schema.ts'
import type { Reads, ValueRecord } from './reads.ts'
import type { Signed } from './writes.ts'

/** A record as clients of ThreatExchange read it. What they take for missing is left out, since null breaks them. */
export function threatUpdate(record: ValueRecord, reads: Reads, status: 'source' | undefined): object {
  const { type, indicator, last_updated } = record
  const own = { id: indicatorId(type, indicator), indicator, type, last_updated }
  if (record.live === 0) return { ...own, should_delete: true }
  const data = newestOfEach(reads.signsOf(record)).map((sign) => descriptorOf(sign, reads, status))
  return { ...own, should_delete: false, descriptors: { data } }
}

/** Of each owner one: clients keep no more. */
function newestOfEach(signs: readonly Signed[]): Signed[] {
  return [...new Map(signs.map((sign) => [sign.source, sign])).values()]
}

export function descriptorOf(sign: Signed, reads: Reads, status: 'source' | undefined): object {
  const item = sign.item === null ? undefined : (JSON.parse(sign.item) as SignalItem)
  const tags = [...tagsIn(sign), ...(sign.state === 'held' ? ['aldis_disputed'] : [])]
  const reactions = reactionsOf(reads.reactions(sign.source, sign.signal))
  return {
    ...{
      id: descriptorId(sign.signal as Uuid),
      owner: { id: numberOf('participant', sign.source), name: sign.source },
    },
    ...{ status: statusOf(sign, item, status), added_on: added(sign.created_ms), raw_indicator: sign.indicator },
    ...{ type: sign.type, last_updated: added(sign.modified_ms) },
    ...(item === undefined ? {} : wordsOf(item)),
    tags: { data: tags.map((text) => ({ id: tagId(text), text })) },
    ...(reactions.length === 0 ? {} : { reactions }),
  }
}

/** A signal is a lead for a person, and is told as one unless the client was set up otherwise. */
function statusOf({ state }: Signed, item: SignalItem | undefined, status: 'source' | undefined): string {
  if (state === 'held') return 'UNKNOWN'
  return status === 'source' && item?.basis === 'human_reviewed' ? 'MALICIOUS' : 'SUSPICIOUS'
}

const wordsOf = ({ confidence, severity, basis, tlp }: SignalItem): object => ({
  ...{ confidence, severity: THREAT_SEVERITY[severity], share_level: SHARE_LEVEL[tlp] },
  review_status: basis === 'human_reviewed' ? 'REVIEWED_MANUALLY' : 'REVIEWED_AUTOMATICALLY',
})

const tagsIn = ({ tags }: Signed): string[] => (tags === null ? [] : (JSON.parse(tags) as string[]))
export const tagId = (text: string): string => indicatorId('tag', text)

function reactionsOf(said: readonly { giver: string; outcome: string }[]): { key: string; value: string }[] {
  const keyed = said.flatMap(({ giver, outcome }) => {
    const key = entryOf(REACTION_OF, outcome)
    return key === undefined ? [] : [{ key, number: numberOf('participant', giver) }]
  })
  const byKey = Map.groupBy(keyed, ({ key }) => key)
  return [...byKey].map(([key, some]) => ({ key, value: some.map(({ number }) => number).join(',') }))
}

/** As the Graph API has it: `2026-05-20T16:44:47+0000`. */
const added = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}+0000`

/** What stands on a page that has nothing: clients take an empty one for a fault. Nobody keeps it. */
export const nothingNew = (last_updated: number): object => ({
  ...{ id: '0', indicator: '', type: 'DEBUG_STRING', last_updated, should_delete: true },
})
