import type { EntryState } from '../provenance/explorer.ts'
import type { Tone } from './parts/badge.tsx'
import type { IconName } from './parts/icon.tsx'

/** What happened, in the words of people who do not read codes; the code stands beside it. */
const KIND_WORDS: Readonly<Record<string, string>> = {
  'signal.submitted': 'Signals shared',
  'signal.revised': 'Signals revised',
  'signal.withdrawn': 'Signals withdrawn',
  'signal.expired': 'Signals expired',
  'signal.held': 'Signal held',
  'signal.released': 'Signal released',
  erasure: 'Signals erased',
  'tombstone.acked': 'End acknowledged',
  'hit.reported': 'Hits reported',
  'review.decided': 'Case decided',
  'review.moved': 'Case moved',
  'review.undone': 'Decision undone',
  'review.routed': 'Routing changed',
  'feedback.given': 'Feedback given',
  'dispute.opened': 'Dispute opened',
  'dispute.closed': 'Dispute answered',
  'read.batch': 'Signals read',
  'reads.expired': 'Reads over their time',
  'feed.paused': 'Feed paused',
  'feed.resumed': 'Feed resumed',
  'value.sealed': 'Link sealed',
  'value.removed': 'Sealed link taken back',
  'value.rewrapped': 'Keys of sealed links renewed',
  'value.revealed': 'Link revealed',
  'audit.read': 'Log read',
  'lookup.evaluated': 'Identifiers evaluated',
  'participant.admitted': 'Participant admitted',
  'participant.suspended': 'Participant suspended',
  'participant.resumed': 'Participant resumed',
  'participant.left': 'Participant left',
  'group.changed': 'Group changed',
  'audience.changed': 'Audience made',
  'credential.enrolled': 'Key enrolled',
  'credential.revoked': 'Key revoked',
  'approval.requested': 'Approval asked for',
  'approval.given': 'Approval given',
  'approval.refused': 'Approval refused',
  'approval.executed': 'Approved act done',
  'person.added': 'Person added',
  'person.left': 'Person left',
  'role.changed': 'Role changed',
  'policy.published': 'Policy published',
  'log.opened': 'Log opened',
  'node.started': 'Node started',
}

/** The code with a space for its dot, where there is no better word. */
export const kindLabel = (kind: string): string =>
  KIND_WORDS[kind] ?? `${kind.charAt(0).toUpperCase()}${kind.slice(1).replaceAll(/[._]/g, ' ')}`

/** Each state in words and an icon. */
export const STATE_WORDS: Readonly<
  Record<EntryState, { label: (at: string) => string; tone: Tone; icon: IconName; why: string }>
> = {
  verified: {
    label: (at) => `Verified by server at ${at}`,
    ...{ tone: 'neutral', icon: 'ok' },
    why: 'This node read time, actor and kind in the record, made the entry again from it and found it under the signed checkpoint; it says so of itself',
  },
  pending: {
    label: () => 'Pending',
    ...{ tone: 'neutral', icon: 'clock' },
    why: 'The checkpoint that covers it is still to come, within seconds',
  },
  unopened: {
    label: () => 'In the log, not readable',
    ...{ tone: 'warn', icon: 'info' },
    why: 'It is under the signed checkpoint, but this node cannot open its record: nothing shows what the row says',
  },
  failed: {
    label: () => 'FAILED',
    ...{ tone: 'crit', icon: 'alert' },
    why: 'Record and signed tree do not fit together: something was changed',
  },
}
