import type { ActionName } from '../participants/action.ts'

/** Each act as a person would say it, and what becomes of the world when it is done. */
export const ACT_WORDS: Readonly<Record<ActionName, { title: string; effect: string }>> = {
  'participant.admit': {
    title: 'Admit a participant',
    effect: 'The organisation joins the programme and its audience. It receives signals once its keys are enrolled.',
  },
  'participant.resume': {
    title: 'Resume a participant',
    effect: 'A suspended organisation is served again, with the keys that it has.',
  },
  'participant.offboard': {
    title: 'Let a participant leave',
    effect: 'For good: its keys end, it leaves groups and audiences, and comes back only under another name.',
  },
  'group.create': {
    title: 'Make a group',
    effect: 'An audience of its own. Every member sees what is shared into it.',
  },
  'group.change': {
    title: 'Change a group',
    effect: 'Who joins sees what is shared from then on; who leaves keeps what was received.',
  },
  'role.grant': {
    title: 'Grant a role',
    effect: 'The person may act in this role at once, as far as the identity provider claims it too.',
  },
  'hash-profile.publish': {
    title: 'Publish a key epoch',
    effect:
      'Identifiers are hashed under it from its first day on. With a shared key every member could try identifiers out.',
  },
  'hash-profile.retire': {
    title: 'Retire a key epoch',
    effect: 'Nothing is hashed under it any more, and what was stays as long as its signals do.',
  },
  'quota.change': {
    title: 'Change a quota',
    effect: 'Another number of identifiers that the participant may have evaluated in a day.',
  },
  'policy.publish': {
    title: 'Publish a policy',
    effect: 'The taxonomy or the retention rules in force for everybody, by their version.',
  },
  'collection.hold': {
    title: 'Hold a collection context',
    effect: 'Signals that were collected there, on this basis, are refused, or taken again.',
  },
  'credential.enrol': {
    title: 'Invite a system of a participant',
    effect: 'A one-time code. Whoever redeems it within its time enrols a key with these scopes.',
  },
  'signing-key.confirm': {
    title: 'Confirm a signing key',
    effect:
      "What is signed with the key counts as the participant's word. Compare the key id with the participant by another way.",
  },
  'signals.erase': {
    title: 'Erase signals',
    effect:
      'For good: values and texts go, recipients are told to delete, and the log keeps the proof that it was done.',
  },
  'signal.release': {
    title: 'Release a held signal',
    effect: 'Recipients match it again, although recipients disagreed with it.',
  },
  'log.rotate': {
    title: 'Open the next log',
    effect: 'The present log is closed and the next one begins, when the node next starts.',
  },
}

const MEMBERS: Readonly<Record<string, string>> = { kid: 'key', slug: 'short name', od: 'digest', log: 'log to close' }

/** `not_before` as `not before`. */
export const memberName = (name: string): string => MEMBERS[name] ?? name.replaceAll('_', ' ')

/** One member of a payload as text: lists by their items, the rest as it stands. */
export function memberText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(memberText).join(', ')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  return JSON.stringify(value)
}
