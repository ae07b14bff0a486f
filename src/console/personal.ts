import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { dayOf } from '../kernel/day.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Exposure, seenOne } from './exposure.ts'
import { PLAIN, type Preferences, parsePreferences } from './preference-rule.ts'
import * as store from './preference-store.ts'

export interface OwnSettings {
  preferences: Preferences
  noticesSeenAt: Date | undefined
}

/** What belongs to one person and is read by nobody else: each call is made with the id of whoever is signed in. */
export interface Personal {
  settings(person: Uuid): Promise<OwnSettings>
  save(person: Uuid, preferences: Preferences): Promise<void>
  /** Everything up to a moment was seen. */
  seeNotices(person: Uuid, upto: Date): Promise<void>
  exposure(person: Uuid): Promise<Exposure | undefined>
  /** The days of the last month on which there was any. */
  exposures(person: Uuid): Promise<{ day: string; seen: number }[]>
  /** A severe case was opened. */
  seeSevere(person: Uuid): Promise<Exposure>
}

const KEPT_MS = 30 * 86_400_000

export function createPersonal({ db, clock }: { db: Db; clock: Clock }): Personal {
  const lastDay = (): string => dayOf(new Date(clock().getTime() - KEPT_MS))
  return {
    async settings(person) {
      const row = await store.preferenceOf(db, person)
      return {
        preferences: row === undefined ? PLAIN : parsePreferences(row.settings),
        noticesSeenAt: row?.notices_seen_at ?? undefined,
      }
    },
    save: (person_id, preferences) =>
      store.putSettings(db, { person_id, settings: JSON.stringify(preferences), updated_at: clock() }),
    seeNotices: (person_id, notices_seen_at) =>
      store.putSeen(db, { person_id, settings: JSON.stringify(PLAIN), notices_seen_at, updated_at: clock() }),
    exposure: (person) => store.exposureOf(db, person, dayOf(clock())),
    exposures: (person) => store.exposureSince(db, person, lastDay()),
    async seeSevere(person_id) {
      const now = clock()
      const day = dayOf(now)
      const after = seenOne(await store.exposureOf(db, person_id, day), now)
      await store.putExposure(db, { person_id, day, ...after })
      if (after.seen === 1) await store.forgetExposure(db, lastDay())
      return after
    },
  }
}
