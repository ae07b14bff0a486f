import { standingObjects } from '../stix/standing.ts'
import { stixText } from '../stix/text.ts'
import { type AskedPage, type TaxiiPage, type TaxiiRecord, taxiiRecord } from './port.ts'

/** The records that every collection begins with: at places below 1, in the first microseconds of 1970. */
function standingRecords(programme: string): TaxiiRecord[] {
  const objects = standingObjects(programme)
  return objects.map((object, i) => {
    const { modified, created } = object as { modified?: string; created?: string }
    const place = { at: BigInt(i - objects.length), added: BigInt(i + 1) }
    return taxiiRecord(place, stixText(object, modified ?? created ?? ''))
  })
}

export interface Standing {
  records: readonly TaxiiRecord[]
  /** Left for others. */
  room: number
  more: boolean
}

/** What every collection has comes first. */
export function withStanding(standing: Standing, page: TaxiiPage): TaxiiPage {
  const last = standing.records.at(-1)
  const to = standing.room === 0 && last !== undefined ? last.at : page.to
  return { records: [...standing.records, ...page.records], more: standing.more || page.more, to }
}

/** Those of a page, how much room they leave on it, and whether more of them follow. */
export function standingAfter(programme: string, { after, limit, wants }: AskedPage): Standing {
  const meant = standingRecords(programme).filter(
    (record) => ('at' in after ? record.at > after.at : record.added > after.added) && wants(record),
  )
  const records = meant.slice(0, limit)
  return { records, room: limit - records.length, more: meant.length > limit }
}
