/** What a number counts; `minutes` are medians. */
export type Unit = 'participants' | 'signals' | 'answers' | 'actions' | 'disputes' | 'requests' | 'reads' | 'minutes'

export interface Metric {
  id: string
  title: string
  unit: Unit
  /** For whoever reads the figure. */
  definition: string
  /** How it is made of the log's entries: kinds, and fields of them. `in` is the period, by the field `time`. */
  query: string
  /** Who takes part is known to all: such a count is never withheld. */
  open?: true
}

/** Every figure of a report in the order in which it is shown. */
export const METRICS = [
  {
    id: 'participants.active',
    title: 'Platforms that took part',
    unit: 'participants',
    definition: 'Platforms that took part for at least a moment of the period; the N of "n of N".',
    query:
      'participant.admitted with kind=platform before the end, without those with participant.left before the start',
    open: true,
  },
  {
    id: 'signals.shared',
    title: 'Signals shared',
    unit: 'signals',
    definition:
      'Signals that sources shared for the first time, by type and by category; how many platforms shared any.',
    query: 'signal.submitted in: sum of types, sum of categories; distinct actor',
  },
  {
    id: 'signals.revised',
    title: 'Signals corrected',
    unit: 'signals',
    definition: 'Revisions of signals, renewals among them.',
    query: 'signal.revised in: sum of types; distinct actor',
  },
  {
    id: 'signals.withdrawn',
    title: 'Signals withdrawn',
    unit: 'signals',
    definition: 'Signals that their source took back, by type, category and reason.',
    query: 'signal.withdrawn in: sum of types, of categories, of reasons; distinct actor',
  },
  {
    id: 'signals.expired',
    title: 'Signals expired',
    unit: 'signals',
    definition: 'Signals that came to the end of their retention, by type and category.',
    query: 'signal.expired in: sum of types, of categories; distinct subject',
  },
  {
    id: 'signals.erased',
    title: 'Signals erased',
    unit: 'signals',
    definition: 'Signals whose values were erased everywhere, by two persons, by type and category.',
    query: 'erasure in: sum of types, of categories',
  },
  {
    id: 'withdrawals.minutes',
    title: 'Minutes from an end to its acknowledgement',
    unit: 'minutes',
    definition:
      'Median time from a withdrawal to the first later acknowledgement of each recipient that covers ends of that source.',
    query:
      'signal.withdrawn in, with each first tombstone.acked (stage=mirror_removed) of an actor that has a source of that party, after it and before the end',
  },
  {
    id: 'answers.given',
    title: 'Answers to sources',
    unit: 'answers',
    definition:
      'The last answer of each platform to each signal in the period, by outcome; how many platforms answered.',
    query: 'feedback.given in: the last of each actor and signal, by outcome; distinct actor',
  },
  {
    id: 'answers.corrected',
    title: 'Answers corrected',
    unit: 'answers',
    definition: 'Answers that replaced an earlier one of the same platform: the reversals.',
    query: 'feedback.given in with supersedes; distinct actor',
  },
  {
    id: 'answers.minutes',
    title: 'Minutes to the first answer',
    unit: 'minutes',
    definition: 'Median time from the sharing of a signal to the first answer of each platform that answered.',
    query:
      'feedback.given in, the first of each actor and signal: time less the time of the change with revision 1 of the signal',
  },
  {
    id: 'outcomes.reported',
    title: 'What was done',
    unit: 'actions',
    definition:
      'What platforms said that they did because of signals. A count that was not reported is none of 0: each has how many platforms reported it.',
    query:
      'review.decided in that are no proposals, without those that review.undone or a later supersedes names: sum of each member of counts; distinct actor with that member',
  },
  {
    id: 'disputes.opened',
    title: 'Disputes opened',
    unit: 'disputes',
    definition: 'Objections to signals that their source had to answer, by ground.',
    query: 'dispute.opened in, by ground; distinct actor',
  },
  {
    id: 'disputes.closed',
    title: 'Disputes closed',
    unit: 'disputes',
    definition: 'Answers to objections, by result.',
    query: 'dispute.closed in, by result',
  },
  {
    id: 'disputes.open',
    title: 'Disputes open at the end',
    unit: 'disputes',
    definition: 'Objections without an answer when the period ended.',
    query: 'dispute.opened before the end without dispute.closed before the end',
  },
  {
    id: 'holds.placed',
    title: 'Signals held',
    unit: 'signals',
    definition: 'Signals that were held for all recipients because of objections.',
    query: 'signal.held in',
  },
  {
    id: 'holds.lifted',
    title: 'Signals released',
    unit: 'signals',
    definition: 'Signals that were held and are used again.',
    query: 'signal.released in',
  },
  {
    id: 'government.received',
    title: 'Requests of governments',
    unit: 'requests',
    definition: 'Requests of authorities for data, by country and kind.',
    query: 'government_request.received in, by country, by kind',
  },
  {
    id: 'government.closed',
    title: 'Requests of governments answered',
    unit: 'requests',
    definition: 'By what came of them.',
    query: 'government_request.closed in, by outcome',
  },
  {
    id: 'reads.recorded',
    title: 'Disclosures recorded',
    unit: 'reads',
    definition: 'Answers with signals in them, each written to the log before it left; how many participants read.',
    query: 'read.batch in: sum of n; distinct reader',
  },
] as const satisfies readonly Metric[]

export type MetricId = (typeof METRICS)[number]['id']

export const metricOf = (id: string): Metric | undefined => METRICS.find((metric) => metric.id === id)
