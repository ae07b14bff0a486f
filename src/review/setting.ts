import type { Hours } from './hours.ts'
import type { ReviewSetting } from './sample-schema.ts'

/** Days of the week in the order of their bits. */
export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const

/** Throws where what is in force is not what whoever replaces it had read. */
export type Expects<T> = (current: T) => void

export interface SettingColumns {
  days: number
  opens: number
  closes: number
  sample_percent: number
}

/** Time always counts, and nothing is looked at a second time. */
export const NO_SETTING: ReviewSetting = { hours: null, sample_percent: 0 }

/** When an organisation reviews; undefined where time always counts. */
export const hoursIn = ({ days, opens, closes }: SettingColumns): Hours | undefined =>
  days === 0 ? undefined : { days: WEEKDAYS.flatMap((_, i) => ((days >> i) & 1 ? [i] : [])), from: opens, to: closes }

export function columnsOf({ hours, sample_percent }: ReviewSetting): SettingColumns {
  if (hours === null) return { days: 0, opens: 0, closes: 1_440, sample_percent }
  const bits = hours.days.map((day) => 1 << WEEKDAYS.indexOf(day))
  return {
    days: bits.reduce((sum, bit) => sum | bit, 0),
    opens: minuteOf(hours.from),
    closes: minuteOf(hours.to),
    sample_percent,
  }
}

export function settingOf(row: SettingColumns): ReviewSetting {
  const hours = hoursIn(row)
  if (hours === undefined) return { hours: null, sample_percent: row.sample_percent }
  const days = hours.days.flatMap((day) => WEEKDAYS[day] ?? [])
  return {
    hours: { days, from: textOf(hours.from), to: textOf(hours.to) },
    sample_percent: row.sample_percent,
  }
}

const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
const textOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
