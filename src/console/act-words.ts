import type { ActionName } from '../participants/action.ts'

/** Each act as a person would say it, and what becomes of the world when it is done. */
export const ACT_WORDS: Readonly<Record<ActionName, { title: string; effect: string }>> = {
  'participant.admit': {
    title: 'Admit a participant',
    effect: 'The organisation joins the programme and its audience. It receives signals once its keys are enrolled.',
  },
  'participant.confirm': {
    title: 'End a probation',
    effect:
      'Its signals are no longer looked at as those of somebody new. It takes a key that works and a conformance run that passed.',
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
    effect:
      'Who joins sees everything that was ever shared with the group, if history is included, and is refused otherwise; who leaves keeps what was received.',
  },
  'group.end': {
    title: 'End a group',
    effect: 'For good: everybody leaves and keeps what was received. What is still live in it reaches nobody any more.',
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
  'report.publish': {
    title: 'Publish a transparency report',
    effect: 'The log names the report by its digest, for good: whoever has the file and an export can recompute it.',
  },
  'emergency.review': {
    title: 'Review an act of one person',
    effect:
      'It is done: one person cut somebody off at once. Approve it if it was right. Deny it, and say why, if it was not; then propose to undo it.',
  },
  'hold.place': {
    title: 'Place a legal hold',
    effect:
      'Nothing that it covers is removed: neither by its time nor by an erasure. Reads are what the organisation read, signals the values that it shared.',
  },
  'hold.lift': {
    title: 'Lift a legal hold',
    effect: 'What it kept is removed again once its time is over, from the next purge on.',
  },
  'government.close': {
    title: 'Close a request of an authority',
    effect: 'The log tells everybody who takes part what came of it and how much was given out. No data is named.',
  },
  'source.hold': {
    title: 'Hold what a source shares',
    effect:
      'Its live signals since that moment are not matched by anybody, and recipients are told so. Nothing is withdrawn; it can be released again.',
  },
  'source.release': {
    title: 'Release what a source shared',
    effect:
      'Everything that was held so is matched again. What is disputed, or held because recipients disagreed, stays held.',
  },
  'feed.pause': {
    title: 'Pause a feed',
    effect:
      'Nobody is given anything of it: no signals, corrections or withdrawals, until it is resumed. Cursors stay good, events keep their order, and look-ups go on.',
  },
  'feed.resume': {
    title: 'Resume a feed',
    effect: 'Everybody goes on where they stood, with all that came meanwhile, in its order.',
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
