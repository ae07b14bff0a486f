import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import * as decisionStore from './decision-store.ts'
import * as figuresStore from './figures-store.ts'
import * as hitStore from './hit-store.ts'
import { nameOf } from './outcome.ts'
import { FIGURES_DAYS, type ReviewFigures } from './schema.ts'
import * as settingStore from './setting-store.ts'

const DAY_MS = 86_400_000

/** An organisation's own figures: of its cases and sources, never of its people. */
export async function figuresOf(
  tx: Tx,
  participant: Uuid,
  { now, slugOf }: { now: Date; slugOf(participant: Uuid): string },
): Promise<ReviewFigures> {
  const since = new Date(now.getTime() - FIGURES_DAYS * DAY_MS)
  const ages = await figuresStore.openAges(tx, participant, now)
  const verdicts = await decisionStore.verdictCounts(tx, participant)
  const acted = await decisionStore.actedOn(tx, participant)
  const hits = await hitStore.hitCounts(tx, participant)
  const { cases } = await figuresStore.inbound(tx, participant, since)
  const decided = await figuresStore.decided(tx, participant, since)
  const samples = await settingStore.sampleCounts(tx, participant, since)
  return {
    ...{ open: Number(ages.open), overdue: Number(ages.overdue) },
    age_seconds: { p50: ages.p50, p90: ages.p90 },
    decided: Object.fromEntries(verdicts.map(({ verdict, n }) => [nameOf(verdict), Number(n)])),
    corrected: total(verdicts, ({ corrections }) => corrections),
    samples: {
      ...{ opened: Number(samples.opened), answered: Number(samples.answered), agreed: Number(samples.agreed) },
    },
    single_reviewed: total(verdicts, ({ single }) => single),
    ...{ acted: Number(acted.n), seen_again: Number(hits?.again ?? 0) },
    hits_since_action: Number(hits?.since ?? 0),
    recent: {
      ...{ days: FIGURES_DAYS, inbound: Number(cases), decided: total(decided, ({ n }) => n) },
      ...{ late: total(decided, ({ late }) => late), reversals: total(decided, ({ reversals }) => reversals) },
      sources: [...Map.groupBy(decided, ({ origin }) => origin)]
        .map(([origin, own]) => ({
          source: slugOf(origin),
          verdicts: Object.fromEntries(own.map(({ verdict, n }) => [nameOf(verdict), Number(n)])),
        }))
        .sort((a, b) => (a.source < b.source ? -1 : 1)),
    },
  }
}

const total = <T>(rows: readonly T[], of: (row: T) => bigint): number => rows.reduce((n, row) => n + Number(of(row)), 0)
