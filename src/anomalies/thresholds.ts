/** Days that are usual ones. */
export const BASELINE_DAYS = 28
/** Before there are so many of them, nothing is unusual. */
export const BASELINE_LEAST = 7
/** How many times the usual. */
export const TIMES = 4
export const LEAST = {
  ...{ volume: 100, lookups: 1_000, reads: 1_000, hours: 20, connections: 100 },
  ...{ networks: 1, hit_ratio: 200 },
} as const
/** A network from which a key was not used for so long is new to it. */
export const NETWORK_DAYS = 30
/** Networks of keys of one day; what comes beyond is not kept. */
export const NETWORKS_A_DAY_MAX = 10_000
/** Days before the present one: as many as the rules look at. */
export const SIGHTINGS_KEPT_DAYS = Math.max(BASELINE_DAYS, NETWORK_DAYS) + 1
/** Percentage points. */
export const HIT_POINTS = 10
/** A week; the feedback of signals that are older is missing. */
export const ANSWER_DAYS = 7
export const GAP_MINUTES = 70
export const DRIFT_LEAST = 50
export const DRIFT_PERCENT = 50
export const ANSWERS_LEAST = 20
export const NOT_CONFIRMED_PERCENT = 25
export const UNANSWERED_LEAST = 50
export const UNANSWERED_PERCENT = 90

const burst = (least: number): string => `${TIMES} times the usual day, at least ${least}`

export const RULES = {
  volume: {
    title: 'Signals shared in a day',
    unit: 'signals',
    from: burst(LEAST.volume),
    says: 'shared signals: far more than on its usual days',
  },
  lookups: {
    title: 'Identifiers evaluated in a day',
    unit: 'identifiers',
    from: burst(LEAST.lookups),
    says: 'had identifiers evaluated: far more than on its usual days',
  },
  reads: {
    title: 'Reads in a day',
    unit: 'reads',
    from: burst(LEAST.reads),
    says: 'read: far more often than on its usual days',
  },
  hours: {
    title: 'Activity at unusual hours',
    unit: 'entries',
    from: `${LEAST.hours} at hours without activity in ${BASELINE_DAYS} days`,
    says: 'acted at hours of the day at which it did nothing in the four weeks before',
  },
  category_drift: {
    title: 'Other categories than before',
    unit: '% of its signals',
    from: `${DRIFT_PERCENT} % of a week's mix, of at least ${DRIFT_LEAST} signals`,
    says: 'shares other categories this week than in the three weeks before',
  },
  not_confirmed: {
    title: 'Answers that a signal violates nothing',
    unit: '% of answers',
    from: `${NOT_CONFIRMED_PERCENT} %, or twice that of the others, of at least ${ANSWERS_LEAST}`,
    says: 'is often told that its signals violate nothing',
  },
  feedback_missing: {
    title: 'Signals without an answer after a week',
    unit: '% of signals',
    from: `${UNANSWERED_PERCENT} %, or 10 above the others, of at least ${UNANSWERED_LEAST}`,
    says: 'leaves signals of others without an answer for more than a week',
  },
  checkpoint_gap: {
    title: 'Time without a checkpoint',
    unit: 'minutes',
    from: `${GAP_MINUTES}, for an idle log is signed every hour`,
    says: 'had no new checkpoint for longer than it ever should',
  },
  connections_refused: {
    title: 'Connections refused in a day',
    unit: 'connections',
    from: burst(LEAST.connections),
    says: 'was tried with keys that are not enrolled, far more often than on usual days',
  },
  network: {
    title: 'Keys used from other networks than before',
    unit: 'networks',
    from: `${LEAST.networks} (/24, or /48 of IPv6) from which the key was not used in ${NETWORK_DAYS} days; none for a key that is new`,
    says: 'used a key from a network from which it was not used in the days before',
  },
  hit_ratio: {
    title: 'Look-ups that find something, against the usual share',
    unit: 'points from the usual share in %',
    from: `half the usual share, at least ${HIT_POINTS} points, of at least ${LEAST.hit_ratio} look-ups`,
    says: 'finds something with another share of its look-ups than on its usual days',
  },
  self_approval: {
    title: 'Approvals of what one had asked for oneself',
    unit: 'attempts',
    from: 'the first of a day',
    says: 'had a person who tried to approve what this person had proposed; it was refused',
  },
} as const

export type RuleName = keyof typeof RULES
